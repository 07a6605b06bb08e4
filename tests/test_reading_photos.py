"""Large photos and files of many pages: decoded no larger than they are read, page by page, or refused."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest

from pendigit.errors import ImageError
from pendigit.reading.doctor import draw_stages
from pendigit.reading.images import load_pages
from pendigit.reading.photo import open_photo
from pendigit.reading.stages import read_stages
from written_pages import ROWS, Pixels, errors, page, reader, texts


def encoded(picture: Pixels, ending: str) -> bytes:
    return cv2.imencode(ending, picture)[1].tobytes()


def turned_photo(upright: Pixels, orientation: int) -> bytes:
    """A photo as a camera stores it that was held otherwise, with the EXIF tag that says so."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.rot90(upright, {1: 0, 6: 1, 8: -1}[orientation])
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(stored)).save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.mark.parametrize("orientation", [1, 6, 8])
def test_a_photo_is_decoded_no_larger_than_it_is_read(orientation: int) -> None:
    upright = np.zeros((2600, 4000, 3), np.uint8)
    upright[:, 2000:] = 255
    photo = open_photo(turned_photo(upright, orientation))
    assert photo.size == (4000, 2600)
    assert photo.shrunk == 2
    assert photo.pixels[:, :900].max() < 20
    assert photo.pixels[:, 1100:].min() > 235
    assert photo.whole().pixels.shape == upright.shape


def test_a_photo_decoded_smaller_reads_the_same_in_its_own_pixels() -> None:
    upright = cv2.resize(page(1).picture, None, fx=5, fy=5, interpolation=cv2.INTER_LINEAR)
    photo = open_photo(turned_photo(upright, 6))
    small, whole = (reader().read(each) for each in (photo, photo.whole()))
    assert photo.shrunk == pytest.approx(2, rel=1e-3)
    assert small.text == whole.text
    for one, other in zip(small.rows[0].digits, whole.rows[0].digits, strict=True):
        assert abs(np.array(one.box) - other.box).max() <= 8  # pixels of 3,700


def test_a_sheet_that_is_small_on_a_photo_is_seen_with_all_its_pixels() -> None:
    desk = np.full((1500, 3800), 60, np.uint8)
    desk[300:1200, 500:1900] = 230
    cv2.putText(desk, "4711", (700, 900), cv2.FONT_HERSHEY_SIMPLEX, 10, 40, 25)
    photo = open_photo(encoded(desk, ".jpg"))
    stages = read_stages(photo, reader().networks)
    assert photo.shrunk == 2
    assert stages.photo.shrunk == 1
    assert stages.sheet is not None
    assert abs(stages.sheet.corners[0] - (500, 300)).max() < 50


def test_a_hundred_megapixels_are_read_as_jpeg_and_refused_as_png() -> None:
    written = page(1)
    height, width = written.picture.shape[:2]
    large = np.full((10_000, 10_000), 255, np.uint8)
    scale = 8_000 / max(height, width)
    grey = cv2.resize(cv2.cvtColor(written.picture, cv2.COLOR_RGB2GRAY), None, fx=scale, fy=scale)
    large[1000 : 1000 + grey.shape[0], 1000 : 1000 + grey.shape[1]] = grey
    found = reader().read(encoded(large, ".jpg"))
    assert errors([row.text for row in found.rows], ROWS) <= 1
    left, top, _, _ = found.rows[0].digits[0].box
    assert abs(np.array([left, top]) - 1000 - np.array(written.boxes[0][0][:2]) * scale).max() < 0.1 * 8_000 / 10
    with pytest.raises(ImageError, match="megapixels"):
        load_pages(encoded(large, ".png"))


def test_a_sheet_on_a_hundred_megapixels_is_read_with_fewer_of_them() -> None:
    written = page(1)
    desk = np.full((9_600, 10_400), 60, np.uint8)
    grey = cv2.cvtColor(written.picture, cv2.COLOR_RGB2GRAY)
    sheet = cv2.resize(grey, None, fx=3000 / len(grey), fy=3000 / len(grey))
    desk[3000 : 3000 + len(sheet), 2000 : 2000 + sheet.shape[1]] = sheet
    stages = read_stages(open_photo(encoded(desk, ".jpg")), reader().networks)
    assert stages.sheet is not None
    assert errors([row.text for row in stages.reading.rows], ROWS) <= 1
    assert draw_stages(stages).shape[2] == 3


def test_pages_of_a_tiff_and_of_a_pdf(tmp_path: Path) -> None:
    from PIL import Image

    images = [Image.fromarray(page(seed, rows=(text,)).picture) for seed, text in ((12, "123"), (13, "45"))]
    for name in ("pages.tiff", "pages.pdf"):
        path = tmp_path / name
        images[0].save(path, save_all=True, append_images=images[1:])
        found = load_pages(path)
        assert [len(texts(each)[0]) for each in found] == [3, 2]
    with pytest.raises(ImageError, match="no PDF"):
        load_pages(b"%PDF-1.7 and no more")
    with pytest.raises(ImageError, match="TIFF"):
        load_pages(b"II*\0" + b"rest")


def test_a_heic_photo(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    from PIL import Image

    written = page(12, rows=("123",)).picture
    path = tmp_path / "photo.heic"
    heif.from_pillow(Image.fromarray(written)).save(path, quality=90)
    assert load_pages(path)[0].shape == written.shape
