"""All cores of one machine: a process each."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeAlias

from pendigit.batches.record import Record
from pendigit.batches.settings import Answer, Item, Settings

if TYPE_CHECKING:
    from pendigit.batches.worker import Worker

CHUNK_SECONDS = 0.25  # of work sent at once: sending it costs a thousandth of that, and progress is seen often
FIRST, MOST = 4, 64  # images in a chunk
AHEAD = 2  # chunks for each worker: it never waits for the next
LIFE = 600  # chunks that a process reads, some minutes: from picture to picture it keeps a little more memory

Timed: TypeAlias = tuple[list[Answer], float]  # a chunk's answers, and the seconds they took


def read_locally(items: Iterable[Item], settings: Settings, workers: int) -> Iterator[list[Answer]]:
    """Read images in `workers` processes; answers come in any order.

    A process that ends while it reads, such as one that runs out of memory, is replaced. The images that were under way
    are then read one by one; the one that ends a process again becomes a record with an error.
    """
    left, size = iter(items), FIRST
    under_way: dict[Future[Timed], list[Item]] = {}
    with _Pool(settings, workers) as pool:
        while True:
            while not pool.is_old and len(under_way) < AHEAD * workers and (chunk := list(islice(left, size))):
                under_way[pool.submit(chunk)] = chunk
            if not under_way:
                if not pool.is_old:
                    return
                pool.renew()
                continue
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                try:
                    answers, seconds = future.result()
                except BrokenProcessPool:
                    suspects = list(chain.from_iterable(under_way.values()))
                    under_way.clear()
                    yield from (pool.read_alone(item) for item in suspects)
                    break
                size = max(1, min(MOST, round(CHUNK_SECONDS * len(under_way.pop(future)) / max(seconds, 1e-9))))
                yield answers


class _Pool:
    """Worker processes, started anew when one of them has ended, or when they have read enough."""

    def __init__(self, settings: Settings, workers: int) -> None:
        self._settings, self._workers = settings, workers
        self._executor, self._chunks = self._start(), 0

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        # Also after an error the chunks under way end first: a pool left alone warns of what it did not put away.
        self._executor.shutdown(wait=True, cancel_futures=True)

    @property
    def is_old(self) -> bool:
        """Whether its processes have read enough."""
        return self._chunks >= LIFE * self._workers

    def renew(self) -> None:
        """Replace the processes, once nothing is under way."""
        self._executor.shutdown(wait=True)
        self._executor, self._chunks = self._start(), 0

    def submit(self, chunk: list[Item]) -> Future[Timed]:
        """Read images in some process; the future holds BrokenProcessPool if that ends."""
        self._chunks += 1
        try:
            return self._executor.submit(_read, self._settings, chunk)
        except BrokenProcessPool as error:
            future: Future[Timed] = Future()
            future.set_exception(error)
            return future

    def read_alone(self, item: Item) -> list[Answer]:
        """Read one image that may end its process."""
        for _ in range(2):  # the first may find the processes ended by another image
            try:
                return self.submit([item]).result()[0]
            except BrokenProcessPool:
                self.renew()
        error = "reading it ended the process, twice; expected a picture that fits the memory; make it smaller"
        return [Record.failed(item[0], None, self._settings.identity, error)]

    def _start(self) -> ProcessPoolExecutor:
        # Spawned: forking a process that has threads may lock up, and no other way works everywhere.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._workers, context, _begin)


def _begin() -> None:
    """Prepare a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the first process's to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed cannot tell its workers to end."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _read(settings: Settings, chunk: list[Item]) -> Timed:
    worker = _worker(settings)
    began = time.perf_counter()
    return worker.read(chunk), time.perf_counter() - began


@cache
def _worker(settings: Settings) -> Worker:
    """A process's worker; made with its first images, so that an error of its model finds its way back."""
    from pendigit.batches.worker import Worker

    return Worker(settings)
