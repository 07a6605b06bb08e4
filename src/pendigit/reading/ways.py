"""All ways through a row's columns to a number: how probable it is, and how surely each of its digits stands where.

A way takes one of eleven things in each column: a digit, or nothing. A number's states are its digits and the nothing
around each; forward and backward sums over all ways through them give the rest (Graves and others, 2006, section 4).
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from pendigit.rowframe import COLUMN

DIGITS = 10
NEVER = -1e4  # nats: of what cannot stand in a column; finite, as its differences are taken

Logs: TypeAlias = npt.NDArray[np.float64]
Numbers: TypeAlias = npt.NDArray[np.intp]


class Said(NamedTuple):
    """What is read in some columns: where they begin, their log probabilities (T, 11), the digits."""

    first: int
    logs: Logs
    digits: tuple[int, ...]


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


NOTHING = RowReading(np.empty((0, DIGITS), np.float32), np.empty(0, np.float32), np.empty(0, np.float32))


def probabilities(logs: Logs, numbers: Numbers) -> Logs:
    """The log probabilities (n,) of numbers (n, N), each in its own columns (n, T, 11)."""
    states = _states(numbers)
    ways = _along(_emitted(logs, states), states)
    return np.asarray(np.logaddexp.reduce(ways[-1, :, -2:], axis=-1))


def judged(said: list[Said]) -> RowReading:
    """Each digit's probabilities from all ways through its columns in which the other digits are as read.

    All say as many digits; they are judged at once.
    """
    logs, digits = _side_by_side([each.logs for each in said]), np.array([each.digits for each in said])
    states = _states(digits)
    emitted = _emitted(logs, states)
    both = _along(np.stack([emitted, emitted[::-1, :, ::-1]], axis=1), np.stack([states, states[:, ::-1]]))
    forward, backward = both[:, 0], both[::-1, 1, :, ::-1]
    begins, ends = _meeting(forward, digits, -1), _meeting(backward, digits, 1)
    starts = np.concatenate([_only(0, digits), begins[:-1]])  # ways to the column before, from which a digit may begin
    stops = np.concatenate([ends[1:], _only(-1, digits)])
    inside = np.full_like(starts, -np.inf)
    for column, start in enumerate(starts):
        np.logaddexp(inside[column - 1], start, out=inside[column])  # before the first there is -inf, as in the last
        inside[column] += logs[:, column, None, :DIGITS]
    total = np.logaddexp.reduce(inside + stops, axis=0)
    present = np.logaddexp.reduce(total, axis=-1)
    which = np.exp(total - present[..., None])
    digitness = np.exp(present - np.logaddexp(present, _without_each(logs, digits)))
    middles = _middles(forward + backward - emitted) + COLUMN * np.array([[each.first] for each in said])
    flat = (which.reshape(-1, DIGITS), digitness.ravel(), middles.ravel())
    return RowReading(*(each.astype(np.float32) for each in flat))


def _side_by_side(parts: list[Logs]) -> Logs:
    """Columns (T, 11) each -> all of them (n, T, 11), the shorter ones with columns after them that hold nothing."""
    filled = np.full((len(parts), max(map(len, parts)), DIGITS + 1), NEVER)
    filled[..., DIGITS] = 0.0
    for own, part in zip(filled, parts, strict=True):
        own[: len(part)] = part
    return filled


def _states(digits: Numbers) -> Numbers:
    """Numbers (n, N) -> what a way through the columns meets (n, 2 N + 1): nothing around each digit."""
    states = np.full((len(digits), 2 * digits.shape[1] + 1), DIGITS)
    states[:, 1::2] = digits
    return states


def _emitted(logs: Logs, states: Numbers) -> Logs:
    """Columns (n, T, 11) and states (n, S) -> the log probability of each state in each column, (T, n, S)."""
    return np.take_along_axis(logs, states[:, None], axis=2).transpose(1, 0, 2)


def _middles(through: Logs) -> Logs:
    """All ways by each state and column, log probabilities (T, n, 2 N + 1) -> the digits' middles (n, N) in pixels."""
    ways = through[..., 1::2]
    weight = np.exp(ways - ways.max(axis=0))
    columns = (np.arange(len(ways)) + 0.5) * COLUMN
    return np.asarray((weight * columns[:, None, None]).sum(axis=0) / weight.sum(axis=0))


def _without_each(logs: Logs, digits: Numbers) -> Logs:
    """The log probabilities (n, N) of numbers (n, N) without each one of their digits."""
    count, length = digits.shape
    others = np.array([[each for each in range(length) if each != left_out] for left_out in range(length)], np.intp)
    shorter = digits[:, others].reshape(count * length, length - 1)
    return probabilities(np.repeat(logs, length, axis=0), shorter).reshape(count, length)


def _along(emitted: Logs, states: Numbers) -> Logs:
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


def _meeting(ways: Logs, digits: Numbers, step: int) -> Logs:
    """Ways (T, n, N, 10) beside each digit, were it any of the ten: in nothing, or straight in an unlike neighbour."""
    later, earlier = slice(1, None), slice(None, -1)
    own, neighbour = (later, earlier) if step < 0 else (earlier, later)
    nothing, digit = ways[..., ::2][..., neighbour], ways[..., 1::2]
    found = np.repeat(nothing[..., None], DIGITS, axis=-1)
    unlike = np.where(np.arange(DIGITS) == digits[:, neighbour, None], -np.inf, 0.0)
    found[..., own, :] = np.logaddexp(found[..., own, :], digit[..., neighbour, None] + unlike)
    return found


def _only(index: int, digits: Numbers) -> Logs:
    """What may begin or end a row (1, n, N, 10): the first digit or the last, whichever it is."""
    possible = np.full((1, *digits.shape, DIGITS), -np.inf)
    possible[:, :, index] = 0.0
    return possible
