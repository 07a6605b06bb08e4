"""Whatever is wrong with a file of digits, the answer is one line of a DataError."""

from __future__ import annotations

import gzip
import io
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dataset_writers import as_npz, csv_text, idx_bytes, npz_bytes, some, write_idx, write_pictures, write_tables
from pendigit.datasets import Dataset, load_dataset
from pendigit.datasets.idx import decode_idx
from pendigit.errors import DataError

DIGITS = some(load_dataset("mini"), 12, 4)
GOOD = dict(zip(("x_train", "y_train", "x_test", "y_test"), DIGITS.arrays, strict=True))
LABELS = DIGITS.y_train.astype(np.int64)

NPZ_FAULTS = {
    "wrong shape": ({"x_train": np.zeros((12, 32, 32), np.uint8)}, r"\(12, 32, 32\)"),
    "flat frames": ({"x_test": np.zeros((4, 784), np.uint8)}, r"\(4, 784\)"),
    "floats": ({"x_train": DIGITS.x_train / 255}, "float64 from 0.0 to 1.0"),
    "objects": ({"x_train": np.array([{}], object)}, "x_train cannot be read"),
    "text": ({"x_train": np.array(["a"])}, "<U1"),
    "label 10": ({"y_train": np.where(LABELS == 3, 10, LABELS)}, "to 10"),
    "label -1": ({"y_train": LABELS - 1}, "from -1"),
    "float labels": ({"y_train": LABELS / 1}, "float64"),
    "one-hot labels": ({"y_train": np.eye(10, dtype=int)[LABELS]}, r"\(12, 10\)"),
    "other lengths": ({"y_train": LABELS[:-1]}, "12 frames and 11 labels"),
    "empty": ({"x_train": DIGITS.x_train[:0], "y_train": LABELS[:0]}, "no training digits"),
}


@pytest.mark.parametrize("fault", NPZ_FAULTS)
def test_npz_faults(tmp_path: Path, fault: str) -> None:
    changed, message = NPZ_FAULTS[fault]
    (tmp_path / "it.npz").write_bytes(npz_bytes(**{**GOOD, **changed}))
    refuses(tmp_path / "it.npz", message)


def test_missing_keys_are_named(tmp_path: Path) -> None:
    (tmp_path / "it.npz").write_bytes(npz_bytes(x_train=DIGITS.x_train, labels=LABELS))
    refuses(tmp_path / "it.npz", "holds x_train, labels.*store y_train, x_test, y_test too")


def test_an_npz_that_lies_about_its_size(tmp_path: Path) -> None:
    content = as_npz(DIGITS).replace(b"(12, 28, 28), ", b"(9**9,28,28), ")
    (tmp_path / "it.npz").write_bytes(content)
    refuses(tmp_path / "it.npz", "x_train cannot be read")
    content = as_npz(DIGITS).replace(b"(12, 28, 28), ", b"(99999999999,)")
    (tmp_path / "it.npz").write_bytes(content)
    refuses(tmp_path / "it.npz", "x_train cannot be read")


CSV_FAULTS = {
    "no labels": (lambda text: "\n".join(line.split(",", 1)[1] for line in text.splitlines()), "784 columns"),
    "few columns": (lambda _: "1,2,3\n", "3 columns"),
    "text": (lambda text: text.replace("\n" + text.splitlines()[3].split(",")[0] + ",", "\nseven,", 1), "seven"),
    "256": (lambda text: text.replace(",0,", ",256,", 1), "256"),
    "a negative": (lambda text: text.replace(",0,", ",-1,", 1), "-1"),
    "a decimal": (lambda text: text.replace(",0,", ",0.5,", 1), "0.5"),
    "uneven lines": (lambda text: text.replace(",0\n", "\n", 2), "columns"),
    "short lines below a whole header": (lambda text: text.splitlines()[0] + "\n7,0\n", "2 columns"),
    "header alone": (lambda text: text.splitlines()[0] + "\n", "no data"),
    "empty": (lambda _: "", "1 columns"),
    "label 12": (lambda text: text.rstrip() + "\n12" + ",0" * 784, "to 12"),
}


@pytest.mark.parametrize("fault", CSV_FAULTS)
def test_csv_faults(tmp_path: Path, fault: str) -> None:
    change, message = CSV_FAULTS[fault]
    (tmp_path / "it.csv").write_text(change(csv_text(DIGITS.x_train, DIGITS.y_train)))
    refuses(tmp_path / "it.csv", message)


