"""The widely copied `mnist.pkl.gz`: 50,000 / 10,000 / 10,000 rows of float32 pixel/256 and int64 labels."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pendigit.datasets.checks import SIDE, check_dataset, decoding
from pendigit.datasets.dataset import Dataset
from pendigit.errors import DataError

SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"  # of the gzipped file
_EXPECTED = "the widely copied mnist.pkl.gz of 17,051,982 bytes"
_SCALE = np.float32(256)  # its makers divided by 256, so this gives the exact bytes back


def read_pickled(path: Path) -> Dataset:
    """Read the one known file; any other pickle is refused unopened. Raises DataError."""
    with decoding(str(path), _EXPECTED):
        content = path.read_bytes()
    return decode_pickled(content, str(path))


def decode_pickled(content: bytes, name: str) -> Dataset:
    """Decode the one known file's bytes. Raises DataError."""
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise DataError(
            f"{name} is a pickle that pendigit does not know (a pickle can run code)",
            _EXPECTED,
            "use mnist.npz, IDX files, a CSV or class folders instead",
        )
    with decoding(name, _EXPECTED), gzip.open(io.BytesIO(content)) as stream:
        (x_train, y_train), (x_more, y_more), (x_test, y_test) = ArrayUnpickler(stream, encoding="bytes").load()
    train = np.concatenate([_frames(x_train), _frames(x_more)]), np.concatenate([y_train, y_more])
    return check_dataset(name, train, (_frames(x_test), y_test))


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler that can make NumPy arrays and plain containers, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Raises UnpicklingError for anything but the three names that an array is made of."""
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            return np.dtype
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return np.empty(0).__reduce__()[0]  # the same function, wherever this NumPy keeps it
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, and only NumPy arrays are allowed")


def _frames(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """float32 (n, 784), pixel/256 -> uint8 (n, 28, 28). Scales `rows` itself."""
    np.multiply(rows, _SCALE, out=rows)  # in place: a copy would take 150 MB more
    return rows.astype(np.uint8).reshape(-1, SIDE, SIDE)
