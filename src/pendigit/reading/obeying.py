"""Rows read by rules: for each the most probable number that obeys, rows and sums chosen together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from math import exp, inf
from typing import NamedTuple

import numpy as np

from pendigit.errors import ImageError, UsageError
from pendigit.reading.automata import Count
from pendigit.reading.lattice import Lattice, Path, paths
from pendigit.reading.recognise import SeenRow, text_of
from pendigit.reading.rules import PageRules, Rules
from pendigit.reading.sums import best_sum
from pendigit.results import Ruled

COMPARED = 10  # numbers whose probability is compared
RUNNERS_UP = 4  # of them are reported beside the best


class Chosen(NamedTuple):
    """What a row, counted from 0, was read as: the way to a number that obeys, or None, and what is reported."""

    row: int
    path: Path | None
    ruled: Ruled


def obey(rows: Sequence[SeenRow], rules: PageRules) -> list[Chosen]:
    """Rows' alternatives, from top to bottom -> what each is by the rules; only as many rows as the rules say.

    Raises ImageError where there are fewer rows, UsageError for a sum of rows that are not there.
    """
    lattices = [row.lattice for row in rows]
    if rules.rows is None:
        kept = [row for row, seen in enumerate(rows) if text_of(seen)]
    else:
        kept = _likeliest_rows(lattices, rules.number, rules.rows)
    chosen = [choose(row, rows[row], rules.number) for row in kept]
    return chosen if rules.sum_of is None else _with_sum(chosen, rows, rules)


def choose(row: int, seen: SeenRow, rules: Rules) -> Chosen:
    """The most probable number of one row, the `row`th: by all ways to it together, of the ones with the best ways.

    What obeys as it is stays as it is.
    """
    free = text_of(seen)
    found = list(islice(rules.numbers(seen.lattice), COMPARED))
    if not found:
        return Chosen(row, None, Ruled(free, obeys=False))
    found.sort(key=lambda path: (path.text != free, -seen.log_probability(path.text)))
    return Chosen(row, found[0], _judged(seen, free, found, rules))


def _judged(seen: SeenRow, free: str, found: list[Path], rules: Rules) -> Ruled:
    """What is reported of a number that was chosen for a row, the first of those found."""
    weights = np.array([seen.log_probability(path.text) for path in found])
    shares = np.exp(weights - np.logaddexp.reduce(weights))
    others = [(rules.dress(path.text), float(share)) for path, share in zip(found[1:], shares[1:], strict=True)]
    fit = min(1.0, exp(weights[0] - seen.log_probability(free)))
    return Ruled(free, True, fit, float(shares[0]), tuple(others[:RUNNERS_UP]))


def _likeliest_rows(lattices: list[Lattice], rules: Rules, count: int) -> list[int]:
    """The rows that are most probably numbers that obey, the others being none: what each gains by being one."""
    gains = []
    for row, lattice in enumerate(lattices):
        number, nothing = next(rules.numbers(lattice), None), next(paths(lattice, Count(0, 0)), None)
        if number is None:  # still a row, if there are no better ones
            gains.append((-inf, -row, row))
        else:
            gains.append((number.score - (nothing.score if nothing else -inf), -row, row))
    if len(gains) < count:
        raise ImageError(
            f"{len(gains)} row{'s' * (len(gains) != 1)} of digits found",
            f"{count}, as the rules say",
            "look at the page with pendigit doctor, or read a part of it",
        )
    return sorted(row for _, _, row in sorted(gains, reverse=True)[:count])


def _with_sum(chosen: list[Chosen], rows: Sequence[SeenRow], rules: PageRules) -> list[Chosen]:
    """The rows chosen again, such that the last is the sum of others."""
    last = len(chosen) - 1
    addends = [row - 1 for row in rules.sum_of or range(1, last + 1)]
    if last < 1 or max(addends) >= last:
        raise UsageError(
            f"a sum over {len(chosen)} row{'s' * (len(chosen) != 1)} that were found",
            f"at least {max([*addends, 0]) + 2}, the last one being the sum",
            "name rows that are there, or say with rows how many there are",
        )
    involved = [*addends, last]
    again = add_up([(chosen[place].row, rows[chosen[place].row], rules.number) for place in involved])
    for place, new in zip(involved, again, strict=True):
        chosen[place] = new
    return chosen


def add_up(rows: Sequence[tuple[int, SeenRow, Rules]]) -> list[Chosen]:
    """Rows' places, alternatives and rules, the sum's last -> what they are; where nothing adds up, none obeys."""
    streams = [rules.numbers(seen.lattice) for _, seen, rules in rows]
    found = best_sum(streams[:-1], streams[-1])
    ways: list[Path | None] = [None] * len(rows) if found is None else [*found[0], found[1]]
    return [Chosen(row, path, _in_sum(seen, path, rules)) for (row, seen, rules), path in zip(rows, ways, strict=True)]


def _in_sum(seen: SeenRow, path: Path | None, rules: Rules) -> Ruled:
    """What is reported of a number that the sum chose."""
    free = text_of(seen)
    if path is None:
        return Ruled(free, obeys=False)
    others = [other for other in islice(rules.numbers(seen.lattice), COMPARED) if other.text != path.text]
    return _judged(seen, free, [path, *others], rules)
