"""What a number, or the numbers of a page, must obey: options become automata, which the search takes along."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice

from pendigit.errors import UsageError
from pendigit.reading.automata import Between, Both, Count, Pattern, Table
from pendigit.reading.checks import find_check, guide, is_wrong_length
from pendigit.reading.lattice import Lattice, Path, Rule, paths

LONGEST = 40  # digits: no number written by hand has more; the longest that python-stdnum knows have 34
TRIED = 5000  # numbers in order of probability on which a check without an automaton is tried; one in ten or so passes


@dataclass(frozen=True)
class Rules:
    """What one number must obey. What is None leaves it free.

    Attributes:
        digits: How many it has, or the least and the most.
        pattern: Its form, such as "####-##": # is any digit, a digit itself; the rest is not read but reported.
        check: A check of python-stdnum by its module's name: "luhn", "isbn", "nl.bsn".
        between: The least and the greatest whole number it may be.

    Raises:
        UsageError: A rule that is unknown or malformed, or rules that no number can obey together.
    """

    digits: int | tuple[int, int] | None = None
    pattern: str | None = None
    check: str | None = None
    between: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.automaton.start is None:
            raise _nothing_obeys(self)
        if self.check and not self.pattern and self.digits is not None:
            least, most = _range(self.digits)
            if all(is_wrong_length(self.check, length) for length in range(least, most + 1)):
                raise _nothing_obeys(self)

    @classmethod
    def of(
        cls,
        digits: str | None = None,
        pattern: str | None = None,
        check: str | None = None,
        between: str | None = None,
    ) -> Rules:
        """Rules as they are written: digits "5" or "3-6", between "0:100". Raises UsageError."""
        count, bounds = digits and parse_digits(digits), between and parse_between(between)
        return cls(count or None, pattern, check, bounds or None)

    @property
    def automaton(self) -> Table:
        """All rules that are automata, together; a check without one is left to `allows`."""
        return _table(self.digits, self.pattern, self.check, self.between)

    @cached_property
    def _judge(self) -> Callable[[str], bool]:
        return find_check(self.check) if self.check else bool

    def allows(self, text: str) -> bool:
        """Whether a number that the automaton lets through also passes its check."""
        return self._judge(self.dress(text))

    def dress(self, text: str) -> str:
        """A number's digits as they are reported: with the pattern's other characters between them."""
        return Pattern(self.pattern).dress(text) if self.pattern else text

    def numbers(self, lattice: Lattice) -> Iterator[Path]:
        """The numbers in a row's lattice that obey, the most probable first."""
        return (path for path in islice(paths(lattice, self.automaton), TRIED) if self.allows(path.text))

    def __str__(self) -> str:
        between = self.between and f"{self.between[0]}:{self.between[1]}"
        least, most = _range(self.digits)
        digits = None if self.digits is None else str(least) if least == most else f"{least}-{most}"
        given = {"digits": digits, "pattern": self.pattern, "check": self.check, "between": between}
        return ", ".join(f"{name} {value}" for name, value in given.items() if value is not None)


@dataclass(frozen=True)
class PageRules:
    """What the rows of a page must obey.

    Attributes:
        number: What each row's number must.
        rows: How many rows there are.
        sum_of: The rows, counted from 1, whose sum the last row is; () for all above it, None for no sum.

    Raises:
        UsageError: A count below 1, or a sum of the last row itself.
    """

    number: Rules
    rows: int | None = None
    sum_of: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.rows is not None and self.rows < 1:
            raise UsageError(f"rows {self.rows}", "1 or more", "leave it out where the number of rows is not known")
        named = self.sum_of or ()
        beyond = self.rows is not None and any(row >= self.rows for row in named)
        if any(row < 1 for row in named) or len(set(named)) < len(named) or beyond:
            raise UsageError(
                f"a sum of the rows {', '.join(map(str, named))}",
                "rows above the last one, counted from 1, each once",
                "name the rows to add, or none for all of them",
            )


@lru_cache(maxsize=256)  # of the fields of a few forms
def _table(
    digits: int | tuple[int, int] | None, pattern: str | None, check: str | None, between: tuple[int, int] | None
) -> Table:
    """The automaton of some rules. Raises UsageError."""
    parts: list[Rule] = [Count(1) if digits is None else Count(*_range(digits))]
    if pattern is not None:
        parts.append(_pattern(pattern))
    if between is not None:
        parts.append(_between(between))
    if check is not None:
        find_check(check)
        led = guide(check, pattern, _length(digits, pattern))
        parts.extend([led] if led else [])
    return Table(Both(tuple(parts)))


def _length(digits: int | tuple[int, int] | None, pattern: str | None) -> int | None:
    """How many digits a number has, where that is certain."""
    if pattern is not None:
        return len(Pattern(pattern).slots)
    least, most = _range(digits)
    return least if least == most else None


def page_rules(number: Rules, rows: int | None = None, sum_of: Sequence[int] | None = None) -> PageRules | None:
    """The rules of a page; None where nothing is asked for. Raises UsageError."""
    if number == Rules() and rows is None and sum_of is None:
        return None
    return PageRules(number, rows, None if sum_of is None else tuple(sum_of))


def parse_digits(text: str) -> tuple[int, int]:
    """A count "5" or a range "3-6" -> the least and the most. Raises UsageError."""
    numbers = _numbers(text, "digits", "-")
    return numbers[0], numbers[-1]


def parse_between(text: str) -> tuple[int, int]:
    """Bounds such as "0:100". Raises UsageError."""
    numbers = _numbers(text, "between", ":")
    if len(numbers) != 2:
        raise _malformed("between", text, ":")
    return numbers[0], numbers[1]


def parse_rows(text: str) -> tuple[int, ...]:
    """Row numbers such as "1,2"; "all" is (). Raises UsageError."""
    parts = [] if text == "all" else [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError(f"a sum of the rows {text}", "all, or row numbers such as 1,2", "count rows from 1")
    return tuple(map(int, parts))


def _numbers(text: str, name: str, mark: str) -> tuple[int, ...]:
    """One or two whole numbers parted by a mark. Raises UsageError."""
    parts = [part.strip() for part in text.split(mark)]
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() for part in parts):
        raise _malformed(name, text, mark)
    return tuple(map(int, parts))


def _malformed(name: str, text: str, mark: str) -> UsageError:
    one = "one whole number, or " if mark == "-" else ""
    return UsageError(f"{name} {text}", f"{one}two whole numbers such as 3{mark}6", "correct it")


def _range(digits: int | tuple[int, int] | None) -> tuple[int, int]:
    if digits is None:
        return 1, LONGEST
    least, most = digits if isinstance(digits, tuple) else (digits, digits)
    if not 1 <= least <= most <= LONGEST:
        raise UsageError(f"digits {digits}", f"a count, or the least and the most, from 1 to {LONGEST}", "correct it")
    return least, most


def _pattern(pattern: str) -> Pattern:
    slots = Pattern(pattern).slots
    if not 1 <= len(slots) <= LONGEST:
        raise UsageError(f"the pattern {pattern!r}", "a # for each digit, such as '####-##'", "write one")
    return Pattern(pattern)


def _between(bounds: tuple[int, int]) -> Between:
    low, high = bounds
    if high < 0 or high < low:
        raise UsageError(f"between {low}:{high}", "two whole numbers, the lower one first, at least 0", "correct them")
    return Between(max(0, low), high)


def _nothing_obeys(rules: Rules) -> UsageError:
    return UsageError(f"no number can obey all of {rules}", "rules that go together", "leave one of them out")
