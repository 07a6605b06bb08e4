"""The corruptions against scikit-image, SciPy and their definition, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import affine_transform, gaussian_filter
from skimage.feature import canny

from pendigit.datasets import Dataset
from pendigit.errors import UsageError
from pendigit.judging import corruptions, warps
from pendigit.judging.canny import edges
from pendigit.judging.corruptions import CORRUPTIONS, corrupt

RANDOM = np.random.default_rng


@pytest.fixture(scope="module")
def frames(mini: Dataset) -> np.ndarray:
    return mini.x_test[:120]


@pytest.fixture(scope="module")
def values(frames: np.ndarray) -> np.ndarray:
    return frames / 255


def test_there_are_the_fifteen() -> None:
    assert ", ".join(CORRUPTIONS) == (
        "shot_noise, impulse_noise, glass_blur, motion_blur, shear, scale, rotate, brightness, translate, stripe, fog, "
        "spatter, dotted_line, zigzag, canny_edges"
    )


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_frames_stay_frames_and_the_seed_decides(name: str, frames: np.ndarray) -> None:
    before = frames.copy()
    first, again, other = corrupt(name, frames, 3), corrupt(name, frames, 3), corrupt(name, frames, 4)
    assert (first.shape, first.dtype) == (frames.shape, np.uint8)
    np.testing.assert_array_equal(frames, before)
    np.testing.assert_array_equal(first, again)
    assert (first != frames).any(axis=(1, 2)).all(), "every frame is changed"
    assert (first == other).all() == (name in {"scale", "brightness", "stripe", "canny_edges"})
    assert corrupt(name, frames[:0]).shape == (0, 28, 28)


def test_an_unknown_corruption_is_refused(frames: np.ndarray) -> None:
    with pytest.raises(UsageError, match="snow"):
        corrupt("snow", frames)


@given(arrays(np.uint8, (28, 28)))
@settings(max_examples=40)
def test_edges_of_anything_are_scikit_images(image: np.ndarray) -> None:
    np.testing.assert_array_equal(edges(image / 255), canny(image / 255))


def test_edges_of_digits_are_scikit_images(values: np.ndarray) -> None:
    for value in values:
        np.testing.assert_array_equal(edges(value), canny(value))


@given(arrays(np.float64, (2, 2), elements=st.floats(-2, 2)), st.tuples(st.floats(-9, 9), st.floats(-9, 9)))
@settings(max_examples=60)
def test_a_warp_is_scipys(matrix: np.ndarray, shift: tuple[float, float]) -> None:
    values = RANDOM(0).random((2, 28, 28))
    ours = warps.warp(values, matrix, shift)
    turned = matrix[::-1, ::-1]  # SciPy counts (row, column)
    offset = 13.5 - turned @ (13.5, 13.5) + shift[::-1]
    for value, warped in zip(values, ours, strict=True):
        theirs = affine_transform(value, turned, offset, order=1, mode="grid-constant")
        np.testing.assert_allclose(warped, theirs, atol=1e-9)


def test_shear_and_rotation_map_places_as_the_definition_says(values: np.ndarray) -> None:
    corner = np.zeros((1, 28, 28))
    corner[0, 4, 20] = 1  # right and up from the centre
    matrices = {
        "shear": lambda sign: [[1, -np.sin(0.4 * sign)], [0, np.cos(0.4 * sign)]],
        "rotate": lambda s: [[np.cos(0.4), -np.sin(0.4 * s)], [np.sin(0.4 * s), np.cos(0.4)]],
    }
    for name, matrix in matrices.items():
        both = [warps.warp(corner, matrix(sign))[0] for sign in (1, -1)]
        found = CORRUPTIONS[name](np.repeat(corner, 40, axis=0), RANDOM(0))
        matched = [[np.allclose(each, expected) for each in found] for expected in both]
        assert np.sum(matched) == 40
        assert min(np.sum(matched, axis=1)) > 10, "either side in its turn"


def test_translation_moves_by_three_pixels_into_all_corners(values: np.ndarray) -> None:
    found = CORRUPTIONS["translate"](values, RANDOM(0))
    ways = set()
    for value, moved in zip(values, found, strict=True):
        fits = [
            (x, y)
            for x in (-3, 3)
            for y in (-3, 3)
            if np.allclose(np.roll(np.pad(value, 3), (-y, -x), (0, 1))[3:-3, 3:-3], moved)
        ]
        assert len(fits) == 1
        ways.add(fits[0])
    assert len(ways) == 4


def test_scale_brightness_and_stripe_by_hand(frames: np.ndarray, values: np.ndarray) -> None:
    assert abs(corrupt("brightness", frames) - np.minimum(255, frames + 127.5)).max() <= 0.5
    striped = corrupt("stripe", frames)
    np.testing.assert_array_equal(striped[:, :, 7:21], frames[:, :, 7:21])
    np.testing.assert_array_equal(striped[:, :, :7] + frames[:, :, :7], 255)
    scaled = [
        affine_transform(value, np.eye(2) / 0.7, 13.5 - 13.5 / 0.7, order=1, mode="grid-constant") for value in values
    ]
    np.testing.assert_allclose(CORRUPTIONS["scale"](values, RANDOM(0)), scaled, atol=1e-9)


def test_noise_has_the_published_strength(frames: np.ndarray) -> None:
    noisy = corrupt("impulse_noise", frames)
    black = frames == 0
    assert (noisy[black] == 255).mean() == pytest.approx(0.17 / 2, abs=0.005)
    assert set(np.unique(noisy[black])) == {0, 255}
    shot = corrupt("shot_noise", np.full((100, 28, 28), 85, np.uint8))  # a third: one photon on average
    assert set(np.unique(shot)) == {0, 85, 170, 255}
    assert (shot == 0).mean() == pytest.approx(np.exp(-1), abs=0.01)
    assert (shot == 85).mean() == pytest.approx(np.exp(-1), abs=0.01)


def test_blurs_are_scipys(values: np.ndarray) -> None:
    for across, sigma in ((True, (1.5, 1.5)), (False, (1.5, 0))):
        expected = [gaussian_filter(value, sigma, mode="nearest", truncate=4) for value in values]
        np.testing.assert_allclose(corruptions._blur(values, 1.5, across), expected, atol=1e-12)


def test_glass_swaps_pixels_and_keeps_their_sum() -> None:
    values = RANDOM(1).integers(0, 256, (30, 28, 28)) / 255
    shuffled: list[np.ndarray] = []

    def keep(values: np.ndarray, sigma: float, across: bool) -> np.ndarray:
        assert (sigma, across) == (0.7, False)
        shuffled.append(values)
        return values

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corruptions, "_blur", keep)
        CORRUPTIONS["glass_blur"](values, RANDOM(0))
    found, expected = shuffled[1].reshape(30, -1), (np.floor(values * 255) / 255).reshape(30, -1)
    np.testing.assert_allclose(np.sort(found), np.sort(expected))
    assert 0.6 < (shuffled[1] != shuffled[0]).mean() < 0.95
    np.testing.assert_array_equal(shuffled[1][:, 0, 1:], np.floor(values * 255)[:, 0, 1:] / 255)


def test_motion_draws_a_half_gaussian_tail_at_an_angle() -> None:
    dot = np.zeros((200, 28, 28))
    dot[:, 14, 24] = 1
    moved = CORRUPTIONS["motion_blur"](dot, RANDOM(0))
    weights = np.exp(-(np.arange(21) ** 2) / 18)
    length = (np.arange(21) * weights).sum() / weights.sum()  # pixels, of the tail's centre from the dot
    rows, columns = np.indices((28, 28))
    angles = []
    for tail in moved:
        assert tail.sum() == pytest.approx(1)
        down, left = (tail * (rows - 14)).sum(), (tail * (24 - columns)).sum()
        assert np.hypot(down, left) == pytest.approx(length, abs=0.25), "pixels are whole"
        angles.append(np.degrees(np.arctan2(down, left)))
    assert -50 < min(angles) < -35, "level to 45 degrees up"
    assert 35 < max(angles) < 50, "or down"
    assert np.mean(angles) == pytest.approx(0, abs=5)


def test_fog_is_a_cloud_that_keeps_what_is_brightest_below_it(values: np.ndarray) -> None:
    foggy = CORRUPTIONS["fog"](np.zeros((40, 28, 28)), RANDOM(0))
    assert (foggy == 0).all(), "without any ink there is no brightness to share"
    ramps = np.linspace(0, 1, 28)[None, None] * np.ones((200, 28, 1))
    clouds = (CORRUPTIONS["fog"](ramps, RANDOM(0)) * 4 - ramps) / 3
    assert 0 <= clouds.min() < 0.05
    assert 0.95 < clouds.max() <= 1 + 1e-6
    rough = abs(np.diff(clouds, axis=2)).mean()
    assert rough < clouds.std(axis=(1, 2)).mean() < clouds.mean(axis=(1, 2)).std(), "clouds are larger than a frame"


def test_mud_is_grey_and_hides_the_ink(values: np.ndarray) -> None:
    white = CORRUPTIONS["spatter"](np.ones((50, 28, 28)), RANDOM(0))
    black = CORRUPTIONS["spatter"](np.zeros((50, 28, 28)), RANDOM(0))
    mud = black > 0
    assert 0.1 < mud.mean() < 0.4
    np.testing.assert_array_equal(white < 1, mud)
    assert black.max() == pytest.approx(63 / 255, rel=1e-3)
    np.testing.assert_allclose(1 - white[mud], black[mud] * (255 / 63 - 1))


def test_lines_cross_the_frame(values: np.ndarray) -> None:
    empty = np.zeros((400, 28, 28))
    dotted = CORRUPTIONS["dotted_line"](empty, RANDOM(0))
    inked = dotted.max(axis=1) > 0
    assert not inked[:, np.arange(28) // 2 % 2 == 0].any(), "two columns off"
    assert inked[:, [2, 3, 6, 7, 22, 23, 26]].all(), "two on"
    zigzag = CORRUPTIONS["zigzag"](empty, RANDOM(0))
    assert (zigzag[:, :, 3:24].max(axis=1) > 0.3).mean() > 0.95
    assert zigzag[:, :, :2].max() == 0
    level = corruptions._zigzag(14, 0)
    assert np.argmax(level[:, 4]) == 16, "its first corner is two pixels below its start"
    assert np.argmax(level[:, 8]) == 12, "its second two pixels above"


def test_curves_change_what_they_say(frames: np.ndarray) -> None:
    np.testing.assert_array_equal(warps.shift(frames, 0), frames)
    np.testing.assert_array_equal(warps.shift(frames, 3)[:, :, 3:], frames[:, :, :-3])
    np.testing.assert_array_equal(warps.rotate(frames, 0), frames)
    np.testing.assert_array_equal(warps.rotate(frames, 90), np.rot90(frames, 1, (1, 2)))
    sums = [warps.scale(frames, factor).sum() / frames.sum() for factor in (0.5, 1, 1.3)]
    np.testing.assert_allclose(sums, [0.25, 1, 1.69], rtol=0.06)
    widths = [int((warps.widen(frames, pixels) > 127).sum()) for pixels in (-1, -0.5, 0, 0.5, 1, 2)]
    assert widths == sorted(set(widths)), "each half pixel counts"
    assert widths[2] == pytest.approx((frames > 127).sum(), rel=0.02)
