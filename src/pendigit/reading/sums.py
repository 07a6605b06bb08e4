"""Numbers of which one is the sum of others: the most probable choice of all of them together."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import islice
from math import inf

from pendigit.reading.lattice import Path

DEEP = 100  # alternatives of each number that are tried
FAR = 25.0  # nats by which an alternative of a number may be less likely than its best: one in 10^11
COMBINED = 50_000  # choices of the addends that are tried, in order of their probability: some tenths of a second


def best_sum(addends: Sequence[Iterator[Path]], total: Iterator[Path]) -> tuple[list[Path], Path] | None:
    """Alternatives of some numbers and of their sum, each the most probable first -> the most probable that add up.

    Choices of the addends come in order of their probability. The search ends where even the likeliest sum could not
    make the next choice better than the best found, or at its limit. None where nothing adds up.
    """
    sums: dict[int, Path] = {}
    for path in _likely(total):
        sums.setdefault(int(path.text), path)
    likeliest = max((path.score for path in sums.values()), default=-inf)
    best: tuple[list[Path], Path] | None = None
    best_score = -inf
    for chosen, _ in zip(_choices(addends), range(COMBINED), strict=False):
        score = sum(path.score for path in chosen)
        if score + likeliest <= best_score:
            break
        found = sums.get(sum(int(path.text) for path in chosen))
        if found is not None and score + found.score > best_score:
            best, best_score = (chosen, found), score + found.score
    return best


def _likely(numbers: Iterator[Path]) -> Iterator[Path]:
    """The first of a number's alternatives, as long as they are not far less likely than the best."""
    best = -inf
    for path in islice(numbers, DEEP):
        best = max(best, path.score)
        if path.score < best - FAR:
            return
        yield path


def _choices(sources: Sequence[Iterator[Path]]) -> Iterator[list[Path]]:
    """One alternative of each source, in order of the product of their probabilities.

    After a choice come those with one alternative replaced by the next; only at or after the place that was replaced
    last, so that each choice comes once.
    """
    lists = [_Listed(_likely(source)) for source in sources]
    first = [listed.get(0) for listed in lists]
    if None in first:
        return
    waiting = [(-sum(path.score for path in first if path), (0,) * len(lists), 0)]
    while waiting:
        cost, ranks, place = heapq.heappop(waiting)
        yield [path for listed, rank in zip(lists, ranks, strict=True) if (path := listed.get(rank)) is not None]
        for at in range(place, len(lists)):
            own, following = lists[at].get(ranks[at]), lists[at].get(ranks[at] + 1)
            if own is not None and following is not None:
                after = (*ranks[:at], ranks[at] + 1, *ranks[at + 1 :])
                heapq.heappush(waiting, (cost + own.score - following.score, after, at))


class _Listed:
    """An iterator's items by their number, taken as they are asked for."""

    def __init__(self, source: Iterator[Path]) -> None:
        self._source, self._taken = source, list[Path]()

    def get(self, rank: int) -> Path | None:
        """The item of this number, from 0; None beyond the last."""
        while len(self._taken) <= rank:
            item = next(self._source, None)
            if item is None:
                return None
            self._taken.append(item)
        return self._taken[rank]
