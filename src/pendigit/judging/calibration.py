"""Whether a probability means what it says, and making it so. Pure NumPy.

A classifier is calibrated if, of the digits it gives 90 %, nine in ten are right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pendigit.classifier import Probabilities
from pendigit.errors import DataError

Shares: TypeAlias = npt.NDArray[np.float64]  # (n,) in [0, 1]
Hits: TypeAlias = npt.NDArray[np.bool_]  # (n,)

BINS = 15  # of equal width, as Guo et al. 2017 take them
LEAST_TEMPERATURE, MOST_TEMPERATURE = 0.05, 20.0  # beyond them probabilities are all certain or all alike
HALVINGS = 60  # of that range: its width is then below what a float64 can tell apart
TINY = float(np.finfo(np.float32).tiny)  # probability: a softmax in float32 rounds what is smaller to nothing


@dataclass(frozen=True)
class Bin:
    """Predictions of like confidence.

    Attributes:
        low: The least confidence in the bin, exclusive.
        high: The greatest, inclusive.
        count: Predictions in it, at least one.
        confidence: Their mean confidence.
        correct: How many of them are right.
    """

    low: float
    high: float
    count: int
    confidence: float
    correct: int

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return self.correct / self.count

    @property
    def gap(self) -> float:
        """How much the confidence promises too much, or too little where negative."""
        return self.confidence - self.accuracy


def confidences(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> tuple[Shares, Hits]:
    """Labels (n,) and probabilities (n, 10) -> the confidence of each prediction, and whether it is right."""
    values = np.asarray(probabilities, np.float64)
    return values.max(axis=1), values.argmax(axis=1) == np.asarray(labels)


def logits_of(probabilities: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Probabilities (n, 10) -> logits (n, 10), up to a constant in each row, which a softmax does not see."""
    return np.log(np.maximum(np.asarray(probabilities, np.float64), TINY))


def temper(probabilities: npt.ArrayLike, temperature: float) -> Probabilities:
    """Probabilities (n, 10) -> those of the logits divided by `temperature` (Guo et al. 2017); above 1 less certain."""
    return _softmax(logits_of(probabilities) / temperature).astype(np.float32)


def fit_temperature(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """The temperature that minimises the negative log-likelihood of labels (n,) under probabilities (n, 10).

    The loss is convex in 1 / temperature, so its slope changes sign once: that place is found by halving. Labels that
    are all right have no such place and give the least temperature allowed. Raises DataError without any label.
    """
    logits, true = logits_of(probabilities), np.asarray(labels, np.int64)[:, None]
    if len(true) == 0:
        raise DataError("no labels to fit a temperature to", "at least one, better thousands", "choose another set")
    chosen = np.take_along_axis(logits, true, axis=1).mean()
    low, high = 1 / MOST_TEMPERATURE, 1 / LEAST_TEMPERATURE
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        expected = (_softmax(logits * middle) * logits).sum(axis=1).mean()
        low, high = (middle, high) if expected <= chosen else (low, middle)
    return 1 / middle


def reliability(confidence: Shares, correct: Hits, bins: int = BINS, adaptive: bool = False) -> tuple[Bin, ...]:
    """Confidences (n,) and whether each is right (n,) -> the bins that hold any, from low to high.

    Args:
        confidence: In [0, 1].
        correct: Of the same length.
        bins: How many, of equal width; some are left out because they hold nothing.
        adaptive: Of equal count instead (Nixon et al. 2019), which shows more where most confidences are.
    """
    edges = np.linspace(0, 1, bins + 1)
    if adaptive and len(confidence):
        edges = np.unique([0, *np.quantile(confidence, edges[1:-1], method="inverted_cdf"), 1])
    place = np.searchsorted(edges[1:-1], confidence, side="left")
    found = []
    for index in np.unique(place):
        inside = place == index
        mean, right = float(confidence[inside].mean()), int(correct[inside].sum())
        found.append(Bin(float(edges[index]), float(edges[index + 1]), int(inside.sum()), mean, right))
    return tuple(found)


def calibration_error(bins: tuple[Bin, ...]) -> float:
    """The expected calibration error (Naeini et al. 2015): the mean gap of the bins, weighted by count."""
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.gap) for each in bins) / total if total else 0.0


def _softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float64)
