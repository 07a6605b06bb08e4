"""A training from options to a run folder that holds everything worth keeping."""

from __future__ import annotations

import platform
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from threading import Thread
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from pendigit.classifier import NO_DIGIT, Frames
from pendigit.datasets import load_dataset
from pendigit.datasets.dataset import Dataset, Pixels
from pendigit.datasets.split import split
from pendigit.learning.augment import policy
from pendigit.learning.checkpoint import EpochRecord
from pendigit.learning.epochs import Epochs
from pendigit.learning.export import knows_digitness
from pendigit.learning.folders import BEST, CHECKPOINT, claim
from pendigit.learning.interrupts import graceful_interrupt
from pendigit.learning.keras_classifier import load_teacher
from pendigit.learning.networks import build
from pendigit.learning.objective import make_loss
from pendigit.learning.optimizers import make_optimizer
from pendigit.learning.reporting import EventFile, Reporter
from pendigit.learning.stock import StockEngine
from pendigit.learning.training import CompiledEngine, Engine, Task
from pendigit.recipes import TrainingOptions
from pendigit.results import Digit, Evaluation


@dataclass(frozen=True)
class Run:
    """A training that has ended.

    Attributes:
        folder: The run folder.
        evaluation: Scores on the test part (on the validation or training part where the data has no test part).
        example: What was read in the first frame of that part.
        frame: That frame, (28, 28) uint8.
        history: One record for each finished epoch.
        interrupted: Whether it was stopped before its last epoch was done.
    """

    folder: Path
    evaluation: Evaluation
    example: Digit
    frame: Pixels
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
    training, validation = split(dataset, options.validation)
    if not knows_digitness(model):  # what is no digit can teach it nothing
        training = training[dataset.y_train[training] != NO_DIGIT]
    whole = len(training) == len(dataset.y_train)  # then the frames are taken as they are, without a copy
    task = _task(
        options,
        model,
        dataset.x_train if whole else dataset.x_train[training],
        dataset.y_train if whole else dataset.y_train[training],
    )
    engine: Engine = StockEngine(task) if options.engine == "stock" else CompiledEngine(task)
    config = _config(options, dataset)
    claim(folder, config, resume)
    # Figures and export are imported while XLA compiles and trains.
    Thread(target=__import__, args=("pendigit.learning.artifacts",), daemon=True).start()

    events = EventFile(folder) if tensorboard else None
    judged = validation[dataset.y_train[validation] != NO_DIGIT]
    epochs = Epochs(
        engine,
        options,
        folder,
        len(training),
        (dataset.x_train[judged], dataset.y_train[judged]),
        [each for each in (reporter, events) if each],
    )
    if resume:
        epochs.resume()
    with graceful_interrupt() as stop, closing(events) if events else nullcontext():
        interrupted = epochs.run(stop)
    if not epochs.history:  # stopped in the first epoch: resuming begins with it again
        epochs.save()
    if not interrupted:
        epochs.keep()
    history = epochs.history
    evaluation, example, frame = _finish(engine.settle(), folder, dataset, validation, history, config)
    if not interrupted:
        for name in (BEST, CHECKPOINT):
            (folder / name).unlink(missing_ok=True)
    return Run(folder, evaluation, example, frame, tuple(history), interrupted)


def _task(options: TrainingOptions, model: keras.Model, frames: Frames, labels: npt.NDArray[np.uint8]) -> Task:
    return Task(
        model,
        make_optimizer(options, len(frames)),
        make_loss(options, model),
        frames,
        labels,
        options.batch_size,
        options.seed,
        options.micro_batch,
        options.parts,
        None if options.augment == "none" else policy(options.augment),
        load_teacher(options.teacher) if options.teacher else None,
    )


def _finish(
    model: keras.Model,
    folder: Path,
    dataset: Dataset,
    validation: Any,
    history: list[EpochRecord],
    config: dict[str, Any],
) -> tuple[Evaluation, Digit, Pixels]:
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
    evaluation, example = publish_scores(folder, f"{dataset.name}:{part}", frames, labels)
    return evaluation, example, frames[0]


def _config(options: TrainingOptions, dataset: Dataset) -> dict[str, Any]:
    packages = ("pendigit", "keras", "jax", "jaxlib", "numpy", "onnx", "onnxruntime")
    versions = {"python": platform.python_version()} | {name: version(name) for name in packages}
    return {"options": options.to_dict(), "data_digest": dataset.digest, "versions": versions}
