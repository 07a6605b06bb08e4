"""CSV as Kaggle and others spread it: a label and 784 pixels, 0 to 255, on each line."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from pendigit.datasets.checks import MAX_FRAMES, NO_FRAMES, SIDE, Part, check_dataset, decoding
from pendigit.datasets.dataset import Dataset
from pendigit.errors import DataError

_COLUMNS = 1 + SIDE * SIDE
_EXPECTED = f"lines of {_COLUMNS} whole numbers from 0 to 255: a label and 784 pixels"
_LABEL_NAMES = ("label", "class")  # Kaggle's and OpenML's; OpenML's comes last


def find_tables(folder: Path) -> tuple[Path, Path | None] | None:
    """The train and test tables (`train.csv` or `*_train.csv`, and so on); None if there is no train table.

    Raises DataError if several files could be meant.
    """
    train, test = _find(folder, "train"), _find(folder, "test")
    return None if train is None else (train, test)


def read_tables(train: Path, test: Path | None, name: str) -> Dataset:
    """Read a train table and, where there is one, a test table. Raises DataError."""
    return check_dataset(name, _read(train), NO_FRAMES if test is None else _read(test))


def _find(folder: Path, part: str) -> Path | None:
    found = sorted({*folder.glob(f"{part}.csv"), *folder.glob(f"*[_-]{part}.csv")})
    if len(found) > 1:
        raise DataError(
            f"{folder} has {' and '.join(path.name for path in found)}",
            f"one {part} table",
            "pass one file by its path",
        )
    return found[0] if found else None


def _read(path: Path) -> Part:
    """A header line is optional; the label comes first, or last where the header says so."""
    with decoding(str(path), _EXPECTED), path.open(encoding="utf-8-sig") as lines:
        first = [cell.strip(" \"'\r\n").lower() for cell in lines.readline(1 << 16).split(",")]
    _check_columns(len(first), path)
    has_header = not first[0].isdecimal()
    with decoding(str(path), _EXPECTED), warnings.catch_warnings():
        warnings.simplefilter("error")  # an empty table is only worth a warning to NumPy
        table = np.loadtxt(
            path,
            dtype=np.uint8,
            delimiter=",",
            comments=None,
            skiprows=int(has_header),
            ndmin=2,
            max_rows=MAX_FRAMES,
            encoding="utf-8-sig",
        )
    _check_columns(table.shape[1], path)
    if has_header and first[-1] in _LABEL_NAMES:
        table = np.roll(table, 1, axis=1)
    return table[:, 1:].reshape(-1, SIDE, SIDE), table[:, 0]


def _check_columns(count: int, path: Path) -> None:
    if count == _COLUMNS - 1:
        raise DataError(
            f"{path} has 784 columns, so no labels",
            _EXPECTED,
            "pass the labelled table alone, by its path",
        )
    if count != _COLUMNS:
        raise DataError(f"{path} has {count} columns", _EXPECTED, "write one label and 28x28 pixels on each line")
