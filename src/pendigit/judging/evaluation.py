"""A classifier against a labelled set."""

from __future__ import annotations

import numpy.typing as npt

from pendigit.classifier import Classifier, Probabilities
from pendigit.errors import DataError
from pendigit.judging.metrics import confusion_matrix, negative_log_likelihood, precision_recall, wilson_interval
from pendigit.results import Evaluation


def evaluate_frames(classifier: Classifier, frames: npt.ArrayLike, labels: npt.ArrayLike, data: str) -> Evaluation:
    """Frames (n, 28, 28) uint8 and labels (n,) -> the classifier's scores on them. Raises DataError."""
    return score(classifier.predict_proba(frames), labels, classifier.name, data)


def score(probabilities: Probabilities, labels: npt.ArrayLike, model: str, data: str) -> Evaluation:
    """Probabilities (n, 10) and labels (n,) -> scores. Raises DataError when there is nothing to score."""
    count = len(probabilities)
    if count == 0:
        raise DataError(f"{data} is empty", "at least one labelled frame", "choose another part or set")
    confusion = confusion_matrix(labels, probabilities.argmax(axis=1))
    correct = int(confusion.trace())
    precision, recall = precision_recall(confusion)
    return Evaluation(
        model=model,
        data=data,
        count=count,
        correct=correct,
        accuracy=correct / count,
        interval=wilson_interval(correct, count),
        loss=negative_log_likelihood(labels, probabilities),
        precision=tuple(precision),
        recall=tuple(recall),
        confusion=tuple(tuple(int(cell) for cell in row) for row in confusion),
    )
