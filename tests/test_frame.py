"""Any picture of a digit comes into MNIST's frame, and what holds no digit does not."""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pendigit import ink as inks
from pendigit.classifier import OnnxClassifier
from pendigit.datasets import load_dataset
from pendigit.errors import ImageError
from pendigit.frame import BOX, is_frame, to_frame, to_frames
from pendigit.models import find_model

Picture = NDArray[np.uint8]
DIGITS = 60  # digits of the sample that properties choose from
indices = st.integers(0, DIGITS - 1)


@cache
def sample() -> Picture:
    return load_dataset("mini").x_train[:DIGITS]


@cache
def classifier() -> OnnxClassifier:
    return OnnxClassifier(find_model())


@cache
def classes() -> NDArray[np.int64]:
    return classifier().predict(sample())


def cropped(frame: Picture) -> Picture:
    x, y, width, height = cv2.boundingRect(frame)
    return np.asarray(frame[y : y + height, x : x + width], np.uint8)


def pasted(index: int, scale: float, place: tuple[float, float], paper: int = 255, ink: int = 0) -> Picture:
    """A digit of the sample at `scale` times its size on a sheet twice as large, at a place in 0..1 of what is free."""
    digit = cropped(sample()[index])
    height, width = (max(2, round(side * scale)) for side in digit.shape)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    cover = cv2.resize(digit, (width, height), interpolation=way).astype(np.float64) / 255
    sheet = np.full((round(56 * scale) + 8,) * 2, float(paper))
    top, left = (round(share * (len(sheet) - side)) for share, side in zip(place, cover.shape, strict=True))
    sheet[top : top + height, left : left + width] += (ink - paper) * cover
    return np.rint(sheet).astype(np.uint8)


def alike(one: Picture, other: Picture) -> float:
    """The best correlation of two frames over shifts of a pixel, as rounding may move the centre of mass by one."""
    shifted = (np.roll(other, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1))
    return max(float(np.corrcoef(one.ravel(), frame.ravel())[0, 1]) for frame in shifted)


places = st.tuples(st.floats(0, 1), st.floats(0, 1))
shades = st.sampled_from([(255, 0), (0, 255), (230, 60), (40, 200), (200, 150)])


@settings(max_examples=150)
@given(indices, st.floats(0.5, 4), places, shades)
def test_a_pasted_digit_comes_back_nearly_itself(
    index: int, scale: float, place: tuple[float, float], shade: tuple[int, int]
) -> None:
    frame = to_frame(pasted(index, scale, place, *shade))
    assert frame.shape == (28, 28)
    assert frame.dtype == np.uint8
    assert frame.max() >= 250, "contrast is stretched"
    assert alike(sample()[index], frame) > (0.75 if scale < 1 else 0.85)


def test_pasted_digits_keep_their_class() -> None:
    for scale, least in ((0.5, 0.9), (1.0, 0.96), (2.3, 0.96), (4.0, 0.96)):
        for shade in ((255, 0), (20, 220)):
            random = np.random.default_rng(7)
            frames, found = to_frames([pasted(i, scale, tuple(random.random(2)), *shade) for i in range(DIGITS)])
            assert found.all()
            assert (classifier().predict(frames) == classes()).mean() >= least, (scale, shade)


@settings(max_examples=60)
@given(indices, st.floats(0.5, 2), places, places)
def test_where_a_digit_stands_on_plain_paper_changes_nothing(
    index: int, scale: float, one: tuple[float, float], other: tuple[float, float]
) -> None:
    inner, outer = (tuple(0.1 + 0.8 * share for share in place) for place in (one, other))  # not cut by the border
    assert (to_frame(pasted(index, scale, inner)) == to_frame(pasted(index, scale, outer))).all()


@settings(max_examples=60)
@given(indices, st.integers(60, 255), st.integers(40, 200))
def test_brightness_and_contrast_change_little(index: int, paper: int, contrast: int) -> None:
    plain = to_frame(pasted(index, 2, (0.4, 0.6)))
    ink = max(0, paper - contrast)
    changed = to_frame(pasted(index, 2, (0.4, 0.6), paper, ink))
    assert alike(plain, changed) > 0.9


@settings(max_examples=40)
@given(indices, st.floats(0.8, 3))
def test_inverting_a_picture_changes_little(index: int, scale: float) -> None:
    picture = pasted(index, scale, (0.3, 0.5))
    assert alike(to_frame(picture), to_frame(255 - picture)) > 0.9, "but for rounding"


@settings(max_examples=40)
@given(indices, st.floats(0.5, 4), places)
def test_a_frame_has_mnists_geometry(index: int, scale: float, place: tuple[float, float]) -> None:
    frame = to_frame(pasted(index, scale, place))
    assert max(cropped(frame).shape) in {BOX - 1, BOX}
    rows, columns = np.indices(frame.shape)
    for axis in (rows, columns):
        assert 13.5 - 1e-9 <= (axis * frame.astype(float)).sum() / frame.sum() <= 14.5 + 1e-9
    assert is_frame(frame)
    assert (to_frame(frame) == frame).all()


def test_mnists_own_frames_pass_unchanged(mini: Any) -> None:
    frames, found = to_frames(list(mini.x_train))
    assert found.all()
    assert (frames == mini.x_train).all()


def test_a_frame_is_copied() -> None:
    frame = sample()[0].copy()
    to_frame(frame)[:] = 7
    assert (frame == sample()[0]).all()


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: np.roll(frame, 3, axis=0),
        lambda frame: 255 - frame,
        lambda frame: frame // 3,
        lambda frame: cv2.resize(frame, (14, 14)),
        lambda frame: np.pad(frame, 1),
        lambda frame: frame.astype(np.float32),
    ],
)
def test_what_is_no_frame(change: Any) -> None:
    assert not is_frame(change(sample()[0]))


