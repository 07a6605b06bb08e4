"""Where labelled digits come from: MNIST, the built-in sample, and files in the formats people have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pendigit.datasets.dataset import Dataset
from pendigit.datasets.formats import read_dataset
from pendigit.datasets.npz import read_npz

__all__ = ["Dataset", "load_dataset"]

MINI = Path(__file__).with_name("mini.npz")


def load_dataset(source: str | Path = "mnist") -> Dataset:
    """Load labelled digits by name or from a path.

    Args:
        source: "mnist" (60,000 train and 10,000 test digits, fetched once and cached), "mini" (6,000 and 1,000 of
            them, built in), "written" (MNIST, generated digits, and signs that are none, labelled 10; made once and
            cached), "schooled" (the same without the forms of practised hands), or the path of a file or folder:
            `mnist.npz` with Keras's keys, IDX files, CSV, class folders, or the widely copied `mnist.pkl.gz`. A path
            called like a name is written `./mnist`.

    Returns:
        Frames uint8 (n, 28, 28), ink bright on black, and labels uint8 (n,), for training and testing.

    Raises:
        DataError: Nothing there, out of reach, damaged, or no labelled 28x28 digits.
        OutputError: MNIST was fetched and the cache cannot be written.
    """
    if source == "mnist":
        from pendigit.datasets.mnist import load_mnist

        return load_mnist()
    if isinstance(source, str) and source in {"written", "schooled"}:
        from pendigit.datasets.written import load_written

        return load_written(source)
    if source == "mini":
        return replace(read_npz(MINI), name="mini")
    return read_dataset(Path(source))
