"""Choosing digits of a set by a short text: `mnist:test`, `mnist:test:0`, `mini:train:0-99`, `my.npz:test:5`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from pendigit.datasets.dataset import Dataset, Pixels
from pendigit.datasets.split import Indices
from pendigit.errors import DataError, UsageError

PARTS = ("train", "test")
_FORM = re.compile(r"(?P<dataset>.+?):(?P<part>\w+)(?::(?P<range>[^:/\\]*))?", re.ASCII)
_RANGE = re.compile(r"(?P<first>\d{1,9})(?:-(?P<last>\d{1,9}))?", re.ASCII)
_EXPECTED = "SET:PART, SET:PART:INDEX or SET:PART:FIRST-LAST, such as mnist:test:0-99"


@dataclass(frozen=True)
class Selection:
    """Digits `start` up to, not including, `stop` of one part; a `stop` of None means to its end.

    `dataset` is a name or path for `load_dataset`, `part` is "train" or "test".
    """

    dataset: str
    part: str
    start: int = 0
    stop: int | None = None

    def __str__(self) -> str:
        """The text that `parse_selection` reads."""
        if self.stop is None:
            return f"{self.dataset}:{self.part}"
        last = f"-{self.stop - 1}" if self.stop - 1 > self.start else ""
        return f"{self.dataset}:{self.part}:{self.start}{last}"


def parse_selection(text: str) -> Selection:
    """Read `SET:PART`, `SET:PART:INDEX` or `SET:PART:FIRST-LAST` (both ends included). Raises UsageError."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise UsageError(f"{text!r}", _EXPECTED, "name the set and its part")
    dataset, part, span = form["dataset"], form["part"], form["range"]
    if part not in PARTS:
        raise UsageError(f"part {part!r} in {text!r}", "train or test", f"write {dataset}:test")
    if span is None:
        return Selection(dataset, part)
    bounds = _RANGE.fullmatch(span)
    if bounds is None:
        raise UsageError(f"range {span!r} in {text!r}", _EXPECTED, "count from 0")
    first = int(bounds["first"])
    last = int(bounds["last"] or first)
    if last < first:
        raise UsageError(f"range {span!r} in {text!r}", "the smaller index first", f"write {last}-{first}")
    return Selection(dataset, part, first, last + 1)


def select(selection: Selection, dataset: Dataset | None = None) -> tuple[Pixels, Pixels, Indices]:
    """The selected frames uint8 (n, 28, 28), labels uint8 (n,) and indices int64 (n,) into the part.

    Args:
        selection: What to take.
        dataset: The set if it is loaded already; by default it is loaded by its name.

    Raises:
        DataError: The set cannot be loaded, or its part is empty.
        UsageError: An index is past the part's end.
    """
    if dataset is None:
        from pendigit.datasets import load_dataset

        dataset = load_dataset(selection.dataset)
    is_test = selection.part == "test"
    frames, labels = (dataset.x_test, dataset.y_test) if is_test else (dataset.x_train, dataset.y_train)
    count = len(labels)
    if count == 0:
        raise DataError(f"{dataset.name} has no {selection.part} part", "one with digits", "select from its train part")
    stop = count if selection.stop is None else selection.stop
    if stop > count:
        raise UsageError(
            f"index {stop - 1} in {selection}",
            f"0 to {count - 1}, as its {selection.part} part has {count:,} digits",
            "choose a smaller one",
        )
    return frames[selection.start : stop], labels[selection.start : stop], np.arange(selection.start, stop)
