"""A scanner's drop folder: what comes in is read once it is complete."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from pendigit.batches.inputs import Input, images_below
from pendigit.batches.run import Engine, Progress, Summary, check_inputs, open_journal, publish, read_waiting
from pendigit.batches.settings import Settings
from pendigit.errors import UsageError
from pendigit.extras import load

SETTLED = 2.0  # seconds without a change: scanners that write a page bit by bit pause less
LOOK_EVERY = 1_000  # milliseconds, while files settle, and where a file system tells of no changes

Look: TypeAlias = tuple[int, int]  # size in bytes and time of the last change in ns


class DropFolders:
    """What lies in folders, and how long it has lain there as it is."""

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = folders
        self._seen: dict[str, tuple[Look, float]] = {}
        self._taken: dict[str, Look] = {}

    def images(self) -> list[Input]:
        """Every image there is."""
        return [
            Input(number, path, path) for number, folder in enumerate(self._folders) for path in images_below(folder)
        ]

    def complete(self) -> list[Input]:
        """The images that have settled since they came or changed; each is given once for each of its contents."""
        now, found, there = time.monotonic(), [], self.images()
        self._forget_all_but({image.path for image in there})
        for image in there:
            look = _look(image.path)
            before, since = self._seen.get(image.path, (None, now))
            if look is None or look == self._taken.get(image.path):
                continue
            if look != before:
                self._seen[image.path] = look, now
            elif now - since >= SETTLED:
                self._taken[image.path] = look
                found.append(image)
        return found

    def _forget_all_but(self, paths: set[str]) -> None:
        """Images that are filed away take no memory."""
        self._seen = {path: seen for path, seen in self._seen.items() if path in paths}
        self._taken = {path: look for path, look in self._taken.items() if path in paths}


def watch_folders(
    folders: Sequence[str],
    output: Path,
    settings: Settings,
    engine: Engine,
    progress: Progress,
    published: Callable[[Summary], None],
    *,
    overwrite: bool = False,
    begun: Callable[[], None] = lambda: None,
) -> None:
    """Read what is in folders and what comes into them, until Ctrl-C; the table is published after each look.

    An image is read when it has not changed for two seconds, and again when it changes later. Images that are moved
    away keep their rows. The journal stays beside the table, and the next call goes on with it. `begun` is called once
    nothing stands in the way of watching.

    Raises:
        UsageError: A source is no folder.
        OutputError: As `read_many`.
        MissingExtraError: The extra [watch] is not installed.
    """
    watch = load("watch", "watchfiles").watch
    places = [str(Path(folder).expanduser()) for folder in folders]
    for place in places:
        if not Path(place).is_dir():
            raise UsageError(f"--watch {place}", "folders", "name the folder that the images come into")
    drop = DropFolders(places)
    journal = open_journal(output, settings, overwrite)
    try:
        journal.forget()
        journal.add(drop.images())
        check_inputs(journal, output)
        journal.forget()
        begun()
        for _ in watch(*places, rust_timeout=LOOK_EVERY, yield_on_timeout=True, raise_interrupt=True):
            if complete := drop.complete():
                journal.add(complete)
                count = read_waiting(journal, settings, engine, progress, fail_fast=False)
                published(replace(publish(journal, output, progress), read=count))
    finally:
        journal.close()


def _look(path: str) -> Look | None:
    """How a file looks; None for one that is gone again."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
