"""Which predictions to accept so that the error among them stays below a limit, and what that costs. Pure NumPy.

The guarantee is derived in docs/doubt.md: confidences are sorted, the errors among the most confident are counted at
a few shares fixed beforehand, and an exact binomial bound is taken at each (Geifman and El-Yaniv 2017).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil, log, log1p
from typing import Any

import numpy as np

from pendigit.errors import DataError, UsageError
from pendigit.judging.calibration import Hits, Shares

LEVEL = 0.95  # how surely a limit is kept, as usual
# Shares of the predictions that may be accepted, fixed before any data is seen. The bound holds for all of them at
# once, which each further one makes a little harder; they lie close where one would want to be.
COVERAGES = (1, 0.995, 0.99, 0.985, 0.98, 0.97, 0.96, 0.95, 0.93, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.35, 0.2)
HALVINGS = 50  # of [0, 1]: finer than any share that counts


@dataclass(frozen=True)
class Threshold:
    """What to accept, and what is promised about it for data like the calibration set.

    Attributes:
        threshold: Predictions with a confidence above it are accepted.
        max_error: The limit that was asked for.
        level: With at least this probability over calibration sets, the error among the accepted is within the limit.
        count: Predictions in the calibration set.
        accepted: How many of them are accepted.
        wrong: How many of these are wrong.
        bound: The bound on the error among the accepted, at most `max_error`.
    """

    threshold: float
    max_error: float
    level: float
    count: int
    accepted: int
    wrong: int
    bound: float

    @property
    def coverage(self) -> float:
        """The share of the calibration set that is accepted."""
        return self.accepted / self.count

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON or a model's metadata."""
        return asdict(self)


def find_threshold(confidence: Shares, correct: Hits, max_error: float, level: float = LEVEL) -> Threshold:
    """The lowest threshold that keeps the error among the accepted within `max_error`, with probability `level`.

    Args:
        confidence: (n,), above 0, growing with certainty; ties are accepted or rejected together.
        correct: (n,), whether each prediction is right.
        max_error: A share above 0 and below 1.
        level: A share above 0 and below 1.

    Raises:
        UsageError: A limit or level outside (0, 1).
        DataError: Too few predictions for any guarantee (says how many are needed), or too many errors.
    """
    for name, share in (("a maximal error", max_error), ("a level", level)):
        if not 0 < share < 1:
            raise UsageError(f"{name} of {share:g}", "a share above 0 and below 1, such as 0.01 or 1%", "choose one")
    count, needed = len(confidence), least_count(max_error, level)
    if count < needed:
        raise DataError(
            f"{count:,} digits to calibrate on",
            f"at least {needed:,} for an error of at most {max_error:.3%} at a level of {level:.1%}",
            "label more digits, or allow a larger error",
        )
    risk = (1 - level) / len(COVERAGES)
    order = np.argsort(-confidence)
    descending, errors = confidence[order], np.concatenate([[0], np.cumsum(~correct[order])])
    for share in COVERAGES:
        kept = int(share * count)
        threshold = float(descending[kept]) if kept < count else 0.0
        accepted = int(np.searchsorted(-descending, -threshold))  # without those that equal it
        wrong = int(errors[accepted])
        if binomial_tail(wrong, accepted, max_error) <= risk:
            bound = min(max_error, upper_bound(wrong, accepted, risk))  # equal but for rounding where it is larger
            return Threshold(threshold, max_error, level, count, accepted, wrong, bound)
    raise DataError(
        f"{int((~correct).sum()):,} of {count:,} digits wrong, also among the most confident",
        f"a share of them for which an error of at most {max_error:.3%} can be promised",
        "allow a larger error, label more digits, or check the labels",
    )


def least_count(max_error: float, level: float = LEVEL) -> int:
    """How many predictions, all right, it takes to promise at most `max_error` with probability `level`."""
    return ceil(log((1 - level) / len(COVERAGES)) / log1p(-max_error))


def upper_bound(wrong: int, count: int, risk: float) -> float:
    """The exact upper bound on a share of which `wrong` in `count` were seen (Clopper and Pearson 1934).

    It lies below the true share with a probability of at most `risk`. 1 when nothing was counted.
    """
    if wrong >= count:
        return 1.0
    low, high = wrong / count, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if binomial_tail(wrong, count, middle) > risk else (low, middle)
    return high


def binomial_tail(wrong: int, count: int, share: float) -> float:
    """The probability of at most `wrong` in `count` independent tries, each with probability `share` in (0, 1)."""
    if share <= 0 or share >= 1:
        return float(share <= 0 or wrong >= count)
    steps = np.arange(wrong)
    ratios = np.log((count - steps) / (steps + 1)) + log(share) - log1p(-share)
    terms = count * log1p(-share) + np.concatenate([[0.0], np.cumsum(ratios)])
    largest = terms.max()
    return float(min(1.0, np.exp(largest) * np.exp(terms - largest).sum()))


def risks(confidence: Shares, correct: Hits) -> Shares:
    """The error among the k most confident predictions, for k from 1 to n (El-Yaniv and Wiener 2010).

    Predictions of equal confidence count as if in random order: each has the mean error of its like.
    """
    _, place, counts = np.unique(-confidence, return_inverse=True, return_counts=True)
    wrong = np.bincount(place, ~correct, len(counts)) / counts
    return np.asarray(np.cumsum(np.repeat(wrong, counts)) / np.arange(1, len(confidence) + 1), np.float64)


def area_under_risks(confidence: Shares, correct: Hits) -> float:
    """AURC (Geifman et al. 2019): the mean error over all coverages; 0 if everything is right."""
    return float(risks(confidence, correct).mean()) if len(confidence) else 0.0
