"""Check digits: python-stdnum judges, and automata lead the search where a check is a weighted sum."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from pendigit.errors import UsageError
from pendigit.reading.automata import Both, Either, Pattern
from pendigit.reading.lattice import Rule

EAN_LENGTHS = (8, 12, 13, 14)  # EAN-8, UPC, EAN-13, GTIN
NAMES = "luhn, isbn, issn, ean, iban, verhoeff, damm, imei, or a country's such as nl.bsn"


@dataclass(frozen=True)
class DigitSum:
    """Numbers of one length: what each digit is worth at its place sums to `remainder` by `modulus`.

    Attributes:
        worth: For each place from the left, what the digits 0 to 9 are worth there.
    """

    worth: tuple[tuple[int, ...], ...]
    modulus: int
    remainder: int = 0

    start = (0, 0)

    def step(self, state: tuple[int, int], digit: int) -> tuple[int, int] | None:
        """The state (digits read, sum)."""
        at, total = state
        return (at + 1, (total + self.worth[at][digit]) % self.modulus) if at < len(self.worth) else None

    def ends(self, state: tuple[int, int]) -> bool:
        """Whether all digits are read and the sum is right."""
        return state == (len(self.worth), self.remainder)


def weighted(weights: Iterable[int], modulus: int, remainder: int = 0) -> DigitSum:
    """The usual check: each digit is worth its place's weight times itself."""
    return DigitSum(tuple(tuple(weight * digit for digit in range(10)) for weight in weights), modulus, remainder)


class Luhn:
    """Luhn's check of any length: from the right, every second digit counts twice, its own digits summed.

    Until the end it is not known which digits those are, so the state holds both sums, and whether any digit was read.
    """

    start = (0, 0, False)

    def step(self, state: tuple[int, int, bool], digit: int) -> tuple[int, int, bool]:
        """The sums if this digit is the last, and if one more follows."""
        last, before, _ = state
        return (before + digit) % 10, (last + sum(divmod(2 * digit, 10))) % 10, True

    def ends(self, state: tuple[int, int, bool]) -> bool:
        """Whether the sum is a multiple of ten."""
        return state[2] and state[0] == 0


@dataclass(frozen=True)
class Remainder:
    """Numbers that leave `remainder` when divided by `modulus`."""

    modulus: int
    remainder: int

    start = 0

    def step(self, state: int, digit: int) -> int:
        """The remainder so far."""
        return (10 * state + digit) % self.modulus

    def ends(self, state: int) -> bool:
        """Whether it is the right one."""
        return state == self.remainder


def find_check(name: str) -> Callable[[str], bool]:
    """python-stdnum's judgement of numbers by the check of this name. Raises UsageError for an unknown one."""
    try:
        if not re.fullmatch(r"[a-z]\w*(\.[a-z]\w*)*", name):
            raise ImportError
        module: Any = import_module(f"stdnum.{name}")
        judge: Callable[[str], bool] = module.is_valid
    except (ImportError, AttributeError) as error:
        raise UsageError(f"unknown check {name!r}", NAMES, "name a module of python-stdnum") from error
    return judge


def is_wrong_length(name: str, length: int) -> bool:
    """Whether python-stdnum says that no number of so many digits passes a check."""
    from stdnum.exceptions import InvalidLength, ValidationError

    try:
        import_module(f"stdnum.{name}").validate("1" * length)
    except InvalidLength:
        return True
    except ValidationError:
        return False
    return False


def guide(name: str, pattern: str | None = None, length: int | None = None) -> Rule | None:
    """The automaton of a check, which leads the search; None where there is none, and numbers are tried in order.

    A pattern's letters count in an IBAN's check; a length that is known makes the automaton of Luhn's check smaller.
    """
    if name == "iban":
        return _iban(pattern)
    if name == "luhn" and length is not None:
        doubled = tuple(sum(divmod(2 * digit, 10)) for digit in range(10))
        return DigitSum(tuple(doubled if (length - at) % 2 == 0 else tuple(range(10)) for at in range(length)), 10)
    return _guides().get(name)


@cache
def _guides() -> dict[str, Rule]:
    thirteen = _ean(13)
    book = Either(tuple(Both((thirteen, Pattern(prefix + "#" * 10))) for prefix in ("978", "979")))
    return {
        "luhn": Luhn(),
        "ean": Either(tuple(_ean(length) for length in EAN_LENGTHS)),
        "isbn": Either((weighted(range(1, 11), 11), book)),
        "issn": weighted(range(8, 0, -1), 11),
        "iso7064.mod_97_10": Remainder(97, 1),
    }


def _ean(length: int) -> Rule:
    return weighted((3 if (length - at) % 2 == 0 else 1 for at in range(length)), 10)


def _iban(pattern: str | None) -> Rule:
    """ISO 7064 modulo 97 over the pattern's letters and digits, its first four moved to the end (ISO 13616)."""
    signs = re.sub(r"[ .-]", "", (pattern or "").upper())
    if not re.fullmatch(r"[A-Z]{2}[0-9#][A-Z0-9#]+", signs):
        raise UsageError(
            f"check 'iban' with the pattern {pattern!r}",
            "a pattern with the country's letters, which are not read, such as 'CH## #### #### #### #### #'",
            "write the letters and a # for each digit",
        )
    order = [*range(4, len(signs)), *range(4)]
    values = ["0" if signs[at] == "#" or signs[at].isdigit() else str(int(signs[at], 36)) for at in order]
    power, fixed, weights = 1, 0, [0] * len(signs)
    for at, value in zip(reversed(order), reversed(values), strict=True):
        fixed, weights[at] = fixed + int(value) * power, power % 97
        power = power * 10 ** len(value) % 97
    read = (weight for weight, sign in zip(weights, signs, strict=True) if not sign.isalpha())
    return weighted(read, 97, (1 - fixed) % 97)
