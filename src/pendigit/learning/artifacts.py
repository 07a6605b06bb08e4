"""What a run folder holds when the training is over: models, scores and pictures."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from pendigit.classifier import Frames, OnnxClassifier
from pendigit.files import publish, publish_text
from pendigit.judging import figures
from pendigit.judging.evaluation import score
from pendigit.judging.metrics import confident_mistakes
from pendigit.learning.checkpoint import EpochRecord
from pendigit.learning.export import ends_in_softmax, export_onnx
from pendigit.results import Digit, Evaluation


def publish_models(model: keras.Model, folder: Path, frames: Frames, metadata: dict[str, object]) -> None:
    """Publish model.keras, which stock Keras opens, and model.onnx, checked on `frames`.

    Raises ModelError, OutputError.
    """
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=not ends_in_softmax(model))
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])  # so that its own evaluate works when opened
    model.optimizer.build(model.trainable_variables)  # or Keras warns of missing variables when it opens the file
    with publish(folder / "model.keras") as draft:
        model.save(draft)
    export_onnx(model, folder / "model.onnx", frames, metadata)


def publish_scores(folder: Path, part: str, frames: Frames, labels: npt.NDArray[np.uint8]) -> tuple[Evaluation, Digit]:
    """Evaluate model.onnx on the part of the data named `part`; publish scores and pictures.

    Returns the scores and what was read in the first frame.
    """
    classifier = OnnxClassifier(folder / "model.onnx", threads=0)
    probabilities = classifier.predict_proba(frames)
    evaluation = score(probabilities, labels, classifier.name, part)
    publish_text(folder / "evaluation.json", json.dumps(evaluation.to_dict(), indent=1) + "\n")
    figures.publish_figure(figures.draw_confusion(evaluation), folder / "confusion.png")
    worst = confident_mistakes(labels, probabilities)[: figures.MISTAKES_SHOWN]
    figures.publish_figure(
        figures.draw_mistakes(frames[worst], labels[worst], probabilities[worst]), folder / "mistakes.png"
    )
    figures.publish_figure(figures.draw_example(frames[0], probabilities[0].tolist()), folder / "example.png")
    return evaluation, Digit.of(probabilities[0])


def publish_curves(folder: Path, history: list[EpochRecord]) -> None:
    """Publish curves.png: loss and accuracy after each epoch."""
    figure = figures.draw_curves(
        [record.loss for record in history],
        [record.accuracy for record in history],
        [record.val_loss for record in history],
        [record.val_accuracy for record in history],
    )
    figures.publish_figure(figure, folder / "curves.png")
