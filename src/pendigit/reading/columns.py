"""From a row network's columns to digits: which ones, how surely, and where.

The network tells for each column what stands there (`rownet.py`). Many ways of reading along the columns give the same
number; all of them count (Graves and others, 2006, section 4).
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from pendigit.reading.lattice import log_add
from pendigit.rowframe import BLANK, COLUMN, OTHER

BEAM = 12  # beginnings kept at each column
LOG_LEAST = np.log(1e-3)  # a digit less likely in a column starts no reading
EMPTY = 0.999  # columns surer than this of nothing part stretches
DIGITS = 10

Scores: TypeAlias = npt.NDArray[np.float32]  # (T, 12) log probabilities
Logs: TypeAlias = npt.NDArray[np.float64]
Beams: TypeAlias = dict[tuple[int, ...], tuple[float, float]]


class Stretch(NamedTuple):
    """Columns in which something may stand, between others that are surely empty.

    Attributes:
        first, end: Columns, the latter exclusive.
        numbers: What they may say, as digits, each with its log probability.
    """

    first: int
    end: int
    numbers: dict[tuple[int, ...], float]


class RowReading(NamedTuple):
    """What a row says.

    Attributes:
        probabilities: (N, 10) float32, each digit's, given that one stands there and the others are as read.
        digitness: (N,) float32, that one stands there at all.
        middles: (N,) float32, in the frame's pixels from its left.
    """

    probabilities: npt.NDArray[np.float32]
    digitness: npt.NDArray[np.float32]
    middles: npt.NDArray[np.float32]

    @property
    def digits(self) -> tuple[int, ...]:
        """The digits from left to right."""
        return tuple(int(digit) for digit in self.probabilities.argmax(axis=1))


_NOTHING = RowReading(np.empty((0, DIGITS), np.float32), np.empty(0, np.float32), np.empty(0, np.float32))


def read_columns(scores: Scores) -> RowReading:
    """Log probabilities (T, 12) of one row -> its digits; signs that are none count as nothing."""
    logs = _digits_or_nothing(scores)
    found = [_NOTHING]
    for first, end in _spans(logs):
        beams = _beams(logs[first:end], BEAM)
        digits = max(beams, key=lambda text: log_add(*beams[text]))
        if digits:
            read = _judged(logs[first:end], digits)
            found.append(read._replace(middles=read.middles + np.float32(first * COLUMN)))
    return RowReading(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def judge(scores: Scores, digits: tuple[int, ...]) -> RowReading:
    """Log probabilities (T, 12) of one row -> some digits, as if it said just these."""
    return _judged(_digits_or_nothing(scores), digits) if digits else _NOTHING


def log_probability(scores: Scores, digits: tuple[int, ...]) -> float:
    """Log probabilities (T, 12) of one row -> that it says just these digits."""
    return _probability(_digits_or_nothing(scores), digits)


def _digits_or_nothing(scores: Scores) -> Logs:
    """(T, 12) -> (T, 11): the ten digits, and nothing or another sign."""
    logs = scores[:, : DIGITS + 1].astype(np.float64)
    logs[:, DIGITS] = np.logaddexp(scores[:, BLANK], scores[:, OTHER])
    return logs


def stretches(scores: Scores, beam: int = BEAM) -> list[Stretch]:
    """Log probabilities (T, 12) of one row -> its stretches from left to right; what each says is independent."""
    logs = _digits_or_nothing(scores)
    return [Stretch(first, end, _numbers(logs[first:end], beam)) for first, end in _spans(logs)]


def _spans(logs: Logs) -> list[tuple[int, int]]:
    """The first column of each stretch, and the one after its last."""
    full = np.concatenate([[False], logs[:, DIGITS] < np.log(EMPTY), [False]])
    turns = np.flatnonzero(full[1:] != full[:-1]).tolist()
    return list(zip(turns[::2], turns[1::2], strict=True))


def _numbers(logs: Logs, beam: int) -> dict[tuple[int, ...], float]:
    """The most probable numbers in some columns and their log probabilities; always nothing, and each single digit."""
    numbers = {(), *((digit,) for digit in range(DIGITS)), *_beams(logs, beam)}
    return {text: _probability(logs, text) for text in sorted(numbers)}


def _beams(logs: Logs, beam: int) -> Beams:
    """The most probable numbers in some columns, by a search along them that keeps the best beginnings."""
    beams: Beams = {(): (0.0, -np.inf)}  # digits so far -> log probability of those that end in nothing, and in a digit
    for column in logs.tolist():
        longer = _longer(beams, column)
        best = sorted(longer, key=lambda text: log_add(*longer[text]), reverse=True)[:beam]
        beams = {text: longer[text] for text in best}
    return beams


def _longer(beams: Beams, column: list[float]) -> Beams:
    """Numbers read so far, and all that one more column may make of them."""
    likely = [(digit, score) for digit, score in enumerate(column[:DIGITS]) if score > LOG_LEAST]
    after: Beams = {}
    for text, (empty, full) in beams.items():
        either, last = log_add(empty, full), text[-1] if text else None
        _, begun = after.get(text, (-np.inf, -np.inf))  # by the number without its last digit
        after[text] = either + column[DIGITS], begun
        for digit, score in likely:
            if digit == last:
                after[text] = after[text][0], log_add(begun, full + score)
            longer, begins = (*text, digit), (empty if digit == last else either) + score
            stays, begun_too = after.get(longer, (-np.inf, -np.inf))
            after[longer] = stays, log_add(begun_too, begins)
    return after


def _judged(logs: Logs, digits: tuple[int, ...]) -> RowReading:
    """Each digit's probabilities from all ways through the columns in which the other digits are as read."""
    states = np.array([DIGITS] + [each for digit in digits for each in (digit, DIGITS)])  # nothing around each
    emitted = logs[:, states]
    both = _along(np.stack([emitted, emitted[::-1, ::-1]], axis=1), np.stack([states, states[::-1]]))
    forward, backward = both[:, 0], both[::-1, 1, ::-1]
    at = np.arange(len(digits)) * 2 + 1
    begins = _meeting(forward, at, digits, -1)  # ways to the column before, from which a digit may begin
    ends = _meeting(backward, at, digits, 1)
    starts = np.concatenate([_only(0, len(at)), begins[:-1]])
    stops = np.concatenate([ends[1:], _only(-1, len(at))])
    inside = np.full_like(starts, -np.inf)
    for column, start in enumerate(starts):
        np.logaddexp(inside[column - 1], start, out=inside[column])  # before the first there is -inf, as in the last
        inside[column] += logs[column, :DIGITS]
    total = np.logaddexp.reduce(inside + stops, axis=0)
    without = _probabilities(logs, [digits[:index] + digits[index + 1 :] for index in range(len(at))])
    present = np.logaddexp.reduce(total, axis=1)
    probabilities = np.exp(total - present[:, None])
    digitness = np.exp(present - np.logaddexp(present, without))
    middles = (forward + backward - emitted)[:, at]
    weight = np.exp(middles - middles.max(axis=0))
    columns = (np.arange(len(logs)) + 0.5) * COLUMN
    middle = (weight * columns[:, None]).sum(axis=0) / weight.sum(axis=0)
    return RowReading(probabilities.astype(np.float32), digitness.astype(np.float32), middle.astype(np.float32))


