"""The state of a training after its last finished epoch, in one file that is whole or not there."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pendigit.errors import DataError
from pendigit.files import publish
from pendigit.learning.training import Arrays


@dataclass(frozen=True)
class EpochRecord:
    """One row of history.csv. Losses in nats; accuracies as shares; validation is None where none was asked for."""

    epoch: int
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    seconds: float


def save_checkpoint(path: Path, state: Arrays, history: list[EpochRecord]) -> None:
    """Publish the engine's state and the history of the finished epochs. Raises OutputError."""
    text = np.frombuffer(json.dumps([asdict(record) for record in history]).encode(), np.uint8)
    with publish(path) as draft, draft.open("wb") as file:
        np.savez(file, allow_pickle=False, history=text, **state)


def load_checkpoint(path: Path) -> tuple[Arrays, list[EpochRecord]]:
    """What `save_checkpoint` wrote. Raises DataError for a file that is not one."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        history = [EpochRecord(**row) for row in json.loads(arrays.pop("history").tobytes())]
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} cannot be read ({error})", "a checkpoint of pendigit train", "train again without --resume"
        ) from error
    return arrays, history
