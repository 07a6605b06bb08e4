"""All that a row of ink may say: a lattice of alternatives, searched for the most probable numbers that obey a rule.

Whatever reads a row gives its alternatives in this one form: positions from left to right, and edges between them, each
a digit or nothing, with its log-probability. A rule is an automaton over digits. The search walks both at once (a
product automaton), the most promising way first, so that a number is found because it obeys, not kept because it does.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Hashable, Iterator
from functools import cached_property
from itertools import count
from math import exp, inf, log
from typing import Any, NamedTuple, Protocol, TypeAlias

State: TypeAlias = Hashable


class Rule(Protocol):
    """Which numbers are allowed, as an automaton that reads their digits from left to right."""

    @property
    def start(self) -> Any:
        """The state before the first digit; None where no number is allowed."""

    def step(self, state: Any, digit: int) -> Any | None:
        """The state after one more digit, or None where no allowed number goes on so."""

    def ends(self, state: Any) -> bool:
        """Whether a number may end here."""


class Edge(NamedTuple):
    """One alternative for a stretch of a row.

    Attributes:
        start, end: The positions it leads between; start < end.
        digit: The digit it reads, or None for none: a gap, a stain, another sign.
        score: Its log-probability, at most about 0.
        source: Which candidate of the reader it comes from, such as a run of parts.
    """

    start: int
    end: int
    digit: int | None
    score: float
    source: int


class Path(NamedTuple):
    """A way through a lattice: its digits, its log-probability, its edges that read a digit."""

    text: str
    score: float
    edges: tuple[Edge, ...]


class Lattice:
    """The alternatives of a row: edges between positions 0 to `end`."""

    def __init__(self, end: int, edges: list[Edge]) -> None:
        self.end, self.edges = end, edges

    @cached_property
    def after(self) -> dict[int, list[Edge]]:
        """The edges that start at each position."""
        found: dict[int, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            found[edge.start].append(edge)
        return found

    @cached_property
    def reading(self) -> dict[tuple[int, int | None], list[Edge]]:
        """The edges that start at each position and read each digit, or none."""
        found: dict[tuple[int, int | None], list[Edge]] = defaultdict(list)
        for edge in self.edges:
            found[edge.start, edge.digit].append(edge)
        return found


class Anything:
    """The rule that allows every number."""

    start = True

    def step(self, state: bool, digit: int) -> bool:
        """The one state."""
        return state

    def ends(self, state: bool) -> bool:
        """Anywhere."""
        return True


def paths(lattice: Lattice, rule: Rule | None = None) -> Iterator[Path]:
    """The best way to each number that obeys, numbers in order of their best way's probability.

    A best-first search (A*) guided by the exact best score that is still ahead. Of many ways to the same digits up to
    the same position only the first, which is the best, is followed.
    """
    rule = rule or Anything()
    ahead = {} if rule.start is None else _ahead(lattice, rule)
    if (0, rule.start) not in ahead:
        return
    number = count()  # no two entries of the heap compare equal
    heap: list[Any] = [(-ahead[0, rule.start], next(number), 0.0, 0, rule.start, "", None)]
    seen: set[tuple[int, str]] = set()
    while heap:
        _, _, score, at, state, text, trail = heapq.heappop(heap)
        if (at, text) in seen:
            continue
        seen.add((at, text))
        if at == lattice.end:
            yield Path(text, score, _edges(trail))
            continue
        for edge, after in _steps(lattice, rule, at, state):
            if (edge.end, after) in ahead:
                so_far = score + edge.score
                longer = text if edge.digit is None else text + str(edge.digit)
                entry = (so_far, edge.end, after, longer, trail if edge.digit is None else (trail, edge))
                heapq.heappush(heap, (-so_far - ahead[edge.end, after], next(number), *entry))


def weight(lattice: Lattice, text: str) -> float:
    """The log-probability that a row says just `text`: of all ways to it together; -inf where there is none."""
    sums: dict[int, dict[int, float]] = defaultdict(dict)  # position -> digits read -> log-probability
    sums[0][0] = 0.0
    for at in range(lattice.end):
        for length, score in sums[at].items():
            read = [(length, edge) for edge in lattice.reading[at, None]]
            if length < len(text):
                read += [(length + 1, edge) for edge in lattice.reading[at, int(text[length])]]
            for longer, edge in read:
                sums[edge.end][longer] = log_add(sums[edge.end].get(longer, -inf), score + edge.score)
    return sums[lattice.end].get(len(text), -inf)


def _ahead(lattice: Lattice, rule: Rule) -> dict[tuple[int, State], float]:
    """The best score from each position and state to an allowed end; those without one are left out."""
    reached: dict[int, set[State]] = defaultdict(set)
    reached[0].add(rule.start)
    for at in range(lattice.end):
        for edge in lattice.after[at]:
            reached[edge.end] |= _stepped(rule, reached[at], edge.digit)
    best = {(lattice.end, state): 0.0 for state in reached[lattice.end] if rule.ends(state)}
    for at in range(lattice.end - 1, -1, -1):
        for state in reached[at]:
            scores = [
                edge.score + best.get((edge.end, after), -inf) for edge, after in _steps(lattice, rule, at, state)
            ]
            score = max(scores, default=-inf)
            if score > -inf:
                best[at, state] = score
    return best


def _stepped(rule: Rule, states: set[State], digit: int | None) -> set[State]:
    """The states after some, by a digit or by none."""
    return states if digit is None else {rule.step(state, digit) for state in states} - {None}


def _steps(lattice: Lattice, rule: Rule, at: int, state: State) -> Iterator[tuple[Edge, State]]:
    """The edges that may be taken from a position and state, with the state after each."""
    for edge in lattice.after[at]:
        after = state if edge.digit is None else rule.step(state, edge.digit)
        if after is not None:
            yield edge, after


def _edges(trail: Any) -> tuple[Edge, ...]:
    """A linked list of edges, the last first -> the edges in order."""
    edges = []
    while trail is not None:
        trail, edge = trail
        edges.append(edge)
    return tuple(reversed(edges))


def log_add(one: float, other: float) -> float:
    """log(exp(one) + exp(other)), of two numbers faster than NumPy does it."""
    low, high = (one, other) if one < other else (other, one)
    return high + log(1 + exp(low - high)) if low > -inf else high
