"""Pictures -> digits: of one digit each by framing, of pages stage by stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias, cast, overload

import numpy as np
import numpy.typing as npt

from pendigit.classifier import BATCH, DIGITS, SIDE, Classifier, Frames, OnnxClassifier, Probabilities
from pendigit.doubt import Threshold
from pendigit.errors import ImageError
from pendigit.frame import to_frame, to_frames
from pendigit.models import find_model
from pendigit.reading.forms import read_form
from pendigit.reading.images import Pixels, Source, load_image
from pendigit.reading.networks import Networks, load_row_network
from pendigit.reading.options import ReadOptions
from pendigit.reading.photo import Photo
from pendigit.reading.stages import limit_of, read_stages
from pendigit.reading.template import Template, load_template
from pendigit.results import Digit, Form, Reading
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

    def read(self, image: Source | Photo, options: ReadOptions | None = None, **given: Any) -> Reading:
        """The numbers on a photo or scan: rows from top to bottom, digits from left to right.

        With rules, each row is the most probable number that obeys them; its `ruled` says what it is without, and a
        row in which no number obeys has no digits.

        Args:
            image: A path, bytes, a Pillow image or an array, see `load_image`; or a `Photo`.
            options: How it is read, in place of what follows.
            **given: Any field of `pendigit.reading.options.ReadOptions`: region, keep, drawn, max_error, digits, rows,
                pattern, check, between, sum_of.

        Raises:
            ImageError: The picture cannot be read, the region lies outside it, or there are fewer rows than asked for.
            UsageError: Options that are malformed or that no number can obey, or a limit on the error stricter than
                the model allows.
            ModelError: A limit is asked for, and the model is not calibrated.
        """
        return read_stages(image, self.networks, options or ReadOptions(**given)).reading

    def read_form(self, image: Source, template: Template | str | Path) -> Form:
        """The numbers in a filled form, whose scan may be shifted, scaled or turned.

        Args:
            image: A path, bytes, a Pillow image or an array, see `load_image`.
            template: The form's template or its YAML file, see `pendigit.reading.template`.

        Raises:
            ImageError: The picture cannot be read, shows another form, or not all of its fields.
            UsageError: The template cannot be used.
        """
        form = template if isinstance(template, Template) else load_template(template)
        return read_form(form, load_image(image), self.networks)

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


def digits_of(classifier: Classifier, frames: Frames, limit: Threshold | None = None) -> list[Digit]:
    """Frames (n, 28, 28) uint8 -> all about the digit of each."""
    probabilities, digitness = classifier.judge(frames)
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
