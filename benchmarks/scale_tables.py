"""Whether two tables say the same of the same images, as runs must that were stopped, killed or shared out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pendigit.batches.record import Record
from pendigit.batches.table import read_table

APART = 1e-5  # between probabilities: a network's last bits depend on how many digits it sees at once


def rows_of(table: Path) -> list[Record]:
    """A table's records but for their times."""
    return [replace(record, milliseconds=0.0) for record in read_table(table)]


def alike(one: Sequence[Record], other: Sequence[Record]) -> bool:
    """Whether all is equal, in the same order, and probabilities are within a hundred thousandth."""
    return [_but_probabilities(record) for record in one] == [_but_probabilities(record) for record in other] and all(
        abs(first - second) <= APART
        for record, twin in zip(one, other, strict=True)
        for first, second in zip(_probabilities(record), _probabilities(twin), strict=True)
    )


def _but_probabilities(record: Record) -> Record:
    digits = tuple(digit._replace(probability=0.0) for digit in record.digits)
    return replace(record, digits=digits, lowest_probability=0.0)


def _probabilities(record: Record) -> list[float]:
    return [digit.probability for digit in record.digits]
