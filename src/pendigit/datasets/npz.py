"""NumPy archives with Keras's keys: x_train, y_train, x_test, y_test."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pendigit.datasets.checks import DIGITS, MAX_FRAMES, check_dataset, decoding
from pendigit.datasets.dataset import Dataset
from pendigit.errors import DataError

KEYS = ("x_train", "y_train", "x_test", "y_test")
_EXPECTED = "a NumPy archive (.npz) with x_train, y_train, x_test and y_test"
_MAX_BYTES = MAX_FRAMES * 784 * 8  # a million frames as float64, so that those can still be named in a message


def read_npz(path: Path, classes: int = DIGITS) -> Dataset:
    """Read an archive of uint8 frames (n, 28, 28) and labels (n,), 0 to classes - 1. Objects are refused. DataError."""
    with decoding(str(path), _EXPECTED):
        archive = zipfile.ZipFile(path)
    with archive:
        missing = [key for key in KEYS if f"{key}.npy" not in archive.namelist()]
        if missing:
            found = ", ".join(name.removesuffix(".npy") for name in archive.namelist()[:8]) or "nothing"
            raise DataError(f"{path} holds {found}", _EXPECTED, f"store {', '.join(missing)} too")
        x_train, y_train, x_test, y_test = (_array(archive, key, path) for key in KEYS)
    return check_dataset(str(path), (x_train, y_train), (x_test, y_test), classes)


def write_npz(dataset: Dataset, path: Path, *, compress: bool = False) -> None:
    """Write `dataset` with Keras's keys; uncompressed it loads four times faster and takes five times the space."""
    save = np.savez_compressed if compress else np.savez
    save(path, x_train=dataset.x_train, y_train=dataset.y_train, x_test=dataset.x_test, y_test=dataset.y_test)


def _array(archive: zipfile.ZipFile, key: str, path: Path) -> npt.NDArray[Any]:
    with decoding(f"{path}: {key}", "an array of whole numbers"), archive.open(f"{key}.npy") as stream:
        return _read_array(stream)


def _read_array(stream: Any) -> npt.NDArray[Any]:
    """What `numpy.load` does, but looks at the size before it takes memory for it."""
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(stream)
    if int(np.prod(shape, dtype=object)) * dtype.itemsize > _MAX_BYTES:
        raise ValueError(f"shape {shape} is more than {MAX_FRAMES:,} frames")
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)
