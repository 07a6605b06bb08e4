"""Everything a careful person asks of a model before relying on it, measured on one labelled set."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pendigit.classifier import Classifier, Frames, Probabilities
from pendigit.doubt import Threshold, confidence
from pendigit.judging import warps
from pendigit.judging.calibration import Bin, Hits, Shares, calibration_error, confidences, reliability
from pendigit.judging.corruptions import CORRUPTIONS, corrupt
from pendigit.judging.evaluation import score
from pendigit.judging.metrics import bootstrap_interval, confident_mistakes, negative_log_likelihood, wilson_interval
from pendigit.judging.others import OTHERS
from pendigit.judging.rejection import area_under_risks, promises
from pendigit.results import Evaluation

Estimate: TypeAlias = tuple[float, float, float]  # a value and its 95 % interval
Change: TypeAlias = Callable[[Frames, float], Frames]

SAMPLE = 2_000  # digits that are corrupted and moved: an accuracy near 90 % is then good to 1.3 points
WARM_UP, TIMED = 20, 200  # calls
EXAMPLES = 6  # pictures of each corruption

# What is done to a digit, by how much, and in what unit.
CHANGES: dict[str, tuple[Change, tuple[float, ...], str]] = {
    "Shift": (warps.shift, (-8, -6, -4, -2, 0, 2, 4, 6, 8), "pixels to the right"),
    "Size": (warps.scale, (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3), "times as large"),
    "Rotation": (warps.rotate, (-60, -45, -30, -15, 0, 15, 30, 45, 60), "degrees against the clock"),
    "Stroke": (warps.widen, (-1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3), "pixels wider"),
}


@dataclass(frozen=True)
class Corrupted:
    """How a corruption is borne: examples (k, 28, 28) uint8, accuracy and its 95 % interval."""

    name: str
    examples: Frames
    accuracy: Estimate


@dataclass(frozen=True)
class Other:
    """What shows no digit: examples (k, 28, 28) uint8, and the confidence (n,) of the digits seen in it."""

    name: str
    examples: Frames
    confidence: Shares


@dataclass(frozen=True)
class Curve:
    """Accuracy, with 95 % intervals, against the amount of a change."""

    name: str
    unit: str
    amounts: tuple[float, ...]
    accuracies: tuple[Estimate, ...]


@dataclass(frozen=True)
class Report:
    """A model's report on one set.

    Attributes:
        evaluation: Accuracy, loss, precision, recall, confusions.
        loss: Mean negative log-likelihood, nats.
        calibration: The expected calibration error.
        risk: AURC, the mean error over all coverages.
        bins: Of the reliability diagram.
        digitness: (n,) how surely each frame shows one digit; None where the model cannot tell.
        confidence: (n,) of each prediction, digitness included.
        correct: (n,) whether it is right.
        mistakes: Frames (m, 28, 28), labels (m,) and probabilities (m, 10), the most confident first.
        thresholds: What can be promised, from the strictest limit to the loosest.
        others: Pictures that show no digit, and how surely they are taken for one.
        sample: How many digits were corrupted and moved.
        suite: The corruptions.
        curves: Shifted, scaled, turned, thicker and thinner.
        seconds: The median time of one frame.
        size: Bytes of the model's file.
        origin: The model file's metadata, and its digest.
    """

    evaluation: Evaluation
    loss: Estimate
    calibration: Estimate
    risk: Estimate
    bins: tuple[Bin, ...]
    digitness: Shares | None
    confidence: Shares
    correct: Hits
    mistakes: tuple[Frames, npt.NDArray[np.uint8], Probabilities]
    thresholds: tuple[Threshold, ...]
    others: tuple[Other, ...]
    sample: int
    suite: tuple[Corrupted, ...]
    curves: tuple[Curve, ...]
    seconds: float
    size: int
    origin: Mapping[str, Any]


def judge(
    classifier: Classifier,
    frames: Frames,
    labels: npt.NDArray[np.uint8],
    *,
    model: str,
    data: str,
    timed: Classifier,
    size: int,
    origin: Mapping[str, str],
) -> Report:
    """Measure everything.

    Args:
        classifier: The model.
        frames: (n, 28, 28) uint8, ink bright on black.
        labels: (n,) uint8, 0 to 9.
        model: Its name, for the page.
        data: The set's name.
        timed: The same model on one thread, for the latency.
        size: Bytes of its file.
        origin: Texts, or JSON, that say where it comes from.

    Raises:
        DataError: There is nothing to score.
    """
    probabilities, digitness = classifier.judge(frames)
    evaluation = score(probabilities, labels, model, data)
    probability, correct = confidences(labels, probabilities)
    sure = confidence(probability, digitness)
    wrong = confident_mistakes(labels, probabilities)
    chosen = np.linspace(0, len(frames) - 1, min(SAMPLE, len(frames))).astype(np.int64)
    sample, truth = frames[chosen], labels[chosen]
    return Report(
        evaluation=evaluation,
        loss=_estimate(negative_log_likelihood, labels, probabilities),
        calibration=_estimate(lambda *pairs: calibration_error(reliability(*pairs)), probability, correct),
        risk=_estimate(area_under_risks, sure, correct),
        bins=reliability(probability, correct),
        digitness=None if digitness is None else digitness.astype(np.float64),
        confidence=sure,
        correct=correct,
        mistakes=(frames[wrong], labels[wrong], probabilities[wrong]),
        thresholds=promises(sure, correct),
        others=tuple(_other(classifier, name, sample) for name in OTHERS),
        sample=len(sample),
        suite=tuple(_corrupted(classifier, name, sample, truth) for name in CORRUPTIONS),
        curves=tuple(_curve(classifier, name, sample, truth) for name in CHANGES),
        seconds=_frame_seconds(timed, sample),
        size=size,
        origin={key: _decoded(text) for key, text in origin.items()},
    )


def _estimate(statistic: Callable[..., float], *arrays: npt.NDArray[Any]) -> Estimate:
    return statistic(*arrays), *bootstrap_interval(statistic, *arrays)


def _other(classifier: Classifier, name: str, frames: Frames) -> Other:
    made = OTHERS[name](frames)
    probabilities, digitness = classifier.judge(made)
    sure = confidence(probabilities.max(axis=1), digitness)
    return Other(name, made[:EXAMPLES], np.asarray(sure, np.float64))


def _accuracy(classifier: Classifier, frames: Frames, labels: npt.NDArray[np.uint8]) -> Estimate:
    right = int((classifier.predict(frames) == labels).sum())
    return right / len(labels), *wilson_interval(right, len(labels))


def _corrupted(classifier: Classifier, name: str, frames: Frames, labels: npt.NDArray[np.uint8]) -> Corrupted:
    changed = corrupt(name, frames)
    return Corrupted(name, changed[:EXAMPLES], _accuracy(classifier, changed, labels))


def _curve(classifier: Classifier, name: str, frames: Frames, labels: npt.NDArray[np.uint8]) -> Curve:
    change, amounts, unit = CHANGES[name]
    return Curve(
        name, unit, amounts, tuple(_accuracy(classifier, change(frames, amount), labels) for amount in amounts)
    )


def _frame_seconds(classifier: Classifier, frames: Frames) -> float:
    """The median time of a call with one frame, once warm."""
    seconds = []
    for call in range(WARM_UP + TIMED):
        frame = frames[call % len(frames)][None]
        start = time.perf_counter()
        classifier.predict_proba(frame)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds[WARM_UP:]))


def _decoded(text: str) -> Any:
    """What was written as JSON, decoded; everything else as it is."""
    try:
        return json.loads(text) if text.startswith(("{", "[")) else text
    except json.JSONDecodeError:
        return text
