"""Batches small enough for one process: an engine in it, and one look at what a run did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from pendigit.batches.record import Record
from pendigit.batches.run import read_many
from pendigit.batches.settings import Answer, Item, Settings
from pendigit.batches.table import read_table
from pendigit.batches.worker import Worker

# What the fixture `scans` writes, in the order in which it is found: digits named by what they show.
SCANS = ["scans/0.png", "scans/1.png", "scans/3.png", "scans/4.png", "scans/5.png", "scans/more/2.png"]
COUNT = len(SCANS)


class Silent:
    """Nobody is told how far a run has come."""

    def reading(self, done: int, total: int, failed: int) -> None: ...

    def publishing(self) -> None: ...


worker = cache(Worker)  # one for each settings


def here(items: Iterable[Item], how: Settings) -> Iterator[list[Answer]]:
    """An engine: one worker in this process, an image at a time."""
    for item in items:
        yield worker(how).read([item])


def stopping_after(count: int) -> Callable[[Iterable[Item], Settings], Iterator[list[Answer]]]:
    """An engine that Ctrl-C stops."""

    def engine(items: Iterable[Item], how: Settings) -> Iterator[list[Answer]]:
        for number, answers in enumerate(here(items, how)):
            if number == count:
                raise KeyboardInterrupt
            yield answers

    return engine


def read(source: str | Path = "scans", output: str = "out.csv", **options: object) -> object:
    engine = options.pop("engine", here)
    return read_many([str(source)], Path(output), Settings.of(), engine, Silent(), **options)  # type: ignore[arg-type]


def table(output: str = "out.csv") -> dict[str, Record]:
    records = list(read_table(Path(output)))
    found = {record.path: record for record in records}
    assert len(found) == len(records), "every image is there once"
    return found
