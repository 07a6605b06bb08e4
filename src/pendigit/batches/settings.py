"""What engines and workers are told, and what passes between them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pendigit.batches.record import Record
from pendigit.errors import ModelError
from pendigit.models import find_model

if TYPE_CHECKING:
    from pendigit.reading.stages import Region

Item: TypeAlias = tuple[str, "str | None"]  # an image's path, and its digest when it was read before
Answer: TypeAlias = "Record | str"  # what was read, or the path of an image whose digest is the same


@dataclass(frozen=True)
class Settings:
    """How images are read.

    Attributes:
        model: The model file.
        digest: Its SHA-256.
        region: Read this part alone.
        keep: Separators to report.
        drawn: The images were drawn on a screen, not photographed.
        max_error: The limit on the error: digits that are not sure enough for it become "?".
    """

    model: Path
    digest: str
    region: Region | None = None
    keep: str = ""
    drawn: bool = False
    max_error: float | None = None

    @classmethod
    def of(
        cls,
        model: str | Path | None = None,
        region: Region | None = None,
        keep: str = "",
        drawn: bool = False,
        max_error: float | None = None,
    ) -> Settings:
        """Settings with a model's name, file or run folder. Raises UsageError, ModelError."""
        path = find_model(model)
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise ModelError(
                f"no model can be read at {path} ({error.strerror})", "an .onnx file", "check the path"
            ) from error
        return cls(path, digest, region, "".join(sorted(set(keep))), drawn, max_error)

    @property
    def identity(self) -> str:
        """What made a record: the model, and the settings that are not the usual ones."""
        unusual = {
            "region": ",".join(map(str, self.region or ())),
            "keep": self.keep,
            "drawn": "yes" if self.drawn else "",
            "max_error": f"{self.max_error:g}" if self.max_error else "",
        }
        return " ".join([self.digest, *(f"{name}={value}" for name, value in unusual.items() if value)])


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
