"""Rules that a number must obey, as automata over its digits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pendigit.reading.lattice import Rule


@dataclass(frozen=True)
class Count:
    """Numbers of `least` to `most` digits; None for any more."""

    least: int
    most: int | None = None

    start = 0

    def step(self, state: int, digit: int) -> int | None:
        """The digits so far; from `least` on they need no counting where any more will do."""
        if self.most is None:
            return min(state + 1, self.least)
        return state + 1 if state < self.most else None

    def ends(self, state: int) -> bool:
        """Whether they are enough."""
        return state >= self.least


@dataclass(frozen=True)
class Pattern:
    """Numbers in a form such as "####-##": # is any digit, a digit itself; all else is not read."""

    pattern: str

    start = 0

    @property
    def slots(self) -> str:
        """The pattern's digits alone."""
        return "".join(sign for sign in self.pattern if sign == "#" or sign in "0123456789")

    def step(self, state: int, digit: int) -> int | None:
        """The slots filled."""
        fits = state < len(self.slots) and self.slots[state] in ("#", str(digit))
        return state + 1 if fits else None

    def ends(self, state: int) -> bool:
        """Whether all are."""
        return state == len(self.slots)

    def dress(self, text: str) -> str:
        """A number's digits with the pattern's other characters between them."""
        digits = iter(text)
        return "".join(next(digits) if sign == "#" or sign in "0123456789" else sign for sign in self.pattern)


@dataclass(frozen=True)
class Between:
    """Whole numbers from `low` to `high`, leading zeros allowed.

    The state compares the number so far with each beginning of both bounds: whether it is below (-1), the same or
    above (1), the whole bound first, then without its last digit, and so on. One more digit makes each comparison from
    that with the beginning one digit shorter, so the states stay few however large the bounds are.
    """

    low: int
    high: int

    @property
    def start(self) -> tuple[tuple[int, ...], tuple[int, ...], bool]:
        """Nothing read: 0 against each beginning."""
        return self._against_zero(self.low), self._against_zero(self.high), False

    def step(
        self, state: tuple[tuple[int, ...], tuple[int, ...], bool], digit: int
    ) -> tuple[tuple[int, ...], tuple[int, ...], bool] | None:
        """The comparisons after one more digit; None above the upper bound, from where there is no way back."""
        low, high = _compared(state[0], self.low, digit), _compared(state[1], self.high, digit)
        return None if high[0] > 0 else (low, high, True)

    def ends(self, state: tuple[tuple[int, ...], tuple[int, ...], bool]) -> bool:
        """Whether the number lies between the bounds."""
        return state[2] and state[0][0] >= 0

    def _against_zero(self, bound: int) -> tuple[int, ...]:
        return tuple(-1 if bound // 10**cut else 0 for cut in range(len(str(bound)) + 1))


def _compared(state: tuple[int, ...], bound: int, digit: int) -> tuple[int, ...]:
    """The comparisons of a number with a bound's beginnings, after one more digit of the number."""
    shorter = (*state[1:], state[-1])  # the last beginning is 0, and its own beginning too
    ends = [bound // 10**cut % 10 for cut in range(len(state))]
    return tuple(before or (digit > end) - (digit < end) for before, end in zip(shorter, ends, strict=True))


@dataclass(frozen=True)
class Both:
    """Numbers that obey all of some rules."""

    rules: tuple[Rule, ...]

    @property
    def start(self) -> tuple[Any, ...]:
        """The rules' starts."""
        return tuple(rule.start for rule in self.rules)

    def step(self, state: tuple[Any, ...], digit: int) -> tuple[Any, ...] | None:
        """The rules' states; None where one has none."""
        after = tuple(rule.step(own, digit) for rule, own in zip(self.rules, state, strict=True))
        return None if None in after else after

    def ends(self, state: tuple[Any, ...]) -> bool:
        """Whether the number may end by all."""
        return all(rule.ends(own) for rule, own in zip(self.rules, state, strict=True))


@dataclass(frozen=True)
class Either:
    """Numbers that obey at least one of some rules."""

    rules: tuple[Rule, ...]

    @property
    def start(self) -> tuple[Any, ...]:
        """The rules' starts."""
        return tuple(rule.start for rule in self.rules)

    def step(self, state: tuple[Any, ...], digit: int) -> tuple[Any, ...] | None:
        """The states of the rules that go on, None for the others; None where none does."""
        pairs: Sequence[tuple[Rule, Any]] = tuple(zip(self.rules, state, strict=True))
        after = tuple(None if own is None else rule.step(own, digit) for rule, own in pairs)
        return None if all(own is None for own in after) else after

    def ends(self, state: tuple[Any, ...]) -> bool:
        """Whether the number may end by one of them."""
        return any(own is not None and rule.ends(own) for rule, own in zip(self.rules, state, strict=True))


class Table:
    """Any rule as a table: its states are numbers, those from which no number can be completed are left out.

    Attributes:
        start: The first state, or None where no number obeys at all.
    """

    def __init__(self, rule: Rule) -> None:
        states, steps = _explored(rule)
        ends = {number for number, state in enumerate(states) if rule.ends(state)}
        alive = _leading_to(ends, steps)
        self._ends = ends
        self._next = [[after if after in alive else None for after in of_state] for of_state in steps]
        self.start = 0 if 0 in alive else None

    def step(self, state: int, digit: int) -> int | None:
        """The state after one more digit."""
        return self._next[state][digit]

    def ends(self, state: int) -> bool:
        """Whether a number may end here."""
        return state in self._ends


def _explored(rule: Rule) -> tuple[list[Any], list[list[int | None]]]:
    """Every state that can be reached, and by number the states that its ten digits lead to."""
    states, numbers, steps = [rule.start], {rule.start: 0}, list[list[int | None]]()
    for state in states:  # grows on the way
        steps.append([])
        for digit in range(10):
            after = rule.step(state, digit)
            if after is not None and after not in numbers:
                numbers[after] = len(states)
                states.append(after)
            steps[-1].append(None if after is None else numbers[after])
    return states, steps


def _leading_to(ends: set[int], steps: list[list[int | None]]) -> set[int]:
    """The states from which one of some can be reached, themselves included."""
    before: dict[int, set[int]] = defaultdict(set)
    for state, of_state in enumerate(steps):
        for after in of_state:
            if after is not None:
                before[after].add(state)
    found, waiting = set(ends), list(ends)
    while waiting:
        new = before[waiting.pop()] - found
        found |= new
        waiting.extend(new)
    return found
