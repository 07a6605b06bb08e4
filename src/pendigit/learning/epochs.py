"""The epochs of a run: train, judge, write down, and stop when it is time."""

from __future__ import annotations

import csv
import io
import time
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import numpy.typing as npt

from pendigit.classifier import Frames
from pendigit.errors import DataError
from pendigit.files import publish_text
from pendigit.judging.evaluation import score
from pendigit.learning.checkpoint import EpochRecord, load_checkpoint, save_checkpoint
from pendigit.learning.export import keras_probabilities
from pendigit.learning.folders import BEST, CHECKPOINT
from pendigit.learning.reporting import Reporter
from pendigit.learning.training import Arrays, Engine
from pendigit.recipes import TrainingOptions


@dataclass
class Epochs:
    """The epochs of one run.

    Attributes:
        engine: What trains.
        options: How many epochs, and when to stop before.
        folder: Where checkpoints and the history go.
        count: Frames in an epoch.
        held_out: Validation frames (n, 28, 28) and labels (n,); n may be 0.
        reporters: Who hears of it.
        history: A record of each finished epoch.
    """

    engine: Engine
    options: TrainingOptions
    folder: Path
    count: int
    held_out: tuple[Frames, npt.NDArray[np.uint8]]
    reporters: list[Reporter]
    history: list[EpochRecord] = field(default_factory=list)

    def resume(self) -> None:
        """Go on after the last epoch that the folder's checkpoint holds, if there is one. Raises DataError."""
        path = self.folder / CHECKPOINT
        if path.exists():
            state, self.history = load_checkpoint(path)
            if not self.history:
                return
            if _shapes(state) != _shapes(self.engine.state()):  # such as after a change of the user's own file
                raise DataError(
                    f"{path} is of another network", "the network that the run was begun with", "begin a new run"
                )
            self.engine.restore(state)

    def run(self, stop: Event) -> bool:
        """Train the epochs that are left; True if `stop` was set before the last one was done."""
        while len(self.history) < self.options.epochs and not self._exhausted():
            if not self._epoch(stop):
                return True
        return False

    def keep(self) -> None:
        """Take up what is to be kept: the best epoch's weights where that was asked for, else the last."""
        if self.options.keep_best and (self.folder / BEST).exists():
            self.engine.restore(load_checkpoint(self.folder / BEST)[0])

    def save(self) -> None:
        """Publish the checkpoint and the history. Raises OutputError."""
        save_checkpoint(self.folder / CHECKPOINT, self.engine.state() if self.history else {}, self.history)
        table = io.StringIO()
        writer = csv.DictWriter(table, [column.name for column in fields(EpochRecord)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(record) for record in self.history)
        publish_text(self.folder / "history.csv", table.getvalue())

    def _epoch(self, stop: Event) -> bool:
        """Train one epoch and write it down; False if `stop` was set before its end."""
        number, epochs = len(self.history), self.options.epochs
        began = time.perf_counter()
        for progress in self.engine.epoch(number):
            for reporter in self.reporters:
                reporter.progress(number, epochs, self.count, progress)
            if stop.is_set() and (progress.seen < self.count or number + 1 < epochs):
                break
        if progress.seen < self.count:
            return False
        val_loss, val_accuracy = self._validate()
        seconds = round(time.perf_counter() - began, 3)
        record = EpochRecord(number + 1, progress.loss, progress.accuracy, val_loss, val_accuracy, seconds)
        self.history.append(record)
        if self.options.keep_best and self._best() == number:
            save_checkpoint(self.folder / BEST, self.engine.state(), self.history)
        self.save()
        for reporter in self.reporters:
            reporter.epoch(record, epochs)
        return not stop.is_set() or number + 1 == epochs

    def _validate(self) -> tuple[float | None, float | None]:
        frames, labels = self.held_out
        if not len(frames):
            return None, None
        scores = score(keras_probabilities(self.engine.settle(), frames), labels, "", "validation")
        return scores.loss, scores.accuracy

    def _best(self) -> int:
        """The epoch (from 0) with the best validation accuracy so far, the first of equals."""
        found: list[Any] = [record.val_accuracy for record in self.history]
        return max(range(len(found)), key=found.__getitem__)

    def _exhausted(self) -> bool:
        """Whether no epoch in `patience` has been better than the best before."""
        patience = self.options.patience
        return bool(patience and self.history) and len(self.history) - 1 - self._best() >= patience


def _shapes(state: Arrays) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in state.items()}