def test_idx_faults(tmp_path: Path) -> None:
    folder = write_idx(DIGITS, tmp_path / "idx")
    images = folder / "train-images-idx3-ubyte"
    content = images.read_bytes()
    for damaged, message in {
        content[:-1]: "9407 bytes after its header",
        content + b"\0": "more bytes",
        content[:9]: "starts with bytes 00 00 08 03",
        b"": "none",
        b"\0\0\x0d\x03" + content[4:]: "00 00 0d 03",
        content[:4] + b"\xff" * 12 + content[16:]: "claims shape",
        gzip.compress(content)[:-20]: "cannot be read",
        (folder / "train-labels-idx1-ubyte").read_bytes(): "00 00 08 01",
    }.items():
        images.write_bytes(damaged)
        refuses(folder, message)
    images.write_bytes(content)
    (folder / "t10k-labels-idx1-ubyte").unlink()
    refuses(folder, "no t10k-labels")


def test_folder_and_path_faults(tmp_path: Path) -> None:
    refuses(tmp_path, "no labelled digits")
    refuses(tmp_path / "none.npz", "no dataset at")
    refuses("minst", "no dataset at minst.*check the spelling")
    refuses(tmp_path / ("x" * 300), "File name too long")
    (tmp_path / "it.parquet").write_bytes(b"PAR1")
    refuses(tmp_path / "it.parquet", "ends in .parquet")
    (tmp_path / "it.npz").write_bytes(b"not a zip file")
    refuses(tmp_path / "it.npz", "cannot be read")
    folder = write_tables(DIGITS, tmp_path / "tables", "a_")
    shutil.copy(folder / "a_train.csv", folder / "b_train.csv")
    refuses(folder, "a_train.csv and b_train.csv")
    (tmp_path / "classes" / "3").mkdir(parents=True)
    refuses(tmp_path / "classes", "no training digits")
    (tmp_path / "classes" / "3" / "x.png").write_bytes(b"\x89PNG")
    refuses(tmp_path / "classes", "x.png cannot be read")


def _npz(content: bytes, folder: Path) -> None:
    (folder / "it.npz").write_bytes(content)
    load_dataset(folder / "it.npz")


def _csv(content: bytes, folder: Path) -> None:
    (folder / "it.csv").write_bytes(content)
    load_dataset(folder / "it.csv")


def _idx(content: bytes, _: Path) -> None:
    decode_idx(io.BytesIO(content), 3, "it")


def _png(content: bytes, folder: Path) -> None:
    (folder / "classes" / "3").mkdir(parents=True, exist_ok=True)
    (folder / "classes" / "3" / "it.png").write_bytes(content)
    load_dataset(folder / "classes")


def _png_bytes() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(DIGITS.x_train[0]).save(buffer, "png")
    return buffer.getvalue()


TWO = some(DIGITS, 2, 1)
DAMAGEABLE: dict[str, tuple[bytes, Callable[[bytes, Path], None]]] = {
    "npz": (as_npz(TWO), _npz),
    "npz compressed": (as_npz(TWO, compress=True), _npz),
    "csv": (csv_text(TWO.x_train, TWO.y_train).encode(), _csv),
    "idx": (idx_bytes(TWO.x_train), _idx),
    "idx gzipped": (gzip.compress(idx_bytes(TWO.x_train), mtime=0), _idx),
    "png": (_png_bytes(), _png),
}


@pytest.mark.parametrize("kind", DAMAGEABLE)
@settings(max_examples=60)
@given(data=st.data())
def test_damaged_bytes_give_a_dataset_or_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    content, decode = DAMAGEABLE[kind]
    damaged = bytearray(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    early = st.integers(0, min(200, len(content)) - 1)  # headers are where a flip does most
    for place, bit in data.draw(st.lists(st.tuples(early | st.integers(0, len(content) - 1), st.integers(0, 7)))):
        if place < len(damaged):
            damaged[place] ^= 1 << bit
    with suppress(DataError):  # any other exception fails
        decode(bytes(damaged), tmp_path_factory.getbasetemp())


def test_undamaged_bytes_are_read(tmp_path: Path) -> None:
    for content, decode in DAMAGEABLE.values():
        decode(content, tmp_path)


def refuses(source: Path | str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load_dataset(source)
    assert "\n" not in str(caught.value)


def test_a_dataset_of_pictures_without_some_classes_is_fine(tmp_path: Path) -> None:
    write_pictures(DIGITS.x_train[:1], DIGITS.y_train[:1], tmp_path)
    read: Dataset = load_dataset(tmp_path)
    assert read.y_train.tolist() == [DIGITS.y_train[0]]
