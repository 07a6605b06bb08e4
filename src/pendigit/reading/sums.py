"""Numbers of which one is the sum of others: the most probable choice of all of them together."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from math import inf

from pendigit.reading.lattice import Path

DEEP = 300  # alternatives of each number that are tried
COMBINED = 50_000  # choices of the addends that are tried, in order of their probability: some tenths of a second


def best_sum(addends: Sequence[Iterator[Path]], total: Iterator[Path]) -> tuple[list[Path], Path] | None:
    """Alternatives of some numbers and of their sum, each the most probable first -> the most probable that add up.

    Choices of the addends come in order of their probability. The search ends where even the likeliest sum could not
    make the next choice better than the best found, or at its limit. None where nothing adds up.
    """
    sums: dict[int, Path] = {}
    for path, _ in zip(total, range(DEEP), strict=False):
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


def _choices(sources: Sequence[Iterator[Path]]) -> Iterator[list[Path]]:
    """One alternative of each source, in order of the product of their probabilities.

    After a choice come those with one alternative replaced by the next; only at or after the place that was replaced
    last, so that each choice comes once.
    """
    lists = [_Listed(source) for source in sources]
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
        """The item of this number, from 0; None beyond the last, or beyond `DEEP`."""
        while len(self._taken) <= rank < DEEP:
            item = next(self._source, None)
            if item is None:
                return None
            self._taken.append(item)
        return self._taken[rank] if rank < DEEP else None
