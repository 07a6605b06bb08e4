"""A table's doubtful digits, what a person says about them, and the table corrected by it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from pendigit.batches.record import Record
from pendigit.batches.table import check_format, read_table, write_table
from pendigit.errors import OutputError
from pendigit.files import writing

Verdict: TypeAlias = int | None  # the right digit, 0 to 9; None where there is no digit
Place: TypeAlias = tuple[str, int]  # an image's path, and the number of a digit in its record


@dataclass(frozen=True)
class Doubt:
    """A digit that somebody should look at.

    Attributes:
        path: Its image.
        index: Its number in the image's record.
        page: Its page, from 1.
        box: Left, top, right, bottom in pixels of the upright picture, the latter two exclusive.
        digit: What it was read as.
        probability: How surely.
        row: The text of its row.
        place: Which of the row's digits it is, from 0.
    """

    path: str
    index: int
    page: int
    box: tuple[int, int, int, int]
    digit: int
    probability: float
    row: str
    place: int


class Review:
    """The review of one table. Every verdict is on the disk when `decide` returns, in a file beside the table.

    Args:
        table: The table, as `pendigit read` wrote it.
        corrected: Where the corrected copy goes; None for a name of its own beside the table.

    Raises:
        OutputError: The table cannot be read, or the verdicts' file cannot be written.
    """

    def __init__(self, table: Path, corrected: Path | None = None) -> None:
        self.table = table
        self.corrected = corrected or table.with_stem(f"{table.stem}.corrected")
        check_format(self.corrected)
        if self.corrected == table:
            raise OutputError(f"{table} as its own corrected copy", "another name", "choose one with -o")
        self.log = table.with_name(f"{table.name}.review")
        self.doubts = sorted(_doubts(read_table(table)), key=lambda doubt: (doubt.probability, doubt.path, doubt.index))
        self._known = {(doubt.path, doubt.index) for doubt in self.doubts}
        self.verdicts: dict[Place, Verdict] = dict(self._said_before())

    def verdict(self, doubt: Doubt) -> tuple[bool, Verdict]:
        """Whether somebody has said what a digit is, and what."""
        place = doubt.path, doubt.index
        return place in self.verdicts, self.verdicts.get(place)

    def decide(self, doubt: Doubt, verdict: Verdict) -> None:
        """Note the right digit, or that there is none. Raises OutputError."""
        self._append(doubt, {"digit": verdict})
        self.verdicts[doubt.path, doubt.index] = verdict

    def undo(self, doubt: Doubt) -> None:
        """Take a verdict back. Raises OutputError."""
        self._append(doubt, {"undone": True})
        self.verdicts.pop((doubt.path, doubt.index), None)

    def publish(self) -> int:
        """Write the corrected copy; how many digits were looked at. Raises OutputError."""
        by_path: dict[str, dict[int, Verdict]] = {}
        for (path, index), verdict in self.verdicts.items():
            by_path.setdefault(path, {})[index] = verdict
        write_table(
            self.corrected,
            (corrected(record, by_path.get(record.path, {})) for record in read_table(self.table)),
        )
        return len(self.verdicts)

    def _append(self, doubt: Doubt, said: dict[str, object]) -> None:
        line = json.dumps({"path": doubt.path, "index": doubt.index} | said)
        with writing(self.log), self.log.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())

    def _said_before(self) -> Iterator[tuple[Place, Verdict]]:
        """What an earlier session said; a line that was cut off, or is about another digit, counts for nothing."""
        said: dict[Place, Verdict] = {}
        for line in self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else ():
            try:
                values = json.loads(line)
                place = str(values["path"]), int(values["index"])
            except (ValueError, KeyError, TypeError):
                continue
            if "undone" in values:
                said.pop(place, None)
            elif place in self._known:
                said[place] = values["digit"]
        return iter(said.items())


def corrected(record: Record, verdicts: dict[int, Verdict]) -> Record:
    """A record with what was said about its digits. One whose doubtful digits were all looked at is accepted."""
    if not verdicts:
        return record
    rows = [list(row) for row in record.rows]
    digits = []
    for index, digit in enumerate(record.digits):
        verdict = verdicts.get(index, digit.digit)
        at = _at(record, index)
        if at is not None and index in verdicts:
            rows[digit.row][at] = "" if verdict is None else str(verdict)
        if verdict is not None:
            is_known = index in verdicts
            digits.append(digit._replace(digit=verdict, probability=1.0, accepted=True) if is_known else digit)
    return replace(
        record,
        rows=tuple("".join(row).strip() for row in rows),
        digits=tuple(digits),
        lowest_probability=min((digit.probability for digit in digits), default=None),
        accepted=bool(digits) and all(digit.accepted for digit in digits),
    )


def _doubts(records: Iterable[Record]) -> Iterator[Doubt]:
    for record in records:
        for index in _doubtful(record):
            digit = record.digits[index]
            place = sum(other.row == digit.row for other in record.digits[:index])
            yield Doubt(
                record.path,
                index,
                digit.page,
                digit[2:6],
                digit.digit,
                digit.probability,
                record.rows[digit.row],
                place,
            )


def _doubtful(record: Record) -> list[int]:
    """The numbers of the digits for which an image is not accepted."""
    return [] if record.accepted else [index for index, digit in enumerate(record.digits) if not digit.accepted]


def _at(record: Record, index: int) -> int | None:
    """Where a digit stands in the text of its row: separators and gaps stand there too."""
    digit = record.digits[index]
    place = sum(other.row == digit.row for other in record.digits[:index])
    places = [at for at, sign in enumerate(record.rows[digit.row]) if sign.isdecimal() or sign == "?"]
    return places[place] if place < len(places) else None
