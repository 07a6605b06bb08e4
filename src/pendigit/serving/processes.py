"""Work in a process of its own: what takes too long, or brings its decoder down, is ended and replaced.

A thread cannot be ended, and a picture can be made that keeps a reader busy for minutes.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

from pendigit.errors import ImageError, PendigitError

Task: TypeAlias = Callable[[], Any]  # pickled on its way there, its result on its way back
STARTING = 60.0  # seconds: on a busy machine loading takes ten times the usual second
_SPAWN = multiprocessing.get_context("spawn")  # a forked copy of a process with threads may hold their locks for ever


class WorkProcess:
    """A process that does one task after the other. Called by one thread.

    Args:
        seconds: How long a task may take.
        first: A task that makes it ready, such as loading a model; done anew in a process that replaces another.
    """

    def __init__(self, seconds: float, first: Task = dict) -> None:
        self._seconds, self._first = seconds, first
        self._ready = False
        self._start()

    def __call__(self, tasks: Sequence[Task]) -> list[Any]:
        """Tasks -> a result, or the exception that it raised, for each."""
        return [self._do(task) for task in tasks]

    def close(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.join()
        self._connection.close()

    def _do(self, task: Task) -> Any:
        if not self._is_ready():
            self._replace()
            return RuntimeError("a process for pages does not start")
        try:
            self._connection.send(task)
            if self._connection.poll(self._seconds):
                return self._connection.recv()
            error = ImageError(
                f"a picture that takes over {self._seconds:g} seconds",
                "one that is done in this time",
                "send a smaller picture, or a part of it",
            )
        except (EOFError, OSError):
            error = ImageError("a picture that brought its decoder down", "a whole picture", "save it again as PNG")
        self._replace()
        return error

    def _is_ready(self) -> bool:
        """Wait until it has begun; that is not the first task's time."""
        try:
            if not self._ready and self._connection.poll(STARTING):
                self._connection.recv()
                self._ready = True
        except (EOFError, OSError):
            pass
        return self._ready

    def _replace(self) -> None:
        self.close()
        self._start()

    def _start(self) -> None:
        self._connection, other = _SPAWN.Pipe()
        self._ready = False
        self._process = _SPAWN.Process(target=_serve, args=(other, self._first), daemon=True)
        self._process.start()
        other.close()


def _serve(connection: Connection, first: Task) -> None:
    """Do tasks until nobody asks any more."""
    for each in (signal.SIGINT, signal.SIGTERM):  # they go to all; the server ends us when it has finished
        signal.signal(each, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _outcome(first)
    connection.send(None)
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        connection.send(_outcome(task))


def _outcome(task: Task) -> Any:
    try:
        return task()
    except PendigitError as error:
        return error
    except Exception as error:  # noqa: BLE001 - told to the server, which logs it
        return RuntimeError(f"{type(error).__name__}: {error}")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)  # the server was killed: nobody waits for what is being done
