"""Whole pages: written ones read back, however they lie and whatever disturbs them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pendigit.errors import ImageError, UsageError
from pendigit.reading.pieces import Piece
from pendigit.reading.rows import find_rows
from pendigit.writing.conditions import Conditions
from written_pages import ROWS, errors, page, reader, sure_glyphs, texts


def test_a_written_page_reads_back_with_its_boxes() -> None:
    written = page(1)
    reading = reader().read(written.picture)
    assert errors([row.text for row in reading.rows], ROWS) <= 1
    for row, true in zip(reading.rows, written.boxes, strict=True):
        for digit, (left, top, right, bottom) in zip(row.digits, true, strict=True):
            assert abs(np.array(digit.box) - (left, top, right, bottom)).max() <= 0.2 * (bottom - top)
    assert reading.text == "\n".join(row.text for row in reading.rows)


@settings(max_examples=8)
@given(scale=st.floats(0.4, 2.5), left=st.integers(0, 300), top=st.integers(0, 300), inverted=st.booleans())
def test_place_scale_and_polarity_do_not_matter(scale: float, left: int, top: int, inverted: bool) -> None:
    row = page(2, rows=("2071945",)).picture.mean(axis=2).astype(np.uint8)
    row = cv2.resize(row, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    larger = cv2.copyMakeBorder(row, top, 40, left, 40, cv2.BORDER_REPLICATE)
    assert errors(texts(255 - larger if inverted else larger), ("2071945",)) <= 1


@pytest.mark.parametrize(
    "conditions",
    [
        Conditions(slope=0.8),
        Conditions(shadow=0.7),
        Conditions(grain=0.7),
        Conditions(grain=0.9, faint=0.8),
        Conditions(blur=0.5),
        Conditions(faint=0.7),
        Conditions(ruled=0.8),
        Conditions(squared=0.8),
        Conditions(boxed=0.8),
        Conditions(tilt=0.8),
        Conditions(skew=0.8),
        Conditions(perspective=0.6),
        Conditions(colour=1.0),
        Conditions(desk=0.5),
        Conditions(inverted=1.0),
    ],
    ids=lambda conditions: "-".join(name for name, value in vars(conditions).items() if value),
)
def test_a_disturbed_page_keeps_its_rows(conditions: Conditions) -> None:
    assert errors(texts(page(3, conditions).picture), ROWS) <= 3


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_page_on_its_side_or_head_is_turned(quarters: int) -> None:
    if not reader().classifier.has_digitness:  # type: ignore[attr-defined]
        pytest.skip("a network that takes everything for a digit cannot tell")
    turned = np.ascontiguousarray(np.rot90(page(4).picture, quarters))
    assert errors(texts(turned), ROWS) <= 1


@settings(max_examples=12)
@given(height=st.integers(30, 120), light=st.booleans(), ground=st.integers(0, 100))
def test_what_is_drawn_on_a_screen(height: int, light: bool, ground: int) -> None:
    rng = np.random.default_rng(height)
    drawing = np.zeros((3 * height, 6 * height), np.float32)
    for place, digit in enumerate((2, 0, 7, 1)):
        while (ink := sure_glyphs()(rng, digit)).shape[1] > len(ink):  # it would run into the next one
            pass
        ink = cv2.resize(ink, None, fx=height / len(ink), fy=height / len(ink), interpolation=cv2.INTER_AREA)
        left = round((0.5 + 1.4 * place) * height)
        drawing[height : height + len(ink), left : left + ink.shape[1]] = ink
    picture = ground + np.uint8(drawing * (255 - ground))
    reading = reader().read(picture if light else 255 - picture, drawn=True)
    assert reading.text == "2071"
    assert all(abs(digit.box[1] - height) <= 2 for digit in reading.rows[0].digits)


def test_a_stroke_on_a_screen_is_no_ruled_line() -> None:
    drawing = np.full((400, 900), 255, np.uint8)
    cv2.line(drawing, (450, 40), (440, 360), 0, 12, cv2.LINE_AA)
    assert reader().read(drawing, drawn=True).text == "1"
    assert reader().read(np.full_like(drawing, 255), drawn=True).rows == ()


def test_a_part_of_a_page() -> None:
    picture = page(4).picture
    left, top = (min(box[side] for box in page(4).boxes[1]) for side in (0, 1))
    right, bottom = (max(box[side] for box in page(4).boxes[1]) for side in (2, 3))
    region = (left - 8, top - 8, right - left + 16, bottom - top + 16)
    part = reader().read(picture, region=region)
    assert errors([row.text for row in part.rows], (ROWS[1],)) <= 1
    assert abs(part.rows[0].digits[0].box[0] - left) < 8
    with pytest.raises(ImageError, match="region"):
        reader().read(picture, region=(0, 0, 10**6, 10))


def test_a_part_that_shows_a_sheet_and_its_desk() -> None:
    """The sheet is found on the whole photo, of which the part cuts three corners off."""
    written = page(10, Conditions(desk=0.6))
    first = written.boxes[0]
    bottom = max(box[3] for box in first)
    half = (first[len(first) // 2][0] + first[len(first) // 2 - 1][2]) // 2
    part = reader().read(written.picture, region=(0, 0, half, bottom + 4))
    assert [row.text for row in part.rows] == [written.rows[0][: len(first) // 2]]
    for digit, box in zip(part.rows[0].digits, first, strict=False):
        assert np.abs(np.subtract(digit.box, box)).max() <= 4
    corner = reader().read(written.picture, region=(0, 0, 12, 12))
    assert corner.rows == (), "nothing but the desk"


def test_a_wide_gap_starts_a_group() -> None:
    first, second = (page(seed, rows=("1234",)).picture for seed in (5, 6))
    height = max(len(first), len(second))
    gap = np.full((height, 400, 3), np.median(first), np.uint8)
    both = [cv2.copyMakeBorder(each, 0, height - len(each), 0, 0, cv2.BORDER_REPLICATE) for each in (first, second)]
    rows = reader().read(np.hstack([both[0], gap, both[1]])).rows
    assert sum(len(row.groups) for row in rows) == 2


def test_separators_are_kept_when_asked_for() -> None:
    picture = page(7, rows=("1234",)).picture.copy()
    boxes = page(7, rows=("1234",)).boxes[0]
    size = (boxes[3][3] - boxes[3][1]) // 5
    cv2.circle(picture, (boxes[3][2] + 2 * size, boxes[3][3] - size // 2), size // 2, (20, 20, 20), -1)
    plain, kept = (reader().read(picture, keep=keep).rows[0].text for keep in ("", ".,-"))
    assert len(plain) == 4
    assert kept == plain + "."
    with pytest.raises(UsageError, match="any of"):
        reader().read(picture, keep="x")


def test_a_strip_of_twenty_thousand_pixels() -> None:
    row = page(11, rows=("20719",)).picture
    strip = cv2.copyMakeBorder(row, 0, 0, 100, 20_000 - 100 - row.shape[1], cv2.BORDER_REPLICATE)
    assert errors(texts(strip), ("20719",)) <= 1


def test_print_and_faces_hold_few_sure_digits() -> None:
    data = pytest.importorskip("skimage.data")
    printed = np.full((500, 700), 245, np.uint8)
    for line, words in enumerate(("Handwritten numbers", "are what is read here;", "print and faces are not")):
        cv2.putText(printed, words, (30, 120 + 120 * line), cv2.FONT_HERSHEY_COMPLEX, 1.5, 30, 3, cv2.LINE_AA)
    for picture in (printed, data.astronaut()):  # NASA's, in the public domain
        digits = [digit for row in reader().read(picture).rows for digit in row.digits]
        assert sum(digit.probability * (digit.digitness or 0) > 0.9 for digit in digits) <= 8, "o and l among them"


def test_a_digit_whose_loop_came_off_its_stem_is_one() -> None:
    loop, stem = Piece(295, 210, 322, 235, 300, (1,)), Piece(295, 244, 309, 279, 200, (2,))
    beside = [Piece(left, 215, left + 30, 275, 500, (left,)) for left in (230, 350, 410)]
    (row,) = find_rows([loop, stem, *beside], 63.0)
    assert [piece.labels for piece in row] == [(230,), (1, 2), (350,), (410,)]
