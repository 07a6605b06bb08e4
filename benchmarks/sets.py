"""Sets of single digits that are not MNIST, as the benchmarks read them.

A folder holds `.npz` sets: `images` (n, H, W), or `pixels`, `shapes` and `offsets` of pictures of many sizes; `labels`;
and perhaps `writers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pendigit.errors import ImageError
from pendigit.reading.reader import Reader

Images = list[NDArray[np.uint8]]
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Singles:
    """Pictures of one sign each, what they show, and whose hand wrote each where that is known."""

    images: Images
    labels: NDArray[Any]
    writers: NDArray[Any] | None

    @property
    def are_digits(self) -> bool:
        """Whether the labels are numbers; letters and the like must not be read with confidence."""
        return self.labels.dtype.kind in "iu"


def load_sets(folder: Path) -> dict[str, Singles]:
    """Name -> set of every `.npz` file in a folder and its folders that holds single signs."""
    paths = sorted({*folder.glob("*.npz"), *folder.glob("*/*.npz")}, key=lambda path: path.name)
    return {path.stem: found for path in paths if is_single((found := load_set(path)).labels)}


def load_set(path: Path) -> Singles:
    """One set."""
    with np.load(path) as file:
        writers = file.get("writers")
        if "images" in file:
            return Singles(list(file["images"]), file["labels"], writers)
        pixels, shapes, offsets = file["pixels"], file["shapes"], file["offsets"]
        parts = zip(offsets[:-1], offsets[1:], shapes, strict=True)
        images = [pixels[start:stop].reshape(shape) for start, stop, shape in parts]
        return Singles(images, file["labels"], writers)


def is_single(labels: NDArray[Any]) -> bool:
    """Whether a set holds one digit, or one other sign, in each picture."""
    if labels.dtype.kind == "U":
        return all(len(label) == 1 and not label.isdigit() for label in labels)
    return labels.dtype.kind in "iu" and labels.min() >= 0 and labels.max() <= 9


def probabilities(reader: Reader, images: Images) -> NDArray[np.float32]:
    """Probabilities (n, 10); a row of zeros where no ink was found."""
    try:
        return reader.predict_proba(images)
    except ImageError:
        rows = []
        for image in images:
            try:
                rows.append(reader.predict_proba([image])[0])
            except ImageError:
                rows.append(np.zeros(10, np.float32))
        return np.stack(rows)
