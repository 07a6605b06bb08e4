"""A training from options to a run folder that holds everything worth keeping."""

from __future__ import annotations

import csv
import io
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from threading import Event, Thread
from typing import Any

import keras

from pendigit.datasets import load_dataset
from pendigit.datasets.dataset import Dataset
from pendigit.datasets.split import split
from pendigit.files import publish_text
from pendigit.judging.evaluation import score
from pendigit.learning.checkpoint import EpochRecord, load_checkpoint, save_checkpoint
from pendigit.learning.export import keras_probabilities
from pendigit.learning.folders import CHECKPOINT, claim
from pendigit.learning.interrupts import graceful_interrupt
from pendigit.learning.networks import build
from pendigit.learning.options import TrainingOptions
from pendigit.learning.reporting import EventFile, Reporter
from pendigit.learning.stock import StockEngine
from pendigit.learning.training import CompiledEngine, Engine
from pendigit.results import Digit, Evaluation


@dataclass(frozen=True)
class Run:
    """A training that has ended.

    Attributes:
        folder: The run folder.
        evaluation: Scores on the test part (on the validation or training part where the data has no test part).
        example: What was read in the first frame of that part.
        history: One record for each finished epoch.
        interrupted: Whether it was stopped before its last epoch was done.
    """

    folder: Path
    evaluation: Evaluation
    example: Digit
    history: tuple[EpochRecord, ...]
    interrupted: bool


def train(
    options: TrainingOptions,
    folder: Path,
    *,
    resume: bool = False,
    tensorboard: bool = False,
    reporter: Reporter | None = None,
) -> Run:
    """Train as `options` say and fill `folder`.

    Args:
        options: What to train, how long, on what.
        folder: The run folder; it must be new, or with `resume` one that was begun with the same options.
        resume: Go on after the last finished epoch. The end is the same as if nothing had been interrupted.
        tensorboard: Also write TensorBoard event files into the folder.
        reporter: Hears of every block and epoch.

    Ctrl-C ends the training after the current block and keeps what was learned so far; a second one ends it at once.

    Raises:
        PendigitError: Bad options, data or folder, or a loss that diverges.
    """
    with ThreadPoolExecutor(1) as aside:  # reading and digesting the data take no interpreter
        loading = aside.submit(load_dataset, options.data)
        model = build(options)
        dataset = loading.result()
    config = _config(options, dataset)
    claim(folder, config, resume)
    # Figures and export are imported while XLA compiles and trains.
    Thread(target=__import__, args=("pendigit.learning.artifacts",), daemon=True).start()

    reporters = [each for each in (reporter, EventFile(folder) if tensorboard else None) if each]
    training, validation = split(dataset, options.validation)
    engine = _engine(model, options, dataset, training)
    history: list[EpochRecord] = []
    if resume and (folder / CHECKPOINT).exists():
        state, history = load_checkpoint(folder / CHECKPOINT)
        if history:
            engine.restore(state)
    with graceful_interrupt() as stop:
        interrupted = _epochs(engine, options, dataset, validation, folder, history, reporters, stop)
    if not history:  # stopped in the first epoch: resuming begins with it again
        save_checkpoint(folder / CHECKPOINT, {}, history)
        _publish_history(folder, history)
    evaluation, example = _finish(engine.settle(), folder, dataset, validation, history, config)
    if not interrupted:
        (folder / CHECKPOINT).unlink(missing_ok=True)
    return Run(folder, evaluation, example, tuple(history), interrupted)


def _epochs(
    engine: Engine,
    options: TrainingOptions,
    dataset: Dataset,
    validation: Any,
    folder: Path,
    history: list[EpochRecord],
    reporters: list[Reporter],
    stop: Event,
) -> bool:
    """Train the epochs that are left, adding to `history`; True if stopped before the end."""
    count = len(dataset.x_train) - len(validation)
    for epoch in range(len(history), options.epochs):
        began = time.perf_counter()
        for progress in engine.epoch(epoch):
            for reporter in reporters:
                reporter.progress(epoch, options.epochs, count, progress)
            if stop.is_set() and progress.seen < count:
                return True
        val_loss, val_accuracy = _validate(engine, dataset, validation)
        seconds = round(time.perf_counter() - began, 3)
        record = EpochRecord(epoch + 1, progress.loss, progress.accuracy, val_loss, val_accuracy, seconds)
        history.append(record)
        save_checkpoint(folder / CHECKPOINT, engine.state(), history)
        _publish_history(folder, history)
        for reporter in reporters:
            reporter.epoch(record, options.epochs)
        if stop.is_set():
            return epoch + 1 < options.epochs
    return False


def _validate(engine: Engine, dataset: Dataset, validation: Any) -> tuple[float | None, float | None]:
    if not len(validation):
        return None, None
    probabilities = keras_probabilities(engine.settle(), dataset.x_train[validation])
    scores = score(probabilities, dataset.y_train[validation], engine.model.name, "validation")
    return scores.loss, scores.accuracy


def _engine(model: keras.Model, options: TrainingOptions, dataset: Dataset, training: Any) -> Engine:
    kind = StockEngine if options.engine == "stock" else CompiledEngine
    everything = len(training) == len(dataset.x_train)
    return kind(
        model,
        keras.optimizers.Adam(options.lr),
        keras.losses.SparseCategoricalCrossentropy(from_logits=not options.softmax, reduction=None),
        dataset.x_train if everything else dataset.x_train[training],
        dataset.y_train if everything else dataset.y_train[training],
        options.batch_size,
        options.seed,
    )


def _finish(
    model: keras.Model,
    folder: Path,
    dataset: Dataset,
    validation: Any,
    history: list[EpochRecord],
    config: dict[str, Any],
) -> tuple[Evaluation, Digit]:
    from pendigit.learning.artifacts import publish_curves, publish_models, publish_scores

    if len(dataset.x_test):
        part, frames, labels = "test", dataset.x_test, dataset.y_test
    elif len(validation):
        part, frames, labels = "validation", dataset.x_train[validation], dataset.y_train[validation]
    else:
        part, frames, labels = "train", dataset.x_train, dataset.y_train
    metadata = {"labels": "0123456789", "recipe": config["options"], "data_digest": dataset.digest}
    publish_models(model, folder, dataset.x_train[:256], metadata | {"versions": config["versions"]})
    publish_curves(folder, history)
    return publish_scores(folder, f"{dataset.name}:{part}", frames, labels)


def _config(options: TrainingOptions, dataset: Dataset) -> dict[str, Any]:
    packages = ("pendigit", "keras", "jax", "jaxlib", "numpy", "onnx", "onnxruntime")
    versions = {"python": platform.python_version()} | {name: version(name) for name in packages}
    return {"options": options.to_dict(), "data_digest": dataset.digest, "versions": versions}


def _publish_history(folder: Path, history: list[EpochRecord]) -> None:
    table = io.StringIO()
    writer = csv.DictWriter(table, [field.name for field in fields(EpochRecord)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(record) for record in history)
    publish_text(folder / "history.csv", table.getvalue())
