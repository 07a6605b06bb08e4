"""What every labelled set must be, whatever it was read from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pendigit.datasets.dataset import Dataset, Pixels
from pendigit.errors import DataError, PendigitError

Part: TypeAlias = tuple[npt.NDArray[Any], npt.NDArray[Any]]  # frames and labels as decoded, not yet checked

SIDE = 28  # pixels: height and width of MNIST's frame
DIGITS = 10
MAX_FRAMES = 1_000_000  # EMNIST, the largest of MNIST's kin, has 814,255; more would not fit a laptop as float32
NO_FRAMES: Part = (np.empty((0, SIDE, SIDE), np.uint8), np.empty(0, np.uint8))


@contextmanager
def decoding(source: str, expected: str) -> Iterator[None]:
    """Turn whatever a library raises over damaged bytes into one `DataError` that names `source`.

    zipfile, zlib, tokenize, pickle, NumPy and Pillow raise a dozen unrelated exceptions there, so all are taken:
    keep nothing but the library's own call in the block.
    """
    try:
        yield
    except PendigitError:
        raise
    except Exception as error:
        reason = " ".join((getattr(error, "strerror", None) or str(error) or type(error).__name__).split())[:160]
        raise DataError(f"{source} cannot be read ({reason})", expected, "get or write the file again") from error


def check_dataset(name: str, train: Part, test: Part = NO_FRAMES, classes: int = DIGITS) -> Dataset:
    """Make a `Dataset` of decoded arrays.

    Args:
        name: What messages call the set: its name or path.
        train: Frames uint8 (n, 28, 28) and labels (n,) of any integer dtype, from 0, n at least 1.
        test: The same; may be empty.
        classes: Labels there may be: ten digits, or one more for what is no digit.

    Raises:
        DataError: A wrong shape, dtype or label, lengths that differ, or an empty training part.
    """
    x_train, y_train = _check_part(f"{name}: the train part", *train, classes)
    x_test, y_test = _check_part(f"{name}: the test part", *test, classes)
    if len(x_train) == 0:
        raise DataError(f"{name}: no training digits", "at least one labelled digit", "choose a set that is not empty")
    return Dataset(name, x_train, y_train, x_test, y_test)


def _check_part(part: str, frames: npt.NDArray[Any], labels: npt.NDArray[Any], classes: int) -> tuple[Pixels, Pixels]:
    if frames.dtype != np.uint8:
        raise DataError(
            f"{part} has pixels of dtype {frames.dtype}{_extent(frames)}",
            "uint8, 0 to 255, ink bright on black",
            "store the pixels as uint8 (values from 0 to 1: multiply by 255 and round)",
        )
    if frames.ndim != 3 or frames.shape[1:] != (SIDE, SIDE):
        raise DataError(
            f"{part} has frames of shape {frames.shape}", "(n, 28, 28)", "reshape or rescale the frames to 28x28"
        )
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"{part} has labels of shape {labels.shape} and dtype {labels.dtype}",
            "whole numbers (n,)",
            "store one digit for each frame (one-hot rows: take their argmax)",
        )
    if len(frames) != len(labels):
        raise DataError(
            f"{part} has {len(frames)} frames and {len(labels)} labels", "as many labels as frames", "pair them again"
        )
    if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        raise DataError(
            f"{part} has labels from {labels.min()} to {labels.max()}",
            f"labels from 0 to {classes - 1}",
            "drop or renumber the other classes",
        )
    return np.ascontiguousarray(frames), np.ascontiguousarray(labels, dtype=np.uint8)


def _extent(values: npt.NDArray[Any]) -> str:
    """` from 0.0 to 1.0`, for numbers that have a least and a greatest."""
    return f" from {values.min()} to {values.max()}" if values.size and values.dtype.kind in "iufb" else ""
