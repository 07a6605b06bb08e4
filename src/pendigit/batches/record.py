"""One image's line in the table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from pendigit.results import PlacedDigit, Reading

SURE = 0.9  # confidence: without a limit on the error, an image is accepted when each of its digits has it


class ReadDigit(NamedTuple):
    """A digit of an image, and where it stands.

    Attributes:
        digit: 0 to 9.
        probability: That it is a digit, and this one, 0 to 1.
        left, top, right, bottom: Its box in pixels of the upright picture, the latter two exclusive.
        row: Which of the image's rows it stands in, from 0.
        page: Which of a document's pages, from 1.
        accepted: Whether it is sure enough: for the limit on the error, or where none was asked for, at least `SURE`.
    """

    digit: int
    probability: float
    left: int
    top: int
    right: int
    bottom: int
    row: int
    page: int
    accepted: bool


@dataclass(frozen=True)
class Record:
    """What one image says.

    Attributes:
        path: The image as its source named it.
        rows: The text of each row from top to bottom; a document's pages follow one another.
        lowest_probability: Of its digits; None where there are none.
        accepted: Whether it has digits and all of them are sure enough.
        error: Why it could not be read; None where it was.
        milliseconds: How long it took one core, without waiting for the file.
        digits: Every digit, row by row.
        digest: SHA-256 of the file; None where there was none to read.
        model: SHA-256 of the model, followed by the settings that are not the usual ones.
    """

    path: str
    rows: tuple[str, ...]
    lowest_probability: float | None
    accepted: bool
    error: str | None
    milliseconds: float
    digits: tuple[ReadDigit, ...]
    digest: str | None
    model: str

    @classmethod
    def of(cls, path: str, digest: str, model: str, limited: bool, pages: Iterable[Reading], seconds: float) -> Record:
        """What was read on an image's pages; `limited` says that a limit on the error was asked for."""
        rows = [(number, row) for number, reading in enumerate(pages, 1) for row in reading.rows]
        digits = tuple(
            ReadDigit(digit.digit, round(digit.confidence, 6), *digit.box, index, page, _is_sure(digit, limited))
            for index, (page, row) in enumerate(rows)
            for digit in row.digits
        )
        lowest = min((digit.probability for digit in digits), default=None)
        accepted = bool(digits) and all(digit.accepted for digit in digits)
        texts = tuple(" ".join(row.groups) for _, row in rows)
        return cls(path, texts, lowest, accepted, None, round(seconds * 1000, 3), digits, digest, model)

    @classmethod
    def failed(cls, path: str, digest: str | None, model: str, error: str, seconds: float = 0.0) -> Record:
        """An image that could not be read."""
        return cls(path, (), None, False, error, round(seconds * 1000, 3), (), digest, model)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Record:
        """The reverse of `to_dict`. Raises KeyError, TypeError or ValueError for anything else."""
        digits = tuple(ReadDigit(*digit) for digit in values["digits"] or ())
        return cls(**values | {"rows": tuple(values["rows"] or ()), "digits": digits})

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON; a digit is the list of its values."""
        return vars(self) | {"rows": list(self.rows), "digits": [list(digit) for digit in self.digits]}


def _is_sure(digit: PlacedDigit, limited: bool) -> bool:
    return digit.accepted if limited else digit.confidence >= SURE
