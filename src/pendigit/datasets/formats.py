"""Labelled digits from a path: which format it is, decided by what lies there."""

from __future__ import annotations

from pathlib import Path

from pendigit.datasets.dataset import Dataset
from pendigit.datasets.folders import is_class_folder, read_class_folders
from pendigit.datasets.idx import find_idx, read_idx_files
from pendigit.datasets.npz import read_npz
from pendigit.datasets.pickled import read_pickled
from pendigit.datasets.tables import find_tables, read_tables
from pendigit.errors import DataError

ACCEPTED = "mnist.npz, a folder of IDX files, a CSV of labels and pixels, or class folders 0/ to 9/ of pictures"


def read_dataset(path: Path) -> Dataset:
    """Read the labelled set at `path`: a file or folder of any accepted format.

    Raises:
        DataError: Nothing is there, the format is another, or the content is damaged or not a labelled set.
    """
    try:
        return _read_folder(path) if path.is_dir() else _read_file(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError(
            f"{path} cannot be read ({reason})", "a file or folder you may read", "check the path"
        ) from error


def _read_file(path: Path) -> Dataset:
    if not path.exists():
        raise DataError(f"no dataset at {path}", f"mnist, mini, or the path of {ACCEPTED}", "check the spelling")
    name = path.name.lower()
    if name.endswith(".npz"):
        return read_npz(path)
    if name.endswith(".csv"):
        return read_tables(path, None, str(path))
    if name.endswith((".pkl", ".pkl.gz", ".pickle")):
        return read_pickled(path)
    raise DataError(f"{path} ends in {path.suffix or 'nothing'}", ACCEPTED, "pass IDX files by their folder")


def _read_folder(folder: Path) -> Dataset:
    idx = find_idx(folder)
    if idx is not None:
        return read_idx_files(idx, str(folder))
    tables = find_tables(folder)
    if tables is not None:
        return read_tables(*tables, str(folder))
    if is_class_folder(folder):
        return read_class_folders(folder)
    raise DataError(
        f"{folder} holds no labelled digits",
        "train-images-idx3-ubyte and its three fellows, train.csv, or class folders 0/ to 9/",
        "check the path",
    )
