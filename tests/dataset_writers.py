"""Writes a dataset to disk in the formats that people have, by other means than the package's readers use."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
from pathlib import Path

import numpy as np
from PIL import Image

from pendigit.datasets import Dataset

IDX_NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def some(dataset: Dataset, train: int, test: int) -> Dataset:
    """The first digits of each part."""
    return Dataset(
        "some", dataset.x_train[:train], dataset.y_train[:train], dataset.x_test[:test], dataset.y_test[:test]
    )


def same(read: Dataset, expected: Dataset) -> bool:
    return all(a.dtype == np.uint8 and np.array_equal(a, b) for a, b in zip(read.arrays, expected.arrays, strict=True))


def idx_bytes(array: np.ndarray) -> bytes:
    """As MNIST's makers describe it: 0, 0, type 8 (unsigned byte), rank, big-endian sizes, bytes."""
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx(dataset: Dataset, folder: Path, dotted: bool = False, packed: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in zip(IDX_NAMES, dataset.arrays, strict=True):
        content = idx_bytes(array)
        path = folder / ((name.replace("-idx", ".idx") if dotted else name) + (".gz" if packed else ""))
        path.write_bytes(gzip.compress(content, mtime=0) if packed else content)
    return folder


def csv_text(frames: np.ndarray, labels: np.ndarray, header: bool = True) -> str:
    lines = ["label," + ",".join(f"pixel{i}" for i in range(784))] if header else []
    lines += [",".join(map(str, [label, *frame.ravel()])) for frame, label in zip(frames, labels, strict=True)]
    return "\n".join(lines) + "\n"


def write_tables(dataset: Dataset, folder: Path, prefix: str = "", header: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{prefix}train.csv").write_text(csv_text(dataset.x_train, dataset.y_train, header))
    (folder / f"{prefix}test.csv").write_text(csv_text(dataset.x_test, dataset.y_test, header))
    return folder


def write_pictures(frames: np.ndarray, labels: np.ndarray, folder: Path, *, dark_on_white: bool = False) -> Path:
    for index, (frame, label) in enumerate(zip(frames, labels, strict=True)):
        path = folder / str(label) / f"{index:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - frame if dark_on_white else frame).save(path)
    return folder


def by_label(frames: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """In the order in which class folders are read."""
    order = np.argsort(labels, kind="stable")
    return frames[order], labels[order]


def pickled_bytes(dataset: Dataset) -> bytes:
    """The layout of mnist.pkl.gz: train, validation and test pairs of float32 pixel/256 and int64 labels."""
    x_train = dataset.x_train.reshape(-1, 784).astype(np.float32) / 256
    x_test = dataset.x_test.reshape(-1, 784).astype(np.float32) / 256
    y_train, y_test = dataset.y_train.astype(np.int64), dataset.y_test.astype(np.int64)
    cut = len(x_train) * 5 // 6
    parts = ((x_train[:cut], y_train[:cut]), (x_train[cut:], y_train[cut:]), (x_test, y_test))
    return gzip.compress(pickle.dumps(parts, protocol=3), mtime=0)


def npz_bytes(compress: bool = False, **arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    (np.savez_compressed if compress else np.savez)(buffer, **arrays)
    return buffer.getvalue()


def as_npz(dataset: Dataset, compress: bool = False) -> bytes:
    return npz_bytes(compress, **dict(zip(("x_train", "y_train", "x_test", "y_test"), dataset.arrays, strict=True)))
