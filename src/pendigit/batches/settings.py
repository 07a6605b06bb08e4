"""What engines and workers are told, and what passes between them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pendigit.batches.record import Record
from pendigit.errors import ModelError
from pendigit.models import ROWS, WEIGHTS, find_model
from pendigit.reading.options import ReadOptions

Item: TypeAlias = tuple[str, "str | None"]  # an image's path, and its digest when it was read before
USUAL = ReadOptions()
Answer: TypeAlias = "Record | str"  # what was read, or the path of an image whose digest is the same


@dataclass(frozen=True)
class Settings:
    """How images are read.

    Attributes:
        model: The model file.
        digest: Its SHA-256.
        rows: That of the row network that reads beside it.
        options: How a page is read.
    """

    model: Path
    digest: str
    rows: str
    options: ReadOptions = USUAL

    @classmethod
    def of(cls, model: str | Path | None = None, options: ReadOptions = USUAL) -> Settings:
        """Settings with a model's name, file or run folder. Raises UsageError, ModelError."""
        path = find_model(model)
        return cls(path, _digest(path), _digest(WEIGHTS / f"{ROWS}.onnx"), options)

    @property
    def identity(self) -> str:
        """What made a record: the models, and the options that are not the usual ones."""
        written = {"rows_network": self.rows[:12]} | self.options.written()
        return " ".join([self.digest, *(f"{name}={value}" for name, value in written.items())])


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(
            f"no model can be read at {path} ({error.strerror})", "an .onnx file", "check the path"
        ) from error


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
