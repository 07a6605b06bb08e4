"""Who hears how a training goes."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from pendigit.extras import load
from pendigit.learning.checkpoint import EpochRecord
from pendigit.learning.training import Progress


class Reporter(Protocol):
    """Hears how a training goes."""

    def progress(self, epoch: int, epochs: int, count: int, progress: Progress) -> None:
        """A block of epoch `epoch` (from 0) of `epochs` is done; an epoch has `count` frames."""

    def epoch(self, record: EpochRecord, epochs: int) -> None:
        """An epoch is done."""


class EventFile:
    """Writes TensorBoard event files into `folder`; needs the extra [tensorboard]."""

    def __init__(self, folder: Path) -> None:
        self._writer = load("tensorboard", "tensorboardX").SummaryWriter(str(folder))

    def progress(self, epoch: int, epochs: int, count: int, progress: Progress) -> None:
        """Write nothing between epochs."""

    def epoch(self, record: EpochRecord, epochs: int) -> None:
        """Add one epoch's losses and accuracies."""
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            value = getattr(record, name)
            if value is not None:
                self._writer.add_scalar(name, value, record.epoch)
        self._writer.flush()

    def close(self) -> None:
        """Wait until everything is written."""
        self._writer.close()
