"""Pictures -> digits: of one digit each by framing, of pages stage by stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias, cast, overload

import numpy as np
import numpy.typing as npt

from pendigit.classifier import BATCH, DIGITS, SIDE, Classifier, Frames, OnnxClassifier, Probabilities
from pendigit.doubt import Threshold, threshold_for
from pendigit.errors import ImageError
from pendigit.frame import to_frame, to_frames
from pendigit.models import find_model
from pendigit.reading.images import Pixels, Source, load_image
from pendigit.reading.stages import Region, read_stages
from pendigit.results import Digit, Reading

Sources: TypeAlias = "Source | Iterable[Source]"


class Reader:
    """Reads photos and scans of writing (`read`), and pictures of one digit each (`predict`).

    Pictures have any size, colour, polarity or format: paths, bytes, Pillow images or arrays (H, W), (H, W, 3),
    (H, W, 4), see `load_image`. `predict` takes one of them, a list, any iterable, or an array (n, H, W); MNIST frames
    are passed to the network as they are, see `is_frame`, and everything else is framed first.

    Args:
        classifier: What reads the frames.
    """

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier

    @overload
    def predict(self, images: Sources, max_error: None = None) -> npt.NDArray[np.int64]: ...
    @overload
    def predict(self, images: Sources, max_error: float) -> npt.NDArray[np.str_]: ...
    def predict(self, images: Sources, max_error: float | None = None) -> npt.NDArray[np.int64] | npt.NDArray[np.str_]:
        """Pictures -> the most probable digits (n,).

        Args:
            images: See above.
            max_error: A limit on the error, such as 0.01. The answers are then strings, "?" where the digit is not sure
                enough for it, or nothing is on the picture; docs/doubt.md says what is promised.

        Raises:
            ImageError: A picture cannot be read (names the first), or is blank and has to be a digit.
            UsageError: A limit outside (0, 1), or stricter than the model's calibration allows.
            ModelError: The model is not calibrated.
        """
        if max_error is None:
            return np.asarray(self.predict_proba(images).argmax(axis=1), np.int64)
        return np.array([digit.text for digit in self.digits(images, max_error)], np.str_)

    def digits(self, images: Sources, max_error: float | None = None) -> list[Digit]:
        """Pictures -> all about the digit of each: probabilities, digitness, and whether and why it is rejected.

        Arguments and errors are those of `predict`.
        """
        if max_error is None:
            return digits_of(self.classifier, self.frames(images))
        limit = self.limit(max_error)
        framed = [to_frames([_loaded(index, image)]) for index, image in enumerate(_each(images))]
        frames = np.concatenate([np.empty((0, SIDE, SIDE), np.uint8), *(frame for frame, _ in framed)])
        digits = digits_of(self.classifier, frames, limit)
        blank = Digit.of([1 / DIGITS] * DIGITS, 0.0).within(limit)
        return [digit if ink else blank for digit, (_, ink) in zip(digits, framed, strict=True)]

    def limit(self, max_error: float) -> Threshold:
        """What the model promises for a limit on the error. Raises UsageError, ModelError."""
        return limit_of(self.classifier, max_error)

    def predict_proba(self, images: Sources) -> Probabilities:
        """Pictures -> probabilities (n, 10) float32. Raises ImageError naming the first that cannot be read."""
        frames = enumerate(_each(images))
        parts = [np.empty((0, DIGITS), np.float32)]
        while batch := [_framed(index, image) for index, image in islice(frames, BATCH)]:
            parts.append(self.classifier.predict_proba(np.stack(batch)))
        return np.concatenate(parts)

    def read(
        self,
        image: Source,
        region: Region | None = None,
        keep: str = "",
        drawn: bool = False,
        max_error: float | None = None,
    ) -> Reading:
        """The numbers on a photo or scan: rows from top to bottom, digits from left to right.

        Args:
            image: A path, bytes, a Pillow image or an array, see `load_image`.
            region: Read this part alone: left, top, width, height in pixels of the upright picture.
            keep: Separators to report with the digits, any of ".,-".
            drawn: It was drawn on a screen, on an even ground: no sheet, light or lines are looked for, and it is read
                in a tenth of the time.
            max_error: A limit on the error, such as 0.01: digits that are not sure enough for it become "?".

        Raises:
            ImageError: The picture cannot be read, or the region lies outside it.
            UsageError: Other separators are asked for, or a limit outside (0, 1) or stricter than the model allows.
            ModelError: A limit is asked for, and the model is not calibrated.
        """
        limit = None if max_error is None else self.limit(max_error)
        reading = read_stages(load_image(image), self.classifier, region, keep, drawn).reading
        return reading if limit is None else reading.within(limit)

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
    return Reader(OnnxClassifier(find_model(model), threads=threads))


def limit_of(classifier: Classifier, max_error: float) -> Threshold:
    """What a classifier promises for a limit on the error. Raises UsageError, ModelError."""
    return threshold_for(max_error, getattr(classifier, "metadata", {}), classifier.name)


def digits_of(classifier: Classifier, frames: Frames, limit: Threshold | None = None) -> list[Digit]:
    """Frames (n, 28, 28) uint8 -> all about the digit of each."""
    probabilities, digitness = classifier.predict_proba(frames), classifier.digitness(frames)
    surely = [None] * len(frames) if digitness is None else digitness.tolist()
    digits = [Digit.of(*pair) for pair in zip(probabilities, surely, strict=True)]
    return digits if limit is None else [digit.within(limit) for digit in digits]


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
        raise _named(index, error) from error


def _loaded(index: int, image: Source) -> Pixels:
    try:
        return load_image(image)
    except ImageError as error:
        raise _named(index, error) from error


def _named(index: int, error: ImageError) -> ImageError:
    return ImageError(f"image {index}: {error.seen}", error.expected, error.do)
