"""Corrections: what is kept, listed, forgotten, moved to newer versions, and exported to be trained on."""

from __future__ import annotations

import io
import sqlite3
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from pendigit.datasets import Dataset, load_dataset
from pendigit.errors import ImageError, OutputError
from pendigit.frame import is_frame
from pendigit.reading.images import load_image
from pendigit.serving import corrections as module
from pendigit.serving.corrections import Corrections
from pendigit.serving.export import training_crop, zipped


@pytest.fixture
def store(tmp_path: Path) -> Corrections:
    return Corrections(tmp_path / "new folder" / "corrections.sqlite")


def page_of(frames: np.ndarray) -> np.ndarray:
    """Frames side by side, dark on light paper, each in 40x40 pixels."""
    page = np.full((40, 40 * len(frames)), 240, np.uint8)
    for index, frame in enumerate(frames):
        page[6:34, 40 * index + 6 : 40 * index + 34] -= (frame * 0.8).astype(np.uint8)
    return page


def test_what_is_added_is_listed_and_can_be_forgotten(store: Corrections) -> None:
    first = store.add(b"photo", b"crop 1", 7, box=(1, 2, 3, 4), page=2, read=1)
    second = store.add(b"photo", b"crop 2", 3)
    assert (first.digit, first.box, first.page, first.read) == (7, (1, 2, 3, 4), 2, 1)
    assert (second.box, second.read) == (None, None)
    assert store.some() == [first, second]
    assert store.some(digit=3) == [second]
    assert store.some(after=first.id) == [second]
    assert store.some(limit=1) == [first]
    assert (store.count(), store.count(7), store.count(9)) == (2, 1, 0)
    assert store.one(first.id) == first
    assert store.crop(second.id) == b"crop 2"
    assert store.delete(first.id)
    assert not store.delete(first.id)
    assert store.one(first.id) is store.crop(first.id) is None
    assert store.picture(second.id) == b"photo"


def test_a_picture_is_kept_once_and_goes_with_its_last_correction(store: Corrections, tmp_path: Path) -> None:
    secret = b"a picture that nobody must find again" * 500
    ids = [store.add(secret, b"crop", digit).id for digit in (1, 2)]
    for number, left in zip(ids, (1, 0), strict=True):
        store.delete(number)
        with sqlite3.connect(store.path) as connection:
            assert connection.execute("SELECT count(*) FROM picture").fetchone() == (left,)
        connection.close()
    assert store.add(secret[::-1], b"crop", 1).id > max(ids), "a number is never given twice"
    store.close()
    assert secret[:100] not in store.path.read_bytes()


def test_they_survive_being_opened_again(store: Corrections) -> None:
    kept = store.add(b"photo", b"crop", 5)
    store.close()
    assert Corrections(store.path).some() == [kept]


def test_an_older_file_is_brought_up_to_date_and_a_newer_one_refused(
    store: Corrections, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = store.add(b"photo", b"crop", 5)
    store.close()
    newer = (*module.MIGRATIONS, "ALTER TABLE correction ADD COLUMN note TEXT;")
    with monkeypatch.context() as patch:
        patch.setattr(module, "MIGRATIONS", newer)
        migrated = Corrections(store.path)
        assert migrated.some() == [kept]
        migrated.close()
    with pytest.raises(OutputError, match="written by a newer pendigit"):
        Corrections(store.path)


def test_a_migration_that_fails_leaves_the_file_as_it_was(store: Corrections, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = store.add(b"photo", b"crop", 5)
    store.close()
    broken = (*module.MIGRATIONS, "DROP TABLE picture; ALTER TABLE nothing ADD COLUMN note TEXT;")
    with monkeypatch.context() as patch:
        patch.setattr(module, "MIGRATIONS", broken)
        with pytest.raises(OutputError):
            Corrections(store.path)
    again = Corrections(store.path)
    assert again.some() == [kept]
    assert again.picture(kept.id) == b"photo"


def test_what_is_no_store_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"nothing that SQLite wrote, and longer than its header of a hundred bytes" * 9)
    with pytest.raises(OutputError, match=r"notes\.txt cannot be used"):
        Corrections(path)
    with pytest.raises(OutputError, match="cannot write"):
        Corrections(path / "below a file" / "x.sqlite")


def test_a_full_store_keeps_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 200_000)
    store = Corrections(tmp_path / "small.sqlite")
    kept = store.add(b"1" * 50_000, b"crop", 1)
    with pytest.raises(OutputError, match="full"):
        store.add(b"2" * 500_000, b"crop", 2)
    assert store.some() == [kept]
    assert store.add(b"3" * 1000, b"crop", 3).digit == 3


def test_the_export_is_what_data_reads(store: Corrections, mini: Dataset, tmp_path: Path) -> None:
    frames, labels = mini.x_test[:12], mini.y_test[:12]
    page = page_of(frames)
    for index, label in enumerate(labels):
        box = (40 * index + 6, 6, 40 * index + 34, 34)
        store.add(b"page", training_crop(page, box), int(label), box=box)
    content = b"".join(zipped(store))
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    archive.extractall(tmp_path / "corrections")
    dataset = load_dataset(tmp_path / "corrections")
    assert sorted(dataset.y_train.tolist()) == sorted(labels.tolist())
    assert all(is_frame(frame) for frame in dataset.x_train)


def test_a_crop_of_28_pixels_is_not_taken_for_a_frame(mini: Dataset) -> None:
    page = page_of(mini.x_test[:1])
    box = (8, 8, 30, 30)  # 22 pixels and a margin of 3 on either side
    crop = load_image(training_crop(page, box))
    assert crop.shape == (29, 28)
    frame = mini.x_test[0]
    assert np.array_equal(load_image(training_crop(frame, None)), frame), "a frame stays one"


@pytest.mark.parametrize("box", [(5, 5, 5, 9), (30, 0, 41, 9), (0, -1, 9, 9), (9, 9, 3, 12)])
def test_boxes_outside_the_picture_are_refused(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(ImageError, match="in a picture of 40x40 pixels"):
        training_crop(np.full((40, 40), 255, np.uint8), box)


def test_what_cannot_be_trained_on_is_not_kept() -> None:
    with pytest.raises(ImageError, match="no ink"):
        training_crop(np.full((40, 40), 255, np.uint8), None)


def test_colours_survive() -> None:
    picture = np.full((40, 40, 3), (250, 250, 200), np.uint8)
    cv2.line(picture, (20, 8), (20, 32), (20, 30, 160), 4)
    assert np.array_equal(load_image(training_crop(picture, None)), picture)
