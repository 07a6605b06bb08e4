"""What a reading is asked for: one frozen object, checked once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, TypeAlias

from pendigit.doubt import check_limit, parse_limit
from pendigit.errors import UsageError
from pendigit.reading.rules import PageRules, Rules, page_rules, parse_between, parse_digits, parse_rows
from pendigit.reading.separators import MARKS

Region: TypeAlias = tuple[int, int, int, int]  # left, top, width, height in pixels of the upright picture


@dataclass(frozen=True)
class ReadOptions:
    """How a page is read. With rules, each row is the most probable number that obeys them.

    Attributes:
        region: Read this part alone: left, top, width, height in pixels of the upright picture.
        keep: Separators to report with the digits, any of ".,-"; rows read by rules have a pattern's instead.
        drawn: It was drawn on a screen, on an even ground: no sheet, light or lines are looked for, and it is read in
            a tenth of the time.
        max_error: A limit on the error, such as 0.01: digits that are not sure enough for it become "?".
        digits: How many digits each number has, or the least and the most.
        rows: How many rows there are.
        pattern: The numbers' form, such as "####-##": # is any digit, other characters are not read.
        check: A check digit's name in python-stdnum, such as "luhn", "isbn" or "nl.bsn".
        between: The least and the greatest whole number that each may be.
        sum_of: The rows, counted from 1, whose sum the last one is; () for all above it.

    Raises:
        UsageError: Other separators, a limit outside (0, 1), or rules that are malformed or that no number can obey.
    """

    region: Region | None = None
    keep: str = ""
    drawn: bool = False
    max_error: float | None = None
    digits: int | tuple[int, int] | None = None
    rows: int | None = None
    pattern: str | None = None
    check: str | None = None
    between: tuple[int, int] | None = None
    sum_of: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if set(self.keep) - set(MARKS):
            raise UsageError(f"separators {self.keep!r}", f"any of {MARKS}", "leave the others out")
        if self.max_error is not None:
            check_limit(self.max_error)
        _ = self.rules  # checks them

    @cached_property
    def rules(self) -> PageRules | None:
        """What the rows must obey; None where nothing is asked of them."""
        number = Rules(self.digits, self.pattern, self.check, self.between)
        return page_rules(number, self.rows, self.sum_of)

    @classmethod
    def parse(cls, written: Mapping[str, Any]) -> ReadOptions:
        """Options as people write them: region "0,0,40,30", max_error "1%", digits "3-6", between "0:100".

        What is None is left out. Raises UsageError.
        """
        return cls(**{name: _parsed(name, value) for name, value in written.items() if value is not None})

    def written(self) -> dict[str, str]:
        """What `parse` reads, without what is as usual: for a request, or to tell readings apart."""
        changed = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: _written(name, value) for name, value in changed.items() if value not in (None, "", False)}

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        return asdict(self)


def _parsed(name: str, value: Any) -> Any:
    return PARSERS[name](value) if name in PARSERS and isinstance(value, str) else value


def _written(name: str, value: Any) -> str:
    if name == "sum_of" and value == ():
        return "all"
    marks = {"digits": "-", "between": ":"}
    return marks.get(name, ",").join(map(str, value)) if isinstance(value, tuple) else str(value)


def _region(text: str) -> Region:
    try:
        left, top, width, height = (int(number) for number in text.split(","))
    except ValueError as error:
        raise UsageError(
            f"--region {text}", "four whole numbers x,y,width,height", "measure in pixels of the upright picture"
        ) from error
    return left, top, width, height


PARSERS: dict[str, Callable[[str], Any]] = {
    "region": _region,
    "max_error": parse_limit,
    "digits": parse_digits,
    "between": parse_between,
    "sum_of": parse_rows,
}
