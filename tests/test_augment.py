"""Augmentation: geometry against SciPy's look-up and the true matrix, ink against SciPy's filters, and its shares."""

from __future__ import annotations

from functools import partial
from unittest import mock

import cv2
import hypothesis.strategies as st
import jax
import numpy as np
import pytest
from hypothesis import given, settings
from scipy import ndimage

from pendigit.datasets import Dataset
from pendigit.errors import UsageError
from pendigit.learning import augment
from pendigit.learning.augment import MIDDLE, POLICIES, REACH, Augmentation, policy, preview

SIDE = 28
KEY = jax.random.key(3)
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE].astype(np.float32)
look_up = jax.jit(augment._looked_up)
pytestmark = pytest.mark.usefixtures("quickly_compiled")
several = settings(max_examples=40)
evenly = st.floats(-1, 1)


@pytest.fixture(scope="module")
def ink(mini: Dataset) -> np.ndarray:
    """400 digits, 0-1."""
    return mini.x_train[:400] / np.float32(255)


def changed(ink: np.ndarray, **what: float) -> np.ndarray:
    return np.asarray(jax.jit(Augmentation(**what))(KEY, ink))


def differ(ink: np.ndarray, found: np.ndarray) -> np.ndarray:
    return (ink != found).any(axis=(1, 2))


