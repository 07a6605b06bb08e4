"""Pictures -> digits: of one digit each by framing, of pages stage by stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from pendigit.classifier import BATCH, DIGITS, Classifier, Frames, OnnxClassifier, Probabilities
from pendigit.errors import ImageError
from pendigit.frame import to_frame
from pendigit.models import find_model
from pendigit.reading.images import Source, load_image
from pendigit.reading.networks import Networks, load_row_network
from pendigit.reading.stages import Region, read_stages
from pendigit.results import Reading
from pendigit.rownet import RowNetwork

Sources: TypeAlias = "Source | Iterable[Source]"


class Reader:
    """Reads photos and scans of writing (`read`), and pictures of one digit each (`predict`).

    Pictures have any size, colour, polarity or format: paths, bytes, Pillow images or arrays (H, W), (H, W, 3),
    (H, W, 4), see `load_image`. `predict` takes one of them, a list, any iterable, or an array (n, H, W); MNIST frames
    are passed to the network as they are, see `is_frame`, and everything else is framed first.

    Args:
        classifier: What reads the frames.
        rows: What reads whole rows; without it, every row is cut into digits.
    """

    def __init__(self, classifier: Classifier, rows: RowNetwork | None = None) -> None:
        self.classifier, self.networks = classifier, Networks(classifier, rows)

    def predict(self, images: Sources) -> npt.NDArray[np.int64]:
        """Pictures -> the most probable digits (n,). Raises ImageError naming the first that cannot be read."""
        return np.asarray(self.predict_proba(images).argmax(axis=1), np.int64)

    def predict_proba(self, images: Sources) -> Probabilities:
        """Pictures -> probabilities (n, 10) float32. Raises ImageError naming the first that cannot be read."""
        frames = enumerate(_each(images))
        parts = [np.empty((0, DIGITS), np.float32)]
        while batch := [_framed(index, image) for index, image in islice(frames, BATCH)]:
            parts.append(self.classifier.predict_proba(np.stack(batch)))
        return np.concatenate(parts)

    def read(self, image: Source, region: Region | None = None, keep: str = "", drawn: bool = False) -> Reading:
        """The numbers on a photo or scan: rows from top to bottom, digits from left to right.

        Args:
            image: A path, bytes, a Pillow image or an array, see `load_image`.
            region: Read this part alone: left, top, width, height in pixels of the upright picture.
            keep: Separators to report with the digits, any of ".,-".
            drawn: It was drawn on a screen, on an even ground: no sheet, light or lines are looked for, and it is read
                in a tenth of the time.

        Raises:
            ImageError: The picture cannot be read, or the region lies outside it.
            UsageError: Other separators are asked for.
        """
        return read_stages(load_image(image), self.networks, region, keep, drawn).reading

    def frames(self, images: Sources) -> Frames:
        """Pictures -> the frames (n, 28, 28) uint8 that the network sees. Raises ImageError."""
        frames = [_framed(index, image) for index, image in enumerate(_each(images))]
        return np.stack(frames) if frames else np.empty((0, 28, 28), np.uint8)


def load_reader(model: str | Path | None = None, threads: int = 1) -> Reader:
    """A reader with a shipped model's name, a model file or a run folder; None takes the default model.

    Args:
        model: Which model reads.
        threads: Threads of the network for one call; 0 takes all cores.

    Raises:
        UsageError: No model has this name.
        ModelError: The file is no usable model.
    """
    return Reader(OnnxClassifier(find_model(model), threads=threads), load_row_network(threads))


def _each(images: Sources) -> Iterator[Source]:
    """One picture, or many -> each."""
    if isinstance(images, np.ndarray):
        one = images.ndim == 2 or (images.ndim == 3 and images.shape[2] in {1, 3, 4})
        return iter([images] if one else images)
    if isinstance(images, Iterable) and not isinstance(images, (str, bytes)):
        return iter(images)
    return iter([cast(Any, images)])


def _framed(index: int, image: Source) -> Frames:
    try:
        return to_frame(load_image(image))
    except ImageError as error:
        raise ImageError(f"image {index}: {error.seen}", error.expected, error.do) from error
