"""What is done with a page: read it, or cut a digit out of it. Both are tasks for a process of their own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pendigit.reading.images import load_page
from pendigit.reading.reader import Reader, load_reader
from pendigit.reading.stages import Region, read_stages
from pendigit.serving.corrections import Box
from pendigit.serving.details import with_details
from pendigit.serving.export import training_crop


@dataclass(frozen=True)
class ReadPage:
    """Read one page.

    Attributes:
        file: A picture's or a document's bytes.
        model: The model's file.
        page: Which of a document's pages, from 1.
        region: Left, top, width, height in pixels of the upright picture; None for all of it.
        keep: Separators that are reported, any of ".,-".
        drawn: It was drawn on a screen, not photographed.
        max_error: A limit on the error: digits that are not sure enough for it become "?".
        details: Also what a page that shows the reading needs, see `with_details`.
    """

    file: bytes
    model: Path
    page: int = 1
    region: Region | None = None
    keep: str = ""
    drawn: bool = False
    max_error: float | None = None
    details: bool = False

    def __call__(self) -> dict[str, Any]:
        """The reading, as JSON knows it. Raises PendigitError."""
        reader = _reader(self.model)
        limit = None if self.max_error is None else reader.limit(self.max_error)
        picture, pages = load_page(self.file, self.page)
        stages = read_stages(picture, reader.classifier, self.region, self.keep, self.drawn)
        reading = stages.reading if limit is None else stages.reading.within(limit)
        answer = with_details(stages, reading) if self.details else reading.to_dict()
        return answer | {"page": self.page, "pages": pages}


@dataclass(frozen=True)
class CutDigit:
    """Cut one digit out of a page, to be trained on; see `training_crop`."""

    file: bytes
    page: int = 1
    box: Box | None = None

    def __call__(self) -> bytes:
        """The digit's picture, a PNG. Raises ImageError."""
        picture, _ = load_page(self.file, self.page)
        return training_crop(picture, self.box)


@dataclass(frozen=True)
class LoadModel:
    """Load a model and read a page of nothing with it, so that the first page waits for neither."""

    model: Path

    def __call__(self) -> None:
        """Nothing is answered."""
        _reader(self.model).read(np.full((64, 64), 255, np.uint8))


@cache
def _reader(model: Path) -> Reader:
    return load_reader(model)