def bilinear(frame: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    return ndimage.map_coordinates(frame, [y, x], order=1, mode="grid-constant")


@several
@given(seed=st.integers(0, 2**32 - 1), which=st.sampled_from(["columns by column, rows freely", "columns freely"]))
def test_two_passes_are_scipys_look_up_where_they_can_be(seed: int, which: str) -> None:
    """Exactly so where the sideways move is one for each column, and where only columns move."""
    random = np.random.default_rng(seed)
    frames = random.random((2, SIDE, SIDE), np.float32)
    dy, dx = random.uniform(-REACH, REACH, (2, *frames.shape)).astype(np.float32)
    if which == "columns freely":
        dy[:] = 0
    else:
        dx[:] = dx[:, :1]
    found = look_up(frames, dy, dx)
    for number in range(2):
        expected = bilinear(frames[number], ROWS + dy[number], COLUMNS + dx[number])
        np.testing.assert_allclose(found[number], expected, atol=1e-5)


def test_nothing_comes_from_beyond_the_reach() -> None:
    white = np.ones((1, SIDE, SIDE), np.float32)
    nothing = np.zeros_like(white)
    for far in (nothing + REACH + 1, nothing - REACH - 1):
        assert not np.asarray(look_up(white, far, nothing)).any()
        assert not np.asarray(look_up(white, nothing, far)).any()


def smooth(seed: int) -> np.ndarray:
    """A frame of wide round spots where digits have their ink."""
    random = np.random.default_rng(seed)
    spots = [np.exp(-((ROWS - y) ** 2 + (COLUMNS - x) ** 2) / 18) for y, x in random.uniform(9, 18, (4, 2))]
    return np.asarray(sum(spots) / np.max(sum(spots)), np.float32)


LIMITS = {"rotation": 12.0, "scale": 0.12, "shear": 0.15, "shift": 2.0}


def moved(frame: np.ndarray, draws: list[float], limits: dict[str, float]) -> np.ndarray:
    """The frame as `Augmentation` moves it when its six draws from -1 to 1 are these."""
    values = np.array(draws, np.float32).reshape(6, 1, 1)
    with mock.patch.object(jax.random, "uniform", return_value=values):
        return np.asarray(Augmentation(**limits)(KEY, frame[None]))[0]


@several
@given(draws=st.lists(evenly, min_size=6, max_size=6), seed=st.integers(0, 99))
def test_rotation_scale_shear_and_shift_are_the_matrix(draws: list[float], seed: int) -> None:
    """Each pixel comes from: rotation times shear times scale of where it goes, and the shift."""
    angle = np.deg2rad(draws[0] * LIMITS["rotation"])
    rotation = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    shear = [[1, 0], [draws[3] * LIMITS["shear"], 1]]
    scale = np.diag([1 + draws[1] * LIMITS["scale"], 1 + draws[2] * LIMITS["scale"]])
    shift = np.array(draws[4:]) * LIMITS["shift"]
    to = np.stack([ROWS, COLUMNS]).reshape(2, -1) - MIDDLE
    y, x = np.array(rotation) @ shear @ scale @ to + shift[:, None] + MIDDLE
    frame = smooth(seed)
    expected = bilinear(frame, y, x).reshape(SIDE, SIDE)
    near = (np.abs(y - ROWS.ravel()) < REACH) & (np.abs(x - COLUMNS.ravel()) < REACH)
    difference = np.abs(moved(frame, draws, LIMITS) - expected).ravel()[near]
    assert near.mean() > 0.85
    assert difference.max() < 0.03, "two passes smooth a little otherwise than one"


@pytest.mark.parametrize("direction", [-1.0, 1.0])
def test_each_move_goes_as_its_description_says(direction: float) -> None:
    upright = np.exp(-((COLUMNS - MIDDLE) ** 2) / 8) * (np.abs(ROWS - MIDDLE) < 9)
    centre = (upright * COLUMNS).sum(axis=1)[5:23] / upright.sum(axis=1)[5:23]
    assert np.ptp(centre) < 1e-4

    def alone(**limits: float) -> np.ndarray:
        return moved(np.asarray(upright, np.float32), [direction] * 6, limits)

    def slope(frame: np.ndarray) -> float:
        """Pixels sideways for each pixel down."""
        rows = slice(8, 20)
        middles = (frame * COLUMNS).sum(axis=1)[rows] / frame.sum(axis=1)[rows]
        return float(np.polyfit(np.arange(8, 20), middles, 1)[0])

    assert slope(alone(shear=0.2)) == pytest.approx(-direction * 0.2, abs=0.01)
    assert slope(alone(rotation=10)) == pytest.approx(-direction * np.tan(np.deg2rad(10)), abs=0.01)
    assert alone(scale=0.2).sum() == pytest.approx(upright.sum() / (1 + 0.2 * direction) ** 2, rel=0.06)
    shifted = alone(shift=3, rotation=1e-9)
    np.testing.assert_allclose(shifted, np.roll(upright, (-3 * direction, -3 * direction), (0, 1)), atol=1e-2)


def test_elastic_moves_are_smooth_and_as_large_as_said() -> None:
    """On a ramp, a change of grey is a move: of pixels sideways where grey rises from left to right."""
    ramp = np.broadcast_to(COLUMNS / (SIDE - 1), (200, SIDE, SIDE)).astype(np.float32)
    inside = slice(6, SIDE - 6)
    moves = ((changed(ramp, elastic=0.8) - ramp) * (SIDE - 1))[:, inside, inside]
    assert moves.std() == pytest.approx(0.8, rel=0.1)
    assert abs(moves.mean()) < 0.1
    assert np.abs(np.diff(moves, axis=2)).mean() < 0.2, "neighbours move alike"
    assert np.abs(moves[:, 0, 0] - moves[:, -1, -1]).mean() > 0.5, "and far ones by themselves"


def test_shifts_alone_are_whole_pixels_all_equally_likely(ink: np.ndarray) -> None:
    found = changed(ink, shift=2.9)
    moves = [(y, x) for y in range(-2, 3) for x in range(-2, 3)]
    candidates = np.stack([ndimage.shift(ink, (0, y, x), order=0) for y, x in moves])
    same = (candidates == found).all(axis=(2, 3))
    assert (same.sum(axis=0) >= 1).all(), "every frame is one of them"
    assert same.sum(axis=1).min() >= 4, "16 expected of each"


def test_strokes_grow_and_shrink_towards_their_neighbours(ink: np.ndarray) -> None:
    found = changed(ink, stroke=0.8)
    cross = ndimage.generate_binary_structure(2, 1)[None]
    thick, thin = (
        ndimage.grey_dilation(ink, footprint=cross),
        ndimage.grey_erosion(ink, footprint=cross, mode="constant"),
    )
    thicker = found.sum(axis=(1, 2)) > ink.sum(axis=(1, 2))
    assert thicker.mean() == pytest.approx(2 / 3, abs=0.08)
    step = np.where(thicker[:, None, None], thick - ink, ink - thin)
    amounts = ((found - ink) * step).sum(axis=(1, 2)) / (step**2).sum(axis=(1, 2))
    np.testing.assert_allclose(found, ink + amounts[:, None, None] * step, atol=1e-5)
    assert -0.4 <= amounts.min() < -0.35
    assert 0.75 < amounts.max() <= 0.8


def test_contrast_makes_ink_evenly_fainter(ink: np.ndarray) -> None:
    found = changed(ink, contrast=0.4)
    factors = found.sum(axis=(1, 2)) / ink.sum(axis=(1, 2))
    np.testing.assert_allclose(found, ink * factors[:, None, None], atol=1e-6)
    assert 0.6 <= factors.min() < 0.63
    assert 0.97 < factors.max() <= 1


def test_a_share_of_the_frames_is_blurred(ink: np.ndarray) -> None:
    found = changed(ink, blur=0.3)
    hit = differ(ink, found)
    assert hit.mean() == pytest.approx(0.3, abs=0.07)
    binomial = np.outer([1, 2, 1], [1, 2, 1])[None] / 16
    np.testing.assert_allclose(found[hit], ndimage.convolve(ink[hit], binomial, mode="constant"), atol=1e-6)


def test_most_frames_have_far_less_noise_than_the_most() -> None:
    grey = np.full((400, SIDE, SIDE), 0.5, np.float32)
    found = changed(grey, noise=0.1)
    deviations = found.std(axis=(1, 2))
    assert found.mean() == pytest.approx(0.5, abs=0.002)
    assert 0.08 < deviations.max() < 0.11
    np.testing.assert_allclose(np.quantile(deviations, [0.25, 0.5, 0.75]), np.array([1, 8, 27]) / 640, rtol=0.3)


def test_a_share_of_the_frames_is_veiled(ink: np.ndarray) -> None:
    found = changed(ink, veil=0.4)
    hit = differ(ink, found)
    assert hit.mean() == pytest.approx(0.4, abs=0.08)
    veils = (found[hit] - ink[hit]) / np.where(ink[hit] < 1, 1 - ink[hit], 1)
    assert 0.45 < veils.max() <= 0.6
    smooth = np.abs(np.diff(np.where(ink[hit] < 0.5, veils, np.nan), axis=2))
    assert np.nanmax(smooth) < 0.2, "it has no edges"


def test_a_share_of_the_frames_goes_through_a_kernel_of_its_own(ink: np.ndarray) -> None:
    found = changed(ink, convolution=0.4)
    hit = np.flatnonzero(differ(ink, found))
    assert len(hit) / len(ink) == pytest.approx(0.4, abs=0.07)
    kernels = []
    for number in hit[:40]:
        padded = np.pad(ink[number], 1)
        seen = np.stack([padded[i : i + SIDE, j : j + SIDE] for i in range(3) for j in range(3)], axis=-1)
        lit = found[number] > 0
        kernel, *_ = np.linalg.lstsq(seen[lit], found[number][lit], rcond=None)
        np.testing.assert_allclose(np.maximum(seen @ kernel, 0), found[number], atol=1e-3)
        kernels.append(kernel)
        assert found[number].max() == pytest.approx(1), "full ink"
    assert np.std(kernels, axis=0).min() > 0.02


def test_a_share_of_the_frames_has_a_line_or_an_edge_along_a_border(ink: np.ndarray) -> None:
    black = np.zeros_like(ink)
    found = np.asarray(jax.jit(partial(augment._marked, share=0.5))(KEY, black))
    hit = differ(black, found)
    assert hit.mean() == pytest.approx(0.5, abs=0.08)
    borders, widths = set(), []
    for frame in found[hit]:
        x, y, width, height = cv2.boundingRect((frame > 0).astype(np.uint8))
        assert max(width, height) == SIDE
        assert len(np.unique(frame[frame > 0])) == 1
        assert 0.4 <= frame.max() <= 1
        place, thick, axis = (x, width, 1) if height == SIDE else (y, height, 0)
        assert min(place, SIDE - place - thick) < 3
        borders.add((axis, place > SIDE // 2 - 5))
        widths.append(thick)
    assert len(borders) == 4
    assert np.mean(np.array(widths) <= 2) > 0.5
    assert max(widths) > 5


def test_a_share_of_the_frames_has_a_stroke_across(ink: np.ndarray) -> None:
    black = np.zeros_like(ink)
    found = np.asarray(jax.jit(partial(augment._crossed, share=0.5))(KEY, black))
    hit = differ(black, found)
    assert hit.mean() == pytest.approx(0.5, abs=0.1)
    for frame in found[hit]:
        points = np.argwhere(frame > 0.2).astype(np.float64)
        spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
        assert spread[1] / np.sqrt(len(points)) < 1.3, "a straight line of one or two pixels"
    over = changed(ink, marks=0.5)
    assert (over >= ink).all(), "ink stays where it was"


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_keeps_the_range_and_follows_its_key(name: str, ink: np.ndarray) -> None:
    change, few = jax.jit(policy(name)), ink[:200]
    least = 0.8 if name == "shift" else 0.99  # one of the nine shifts by up to a pixel moves nothing
    first, again = np.asarray(change(KEY, few)), np.asarray(change(KEY, few))
    np.testing.assert_array_equal(first, again)
    assert first.shape == few.shape
    assert first.dtype == np.float32
    assert first.min() >= 0
    assert first.max() <= 1
    if name == "none":
        np.testing.assert_array_equal(first, few)
    else:
        assert differ(np.asarray(change(jax.random.key(4), few)), first).mean() > least
        assert differ(few, first).mean() > least
        assert first.sum() > 0.5 * few.sum(), "digits stay in sight"


def test_a_preview_shows_each_frame_and_then_what_becomes_of_it(mini: Dataset) -> None:
    frames = mini.x_test[:3]
    sheet = preview("mild", frames, 4, seed=1)
    assert (sheet.shape, sheet.dtype) == ((3, 4, SIDE, SIDE), np.uint8)
    np.testing.assert_array_equal(sheet[:, 0], frames)
    for row in sheet:
        assert len(np.unique(row.reshape(4, -1), axis=0)) == 4, "every drawing is another"
    np.testing.assert_array_equal(preview("mild", frames, 4, seed=1), sheet)
    assert (preview("mild", frames, 4, seed=2)[:, 1:] != sheet[:, 1:]).any()
    np.testing.assert_array_equal(preview("none", frames, 3, seed=0), np.repeat(frames[:, None], 3, axis=1))


def test_an_unknown_policy_is_named() -> None:
    with pytest.raises(UsageError, match="unknown augmentation 'mld'; expected none, shift, mild, strong, world, wild"):
        policy("mld")