def _along(emitted: Logs, states: npt.NDArray[np.intp]) -> Logs:
    """Log probability of all ways that have come to each state (..., S) at each column, (T, ..., S), it included."""
    ways = np.full(emitted.shape, -np.inf)
    ways[0, ..., :2] = emitted[0, ..., :2]
    skipped = np.where((states[..., 2:] != DIGITS) & (states[..., 2:] != states[..., :-2]), 0.0, -np.inf)
    for before, reached, own in zip(ways, ways[1:], emitted[1:], strict=False):
        reached[..., 0] = before[..., 0]
        np.logaddexp(before[..., 1:], before[..., :-1], out=reached[..., 1:])
        np.logaddexp(reached[..., 2:], before[..., :-2] + skipped, out=reached[..., 2:])
        np.add(reached, own, out=reached)
    return ways


def _meeting(ways: Logs, at: npt.NDArray[np.intp], digits: tuple[int, ...], step: int) -> Logs:
    """Ways (T, N, 10) beside each digit, were it any of the ten: in nothing, or straight in an unlike neighbour."""
    found = np.repeat(ways[:, at + step, None], DIGITS, axis=2)
    for index, place in enumerate(at + 2 * step):
        if 0 <= place < ways.shape[1]:
            unlike = np.arange(DIGITS) != digits[index + step]
            found[:, index, unlike] = np.logaddexp(found[:, index, unlike], ways[:, place, None])
    return found


def _only(index: int, count: int) -> Logs:
    """What may begin or end a row (1, N, 10): the first digit or the last, whichever it is."""
    possible = np.full((1, count, DIGITS), -np.inf)
    possible[0, index] = 0.0
    return possible


def _probability(logs: Logs, digits: tuple[int, ...]) -> float:
    """The log probability of a number, over all ways through the columns."""
    return float(_probabilities(logs, [digits])[0])


def _probabilities(logs: Logs, numbers: list[tuple[int, ...]]) -> Logs:
    """The log probabilities (n,) of numbers that have as many digits each."""
    states = np.full((len(numbers), 2 * len(numbers[0]) + 1), DIGITS)  # nothing around each digit
    states[:, 1::2] = numbers
    ways = _along(logs[:, states], states)
    return np.asarray(np.logaddexp.reduce(ways[-1, :, -2:], axis=-1))