def test_faint_inverted_and_moved_frames_are_framed_again() -> None:
    frame = sample()[4]
    for changed in (255 - frame, frame // 3, np.roll(frame, 3, axis=0)):
        assert alike(frame, to_frame(changed)) > 0.9


sizes = st.tuples(st.integers(20, 120), st.integers(20, 120))


@settings(max_examples=60)
@given(sizes, st.integers(0, 255))
def test_a_blank_page_has_no_ink(size: tuple[int, int], level: int) -> None:
    assert not to_frames([np.full(size, level, np.uint8)])[1].any()


@settings(max_examples=60)
@given(sizes, st.floats(-200, 200), st.floats(-200, 200))
def test_light_that_falls_off_is_no_ink(size: tuple[int, int], down: float, right: float) -> None:
    rows, columns = (np.linspace(-0.5, 0.5, side) for side in size)
    page = np.clip(128 + (rows[:, None] * down + columns * right) * 0.6, 0, 255).astype(np.uint8)
    assert not to_frames([page])[1].any()


@pytest.mark.parametrize("seed", range(12))
def test_noise_is_no_ink(seed: int) -> None:
    random = np.random.default_rng(seed)
    size = (60 + 10 * (seed % 4), 60 + 7 * (seed % 5))
    uniform = random.integers(0, 256, size).astype(np.uint8)
    normal = np.clip(np.rint(random.normal(190, 2 + 2 * seed, size)), 0, 255).astype(np.uint8)
    assert not to_frames([uniform, normal])[1].any()


def test_a_blank_picture_does_not_spoil_a_batch() -> None:
    frames, found = to_frames([sample()[0], np.full((30, 30), 200, np.uint8), pasted(1, 2, (0.2, 0.2))])
    assert found.tolist() == [True, False, True]
    assert not frames[1].any()
    assert frames.shape == (3, 28, 28)
    assert frames.dtype == np.uint8
    assert to_frames([])[0].shape == (0, 28, 28)


def test_no_ink_is_said_in_one_line() -> None:
    with pytest.raises(ImageError, match="no ink found in a picture of 40x30 pixels") as error:
        to_frame(np.full((30, 40), 255, np.uint8))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 50), (50, 1), (3, 200), (5, 5)])
def test_narrow_pictures_do_no_harm(size: tuple[int, int]) -> None:
    for picture in (np.zeros(size, np.uint8), np.random.default_rng(0).integers(0, 256, size).astype(np.uint8)):
        frames, _ = to_frames([picture])
        assert frames.shape == (1, 28, 28)


@settings(max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.sampled_from([2, 8, 64, 256]))
def test_any_picture_gives_a_frame_or_no_ink(height: int, width: int, seed: int, levels: int) -> None:
    coarse = np.random.default_rng(seed).integers(0, levels, (height // 4 + 1, width // 4 + 1)) * (255 // (levels - 1))
    picture = coarse.repeat(4, 0).repeat(4, 1)[:height, :width].astype(np.uint8)
    frames, found = to_frames([picture])
    assert frames[0].any() == found[0]


def test_colour_and_grey_agree() -> None:
    grey = pasted(3, 2, (0.5, 0.5))
    assert (to_frame(np.dstack([grey] * 3)) == to_frame(grey)).all()
    assert (to_frame(grey[:, :, None]) == to_frame(grey)).all()


def test_coloured_ink_on_coloured_paper() -> None:
    share = pasted(3, 2, (0.5, 0.5)).astype(float)[:, :, None] / 255
    plain = to_frame(pasted(3, 2, (0.5, 0.5)))
    for paper, ink in (((250, 240, 120), (30, 40, 180)), ((20, 60, 30), (240, 240, 230))):
        picture = np.rint(share * np.array(paper) + (1 - share) * np.array(ink)).astype(np.uint8)
        assert alike(plain, to_frame(picture)) > 0.97


def test_the_picture_is_left_alone() -> None:
    picture = pasted(5, 2, (0.1, 0.9))
    before = picture.copy()
    to_frame(picture)
    to_frame(picture[::-1, ::-1])
    assert (picture == before).all()


# A 2, each row's 17 cells as bits.
TWO = "0003e 000c1 00101 00201 00401 00002 00006 00004 00008 00010 00060 000c0 00180 00200 00c02 1f806 1e7fc"


@pytest.mark.parametrize("light", [True, False])
def test_a_digit_that_fills_a_coarse_grid_is_no_grid_line(light: bool) -> None:
    cells = np.array([[int(row, 16) >> bit & 1 for bit in range(16, -1, -1)] for row in TWO.split()], np.uint8) * 255
    picture = cv2.resize(cells, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)  # it rings beside the strokes
    frame = to_frame(picture if light else 255 - picture)
    x, y, width, height = cv2.boundingRect(frame)
    kept = cv2.resize(frame[y : y + height, x : x + width], cells.shape, interpolation=cv2.INTER_AREA)
    assert np.minimum(kept, cells).sum() > 0.5 * cells.sum(), "its strokes, not what is left of them"


def test_pictures_of_many_sizes_leave_little_behind() -> None:
    """A batch of a hundred thousand would else hold kernels and masks of every size that it met."""
    for side in range(20, 200, 2):
        to_frames([np.full((side, side + 3), 200, np.uint8)])
    for kept in (inks.square, inks._corners):
        assert kept.cache_info().currsize <= inks.KEPT
