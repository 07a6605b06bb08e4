"""Counts and scores of predictions. Pure NumPy."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from pendigit.classifier import DIGITS

Z95 = 1.959963984540054  # standard deviations that hold 95 % of a normal distribution
RESAMPLES = 1_000  # of a bootstrap: its ends are then good to a twentieth of their distance
FLOOR = 1e-12  # probability: keeps the logarithm of a flat zero finite


def wilson_interval(correct: int, count: int, z: float = Z95) -> tuple[float, float]:
    """The score interval of a share `correct / count` (Wilson 1927); (0, 1) when nothing was counted."""
    if count == 0:
        return 0.0, 1.0
    share = correct / count
    shrink = 1 + z * z / count
    middle = (share + z * z / (2 * count)) / shrink
    half = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / shrink
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap_interval(
    statistic: Callable[..., float], *arrays: npt.NDArray[Any], seed: int = 0, groups: npt.ArrayLike | None = None
) -> tuple[float, float]:
    """The 95 % percentile interval of `statistic(*arrays)` over resampled sets (Efron 1979).

    Args:
        statistic: Of the arrays, each (m, ...).
        arrays: One or more, each (n, ...); (0, 0) is given for n = 0.
        seed: The same gives the same interval.
        groups: (n,), such as the writers: whole groups are drawn, as digits of one hand are no independent witnesses.
    """
    random = np.random.default_rng(seed)
    names, member = np.unique(np.arange(len(arrays[0])) if groups is None else groups, return_inverse=True)
    if len(names) == 0:
        return 0.0, 0.0
    rows = np.split(np.argsort(member, kind="stable"), np.cumsum(np.bincount(member))[:-1])
    found = []
    for _ in range(RESAMPLES):
        drawn = random.integers(0, len(names), len(names))
        chosen = drawn if groups is None else np.concatenate([rows[name] for name in drawn])
        found.append(statistic(*(array[chosen] for array in arrays)))
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def confusion_matrix(labels: npt.ArrayLike, predicted: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Labels (n,) and predictions (n,), 0 to 9 -> counts (10, 10), [true, predicted]."""
    pairs = np.asarray(labels, np.int64) * DIGITS + np.asarray(predicted, np.int64)
    return np.bincount(pairs, minlength=DIGITS * DIGITS).reshape(DIGITS, DIGITS)


def negative_log_likelihood(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Labels (n,) and probabilities (n, 10) -> the mean of -log p(label), in nats."""
    chosen = np.take_along_axis(np.asarray(probabilities, np.float64), np.asarray(labels, np.int64)[:, None], axis=1)
    return float(-np.log(np.maximum(chosen, FLOOR)).mean())


def precision_recall(confusion: npt.NDArray[np.int64]) -> tuple[list[float | None], list[float | None]]:
    """Counts (10, 10), [true, predicted] -> precision and recall of each digit, None where nothing was counted."""

    def shares(totals: npt.NDArray[np.int64]) -> list[float | None]:
        hits = np.diagonal(confusion)
        return [float(hit / total) if total else None for hit, total in zip(hits, totals, strict=True)]

    return shares(confusion.sum(axis=0)), shares(confusion.sum(axis=1))


def confident_mistakes(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Labels (n,) and probabilities (n, 10) -> indices of the wrong predictions, the most confident first."""
    values = np.asarray(probabilities)
    wrong = np.flatnonzero(values.argmax(axis=1) != np.asarray(labels))
    return np.asarray(wrong[np.argsort(-values[wrong].max(axis=1), kind="stable")], np.int64)


def area_under_roc(positive: npt.ArrayLike, negative: npt.ArrayLike) -> float:
    """How often a score of `positive` (n,) exceeds one of `negative` (m,), ties counted half (Mann, Whitney 1947)."""
    mine, theirs = np.asarray(positive, np.float64), np.sort(np.asarray(negative, np.float64))
    below, up_to = np.searchsorted(theirs, mine, "left"), np.searchsorted(theirs, mine, "right")
    return float((below + up_to).mean() / (2 * len(theirs)))
