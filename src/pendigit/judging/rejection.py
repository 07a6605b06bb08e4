"""Which predictions to accept so that the error among them stays below a limit, and what that costs. Pure NumPy.

The guarantee is that of Learn then Test (Angelopoulos et al. 2021) with fixed-sequence testing and an exact binomial
tail, for the selective risk of Geifman and El-Yaniv 2017. docs/doubt.md derives it in plain words.
"""

from __future__ import annotations

from contextlib import suppress
from math import ceil, log, log1p

import numpy as np
import numpy.typing as npt

from pendigit.doubt import Threshold, check_limit
from pendigit.errors import DataError, UsageError
from pendigit.judging.calibration import Hits, Shares

LEVEL = 0.95  # how surely a limit is kept, as usual
RUNGS = 200  # thresholds tried, from the strictest to none; many cost nothing
LIMITS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)  # maximal errors that are promised where they can be
MOST = 0.97  # share of the digits that is accepted at most, whatever the limit: below it lie signs and noise
LADDER = 5  # every fifth prediction sets the thresholds, by its confidence alone; the others are counted
MARGIN = 1.1  # times the digits needed: what the first threshold should leave, as shares scatter
HALVINGS = 50  # of [0, 1]: finer than any share that counts


def find_threshold(
    confidence: Shares,
    correct: Hits,
    max_error: float,
    level: float = LEVEL,
    groups: npt.ArrayLike | None = None,
    most: float = 1,
) -> Threshold:
    """The lowest threshold for which an error of at most `max_error` among the accepted can be promised.

    Args:
        confidence: (n,) in [0, 1], growing with certainty.
        correct: (n,), whether each prediction is right.
        max_error: A share above 0 and below 1.
        level: A share above 0 and below 1.
        groups: (n,), such as the kinds of paper: the limit is kept in each, and so in any mixture of them.
        most: The share that is accepted at most, above 1 / 2: what has less confidence than nearly all digits is
            likelier no digit.

    Raises:
        UsageError: A limit or level outside (0, 1).
        DataError: Too few predictions for any promise (says how many are needed), or too many errors.
    """
    needed = least_count(max_error, level)
    names, member = np.unique(np.zeros(len(confidence)) if groups is None else groups, return_inverse=True)
    fewest = int(np.bincount(member, minlength=1).min())
    if fewest < needed:
        raise DataError(
            f"{fewest:,} digits to calibrate on",
            f"at least {needed:,} for an error of at most {max_error:.3%} at a level of {level:.1%}",
            "label more digits, or allow a larger error",
        )
    order = np.random.default_rng(0).permutation(len(confidence))  # so that a sorted set does no harm
    setting, counting = order[::LADDER], np.delete(order, slice(None, None, LADDER))
    found = None
    for threshold in _ladder(confidence[setting], member[setting], _counted(max_error, level), most):
        inside = counting[confidence[counting] >= threshold]
        accepted = np.bincount(member[inside], minlength=len(names))
        wrong = np.bincount(member[inside], ~correct[inside], minlength=len(names)).astype(np.int64)
        tails = [binomial_tail(int(k), int(n), max_error) for k, n in zip(wrong, accepted, strict=True)]
        if max(tails) > 1 - level:
            break
        counts = len(counting), int(accepted.sum()), int(wrong.sum())
        found = Threshold(float(threshold), max_error, level, *counts)
    if found is None:
        worst = int(np.argmax(tails))
        raise DataError(
            f"{wrong[worst]:,} of the {accepted[worst]:,} most confident digits wrong",
            f"few enough for an error of at most {max_error:.3%} at a level of {level:.1%}",
            "allow a larger error, label more digits, or check the labels",
        )
    return found


def promises(confidence: Shares, correct: Hits, groups: npt.ArrayLike | None = None) -> tuple[Threshold, ...]:
    """What can be promised for each of `LIMITS`, from the strictest; arguments as for `find_threshold`."""
    found = []
    for limit in LIMITS:
        with suppress(DataError):
            found.append(find_threshold(confidence, correct, limit, groups=groups, most=MOST))
    return tuple(found)


def least_count(max_error: float, level: float = LEVEL) -> int:
    """How many predictions, all right, it takes to promise at most `max_error`. Raises UsageError outside (0, 1)."""
    check_limit(max_error)
    if not 0 < level < 1:
        raise UsageError(f"a level of {level:g}", "a share above 0 and below 1, such as 0.95", "choose one")
    return ceil(_counted(max_error, level) * LADDER / (LADDER - 1))


def _counted(max_error: float, level: float) -> int:
    """How many right predictions in a row are as improbable as 1 - level if the error were `max_error`."""
    return ceil(log1p(-level) / log1p(-max_error))


def _ladder(confidence: Shares, member: npt.NDArray[np.int64], needed: int, most: float) -> Shares:
    """The thresholds to try, from the strictest, which accepts half or more of each group, to one that accepts `most`.

    `needed` digits of a group must be accepted at least: where no error at all would be forgiven.
    """
    starts = [1.0]
    for group in np.unique(member):
        own = confidence[member == group]
        least = min(1.0, MARGIN * needed / (len(own) * (LADDER - 1)))
        half_way = (least + 1) / 2  # to all: one wrong label does not end it there
        starts.append(float(np.quantile(own, 1 - half_way, method="inverted_cdf")) if half_way < 1 else 0.0)
    first = min(starts)
    shares = np.linspace(min(most, float((confidence >= first).mean())), most, RUNGS)[1:]
    rungs = np.quantile(confidence, 1 - shares, method="inverted_cdf")
    return np.concatenate([[first], np.where(shares < 1, rungs, 0)])


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
