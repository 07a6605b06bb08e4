"""Pictures -> digits: of one digit each by framing, of pages stage by stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from pendigit.classifier import BATCH, DIGITS, Classifier, Frames, OnnxClassifier, Probabilities
from pendigit.errors import ImageError
from pendigit.frame import to_frame
from pendigit.models import find_model
from pendigit.reading.forms import read_form
from pendigit.reading.images import Source, load_image
from pendigit.reading.networks import Networks, load_row_network
from pendigit.reading.rules import Rules, page_rules
from pendigit.reading.stages import Region, read_stages
from pendigit.reading.template import Template, load_template
from pendigit.results import Form, Reading
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

    def read(
        self,
        image: Source,
        region: Region | None = None,
        keep: str = "",
        drawn: bool = False,
        *,
        digits: int | tuple[int, int] | None = None,
        rows: int | None = None,
        pattern: str | None = None,
        check: str | None = None,
        between: tuple[int, int] | None = None,
        sum_of: Sequence[int] | None = None,
    ) -> Reading:
        """The numbers on a photo or scan: rows from top to bottom, digits from left to right.

        With rules, each row is the most probable number that obeys them; its `ruled` says what it is without, and a
        row in which no number obeys has no digits.

        Args:
            image: A path, bytes, a Pillow image or an array, see `load_image`.
            region: Read this part alone: left, top, width, height in pixels of the upright picture.
            keep: Separators to report with the digits, any of ".,-"; rows read by rules have a pattern's instead.
            drawn: It was drawn on a screen, on an even ground: no sheet, light or lines are looked for, and it is read
                in a tenth of the time.
            digits: How many digits each number has, or the least and the most.
            rows: How many rows there are.
            pattern: The numbers' form, such as "####-##": # is any digit, other characters are not read.
            check: A check digit's name in python-stdnum, such as "luhn", "isbn" or "nl.bsn".
            between: The least and the greatest whole number that each may be.
            sum_of: The rows, counted from 1, whose sum the last one is; () for all above it.

        Raises:
            ImageError: The picture cannot be read, the region lies outside it, or there are fewer rows.
            UsageError: Other separators are asked for, or rules that are malformed or that no number can obey.
        """
        picture = load_image(image)
        rules = page_rules(Rules(digits, pattern, check, between), rows, sum_of)
        return read_stages(picture, self.networks, region, keep, drawn, rules).reading

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
