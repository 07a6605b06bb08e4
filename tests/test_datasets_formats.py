"""Real digits written in every accepted format come back byte for byte."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from dataset_writers import (
    as_npz,
    by_label,
    csv_text,
    idx_bytes,
    pickled_bytes,
    same,
    some,
    write_idx,
    write_pictures,
    write_tables,
)
from pendigit.datasets import Dataset, load_dataset, pickled
from pendigit.datasets.folders import read_frame
from pendigit.datasets.idx import decode_idx
from pendigit.errors import DataError


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return some(load_dataset("mini"), 60, 30)


@pytest.mark.parametrize("compress", [False, True])
def test_npz(digits: Dataset, tmp_path: Path, compress: bool) -> None:
    (tmp_path / "mnist.npz").write_bytes(as_npz(digits, compress))
    read = load_dataset(tmp_path / "mnist.npz")
    assert same(read, digits)
    assert read.digest == digits.digest


@pytest.mark.parametrize("dotted", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_idx_in_all_spellings(digits: Dataset, tmp_path: Path, dotted: bool, packed: bool) -> None:
    read = load_dataset(str(write_idx(digits, tmp_path, dotted, packed)))
    assert same(read, digits)
    assert read.x_train.flags.writeable


@pytest.mark.parametrize("prefix", ["", "mnist_"])
@pytest.mark.parametrize("header", [False, True])
def test_csv_folder(digits: Dataset, tmp_path: Path, prefix: str, header: bool) -> None:
    assert same(load_dataset(write_tables(digits, tmp_path, prefix, header)), digits)


def test_single_csv_has_a_train_part_only(digits: Dataset, tmp_path: Path) -> None:
    (tmp_path / "any.csv").write_text("\ufeff" + csv_text(digits.x_train, digits.y_train), encoding="utf-8")
    assert same(load_dataset(tmp_path / "any.csv"), some(digits, 60, 0))


def test_csv_with_the_label_last(digits: Dataset, tmp_path: Path) -> None:
    lines = csv_text(digits.x_train, digits.y_train).splitlines()
    turned = [",".join([*rest.split(","), label]) for label, rest in (line.split(",", 1) for line in lines)]
    (tmp_path / "any.csv").write_text("\n".join(turned))
    assert same(load_dataset(tmp_path / "any.csv"), some(digits, 60, 0))


def test_pickle_gives_the_exact_bytes(digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = pickled_bytes(digits)
    monkeypatch.setattr(pickled, "SHA256", hashlib.sha256(content).hexdigest())
    (tmp_path / "mnist.pkl.gz").write_bytes(content)
    assert same(load_dataset(tmp_path / "mnist.pkl.gz"), digits)


@pytest.mark.parametrize("dark_on_white", [False, True])
def test_class_folders(digits: Dataset, tmp_path: Path, dark_on_white: bool) -> None:
    write_pictures(digits.x_train, digits.y_train, tmp_path, dark_on_white=dark_on_white)
    (tmp_path / "0" / ".DS_Store").write_bytes(b"\0")
    (tmp_path / "1" / "notes.txt").write_text("not a picture")
    nothing = some(digits, 0, 0)
    expected = Dataset("x", *by_label(digits.x_train, digits.y_train), nothing.x_test, nothing.y_test)
    assert same(load_dataset(tmp_path), expected)


@pytest.mark.parametrize("names", [("train", "test"), ("training", "testing")])
def test_class_folders_in_two_parts(digits: Dataset, tmp_path: Path, names: tuple[str, str]) -> None:
    write_pictures(digits.x_train, digits.y_train, tmp_path / names[0])
    write_pictures(digits.x_test, digits.y_test, tmp_path / names[1])
    expected = (*by_label(digits.x_train, digits.y_train), *by_label(digits.x_test, digits.y_test))
    assert same(load_dataset(tmp_path), Dataset("x", *expected))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "I;16"])
def test_a_frame_in_any_picture_mode(digits: Dataset, tmp_path: Path, mode: str) -> None:
    frame = np.where(digits.x_train[0] > 127, 255, 0).astype(np.uint8)  # black and white survive every mode
    deep = Image.fromarray(frame.astype(np.uint16) * 257)
    (deep if mode == "I;16" else Image.fromarray(frame).convert(mode)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_frame(tmp_path / "a.png"), frame)


def test_what_is_transparent_is_paper(digits: Dataset, tmp_path: Path) -> None:
    ink = Image.new("RGBA", (28, 28), "black")
    ink.putalpha(Image.fromarray(digits.x_train[0]))
    ink.save(tmp_path / "a.png")
    np.testing.assert_allclose(read_frame(tmp_path / "a.png"), digits.x_train[0], atol=1)


def test_a_larger_picture_is_brought_into_the_frame(digits: Dataset, tmp_path: Path) -> None:
    frame = digits.x_train[3]
    page = Image.new("L", (90, 120), "white")
    page.paste(Image.fromarray(255 - frame), (31, 57))
    page.save(tmp_path / "a.png")
    read = read_frame(tmp_path / "a.png")
    assert read.shape == (28, 28)
    assert np.corrcoef(read.ravel(), frame.ravel())[0, 1] > 0.9


def test_a_blank_larger_picture_is_named(digits: Dataset, tmp_path: Path) -> None:
    folder = write_pictures(digits.x_train, digits.y_train, tmp_path)
    Image.new("L", (60, 60), "white").save(folder / "7" / "blank.png")
    with pytest.raises(DataError, match=r"blank\.png.*no ink"):
        load_dataset(folder)


@given(arrays.arrays(np.uint8, st.tuples(st.integers(0, 5), st.integers(0, 30), st.integers(0, 30))))
def test_idx_of_any_array(array: np.ndarray) -> None:
    np.testing.assert_array_equal(decode_idx(io.BytesIO(idx_bytes(array)), 3, "it"), array)


@settings(max_examples=30)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 3), st.just(28), st.just(28))), st.data(), st.booleans())
def test_csv_of_any_frames(
    tmp_path_factory: pytest.TempPathFactory, frames: np.ndarray, data: st.DataObject, header: bool
) -> None:
    labels = data.draw(arrays.arrays(np.uint8, len(frames), elements=st.integers(0, 9)))
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text(csv_text(frames, labels, header))
    read = load_dataset(path)
    np.testing.assert_array_equal(read.x_train, frames)
    np.testing.assert_array_equal(read.y_train, labels)


class Malicious:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        return os.mkdir, (str(self.target), 0o700)


def test_an_unknown_pickle_is_refused_unopened(tmp_path: Path) -> None:
    (tmp_path / "mnist.pkl").write_bytes(pickle.dumps(Malicious(tmp_path / "made")))
    with pytest.raises(DataError, match="does not know"):
        load_dataset(tmp_path / "mnist.pkl")
    assert not (tmp_path / "made").exists()


def test_the_unpickler_makes_arrays_and_nothing_else(tmp_path: Path) -> None:
    content = pickle.dumps([np.arange(3), Malicious(tmp_path / "made")], protocol=3)
    with pytest.raises(pickle.UnpicklingError, match="only NumPy arrays"):
        pickled.ArrayUnpickler(io.BytesIO(content)).load()
    assert not (tmp_path / "made").exists()
    pickle.loads(content)
    assert (tmp_path / "made").exists(), "the stand-in does no harm, so its refusal proves nothing"
