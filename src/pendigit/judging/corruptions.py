"""The fifteen corruptions of MNIST-C (Mu and Gilmer 2019, arxiv.org/abs/1906.02337), for judging, never for training.

Written from their definition, with the severities of the published set; what looks odd here is odd there. Raw frames
go in and raw frames come out: none is centred again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.classifier import SIDE, Frames
from pendigit.errors import UsageError
from pendigit.judging.canny import edges
from pendigit.judging.warps import Floats, rotation, to_floats, to_uint8, warp

Random = np.random.Generator

SHOTS = 3  # photons that a white pixel gets
IMPULSES = 0.17  # of the pixels become black or white
GLASS_SIGMA, GLASS_ROUNDS = 0.7, 2  # pixels; rounds of swapping neighbours
MOTION_RADIUS, MOTION_SIGMA, MOTION_ANGLE = 10, 3.0, 45.0  # pixels, pixels, degrees to either side of level
SHEAR, ROTATION = 0.4, 0.4  # radians to either side
SCALE = 0.7  # of the digit's size
BRIGHTNESS = 0.5  # of white, added
TRANSLATION = 3  # pixels in both directions
STRIPE = 7  # columns on either side
FOG, FOG_DECAY, FOG_MAP, FOG_WOBBLE = 3.0, 1.4, 256, 100.0  # density, roughness, pixels of the map, first height
FOG_BATCH = 8  # maps of 0.25 MB at a time, which a core's cache holds
SPATTER_MEAN, SPATTER_SPREAD, SPATTER_LEVEL = 0.65, 0.3, 0.65  # of the liquid, and what of it stays
SPATTER_SIGMA, SPATTER_EDGE, SPATTER_LEAST = 1.0, 1.5, 0.8  # pixels, pixels, the thinnest mud
MUD = 63 / 255  # grey
LINE_REACH = 2.3  # pixels: where a line has faded
LINE_ROWS = 27  # a line starts in one of these rows
ZIGZAG_STEP, ZIGZAG_START, ZIGZAG_END, ZIGZAG_SLOPE = 2.0, 2, 25, 5  # pixels, columns, rows up or down at most


def corrupt(name: str, frames: Frames, seed: int = 0) -> Frames:
    """Frames (n, 28, 28) uint8, ink bright on black -> the same, corrupted; the same seed gives the same.

    Raises UsageError for a name not in `CORRUPTIONS`.
    """
    if name not in CORRUPTIONS:
        raise UsageError(f"corruption {name!r}", f"one of {', '.join(CORRUPTIONS)}", "choose one of them")
    random = np.random.default_rng([seed, list(CORRUPTIONS).index(name)])
    return to_uint8(CORRUPTIONS[name](to_floats(frames), random))


def shot_noise(values: Floats, random: Random) -> Floats:
    """The grain of few photons."""
    return np.asarray(random.poisson(values * SHOTS) / SHOTS, np.float64)


def impulse_noise(values: Floats, random: Random) -> Floats:
    """Salt and pepper."""
    hit, salt = random.random(values.shape) < IMPULSES, random.random(values.shape) < 0.5
    return np.where(hit, salt, values)


def glass_blur(values: Floats, random: Random) -> Floats:
    """Neighbours swapped between two blurs; the definition blurs down the columns alone, taking rows for colours."""
    shuffled = np.floor(_blur(values, GLASS_SIGMA, across=False) * 255) / 255
    every = np.arange(len(values))
    for _ in range(GLASS_ROUNDS):
        for row in range(SIDE - 1, 1, -1):
            for column in range(SIDE - 1, 1, -1):
                swapped = every[random.random(len(every)) < 0.5]
                up, left = random.integers(0, 2, (2, len(swapped)))
                here, there = (swapped, row, column), (swapped, row - up, column - left)
                shuffled[here], shuffled[there] = shuffled[there], shuffled[here]
    return _blur(shuffled, GLASS_SIGMA, across=False)


def motion_blur(values: Floats, random: Random) -> Floats:
    """A tail to one side, as ImageMagick's motion blur draws it."""
    steps = np.arange(2 * MOTION_RADIUS + 1)
    weights = np.exp(-(steps**2) / (2 * MOTION_SIGMA**2))
    weights /= weights.sum()
    angles = np.radians(random.uniform(-MOTION_ANGLE, MOTION_ANGLE, len(values)))
    blurred = np.empty_like(values)
    for index, angle in enumerate(angles):
        x, y = (np.ceil(steps * part - 0.5).astype(np.int64) for part in (np.cos(angle), np.sin(angle)))
        kernel = np.zeros((2 * len(steps) - 1, len(steps)))
        np.add.at(kernel, (y + len(steps) - 1, x), weights)
        anchor = (0, len(steps) - 1)
        blurred[index] = cv2.filter2D(values[index], -1, kernel, anchor=anchor, borderType=cv2.BORDER_REPLICATE)
    return blurred


def shear(values: Floats, random: Random) -> Floats:
    """Slanted to either side; the definition's shear also shortens."""
    return _either(values, random, lambda sign: np.array([[1, -np.sin(sign * SHEAR)], [0, np.cos(SHEAR)]]))


def scale(values: Floats, random: Random) -> Floats:
    """Made smaller."""
    return warp(values, np.eye(2) / SCALE)


def rotate(values: Floats, random: Random) -> Floats:
    """Turned to either side."""
    return _either(values, random, lambda sign: rotation(sign * ROTATION))


def brightness(values: Floats, random: Random) -> Floats:
    """Everything brighter, paper too."""
    return values + BRIGHTNESS


def translate(values: Floats, random: Random) -> Floats:
    """Moved towards a corner."""
    moved = np.empty_like(values)
    right, down = random.choice((-1, 1), (2, len(values)))
    for x, y in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        chosen = (right == x) & (down == y)
        moved[chosen] = warp(values[chosen], np.eye(2), (TRANSLATION * x, TRANSLATION * y))
    return moved


def stripe(values: Floats, random: Random) -> Floats:
    """Inverted on the left and on the right."""
    striped = values.copy()
    for side in (slice(None, STRIPE), slice(SIDE - STRIPE, None)):
        striped[:, :, side] = 1 - striped[:, :, side]
    return striped


def fog(values: Floats, random: Random) -> Floats:
    """Behind a cloud; what was brightest is as bright as before."""
    fogs = [_clouds(len(values[start:][:FOG_BATCH]), random) for start in range(0, len(values), FOG_BATCH)]
    brightest = values.max(axis=(1, 2), keepdims=True)
    clouded = values + FOG * np.concatenate([*fogs, np.empty((0, SIDE, SIDE))])
    return np.asarray(clouded * brightest / (brightest + FOG), np.float64)


def spatter(values: Floats, random: Random) -> Floats:
    """Splashes of mud."""
    liquid = _blur(random.normal(SPATTER_MEAN, SPATTER_SPREAD, values.shape), SPATTER_SIGMA)
    mud = _blur((liquid > SPATTER_LEVEL).astype(np.float64), SPATTER_EDGE)
    mud[mud < SPATTER_LEAST] = 0
    return np.asarray(values * (1 - mud) + MUD * mud, np.float64)


def dotted_line(values: Floats, random: Random) -> Floats:
    """A dotted line from side to side."""
    lines = np.array([[_dotted(start, end) for end in range(LINE_ROWS)] for start in range(LINE_ROWS)])
    start, end = random.integers(0, LINE_ROWS, (2, len(values)))
    return np.asarray(values + lines[start, end], np.float64)


def zigzag(values: Floats, random: Random) -> Floats:
    """A zigzag line from side to side."""
    slopes = range(-ZIGZAG_SLOPE, ZIGZAG_SLOPE)
    lines = np.array([[_zigzag(start, slope) for slope in slopes] for start in range(LINE_ROWS)])
    start, slope = random.integers(0, LINE_ROWS, len(values)), random.integers(0, len(slopes), len(values))
    return np.asarray(values + lines[start, slope], np.float64)


def canny_edges(values: Floats, random: Random) -> Floats:
    """The digit's outline alone."""
    return np.array([edges(value) for value in values], np.float64).reshape(values.shape)


CORRUPTIONS: dict[str, Callable[[Floats, Random], Floats]] = {
    function.__name__: function
    for function in (
        shot_noise,
        impulse_noise,
        glass_blur,
        motion_blur,
        shear,
        scale,
        rotate,
        brightness,
        translate,
        stripe,
        fog,
        spatter,
        dotted_line,
        zigzag,
        canny_edges,
    )
}


def _blur(values: Floats, sigma: float, across: bool = True) -> Floats:
    """Gaussian smoothing, cut off at 4 deviations, the border repeated; down the columns alone without `across`."""
    size = 2 * int(4 * sigma + 0.5) + 1
    kernel = (size if across else 1, size)
    blurred = [cv2.GaussianBlur(value, kernel, sigma, borderType=cv2.BORDER_REPLICATE) for value in values]
    return np.array(blurred, np.float64).reshape(values.shape)


def _either(values: Floats, random: Random, matrix: Callable[[int], Floats]) -> Floats:
    """Warp each frame by `matrix(1)` or `matrix(-1)`, as it falls."""
    signs = random.choice((-1, 1), len(values))
    warped = np.empty_like(values)
    for sign in (-1, 1):
        warped[signs == sign] = warp(values[signs == sign], matrix(sign))
    return warped


def _clouds(count: int, random: Random) -> Floats:
    """Corners (count, 28, 28) of fractal height maps in [0, 1], by the diamond-square algorithm on a torus."""
    heights = np.zeros((count, FOG_MAP, FOG_MAP), np.float32)
    step, wobble = FOG_MAP, FOG_WOBBLE

    def mean(total: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        total /= 4
        total += (random.random(total.shape, np.float32) * 2 - 1) * np.float32(wobble**2)
        return total

    while step >= 2:
        half = step // 2
        corners, middles = heights[:, ::step, ::step], heights[:, half::step, half::step]
        rows = corners + np.roll(corners, -1, axis=1)
        middles[:] = mean(rows + np.roll(rows, -1, axis=2))
        heights[:, ::step, half::step] = mean(
            middles + np.roll(middles, 1, axis=1) + corners + np.roll(corners, -1, axis=2)
        )
        heights[:, half::step, ::step] = mean(
            middles + np.roll(middles, 1, axis=2) + corners + np.roll(corners, -1, axis=1)
        )
        step, wobble = half, wobble / FOG_DECAY
    low, high = heights.min(axis=(1, 2), keepdims=True), heights.max(axis=(1, 2), keepdims=True)
    return np.asarray((heights[:, :SIDE, :SIDE] - low) / (high - low), np.float64)


def _line(x0: float, y0: float, x1: float, y1: float) -> Floats:
    """A line (28, 28) that fades with the distance in rows, over the columns from `x0` to `x1`."""
    rows, columns = np.indices((SIDE, SIDE))
    distance = abs(rows - (y0 + (y1 - y0) / (x1 - x0) * (columns - x0)))
    line = np.clip(1 + np.log(1 - np.minimum(distance, LINE_REACH - 1e-10) / LINE_REACH), 0, 1)
    return np.where((columns >= np.floor(x0)) & (columns < np.ceil(x1)), line, 0)


@cache
def _dotted(start: int, end: int) -> Floats:
    """Two columns without, two with the line."""
    return _line(0, start, SIDE - 1, end) * (np.arange(SIDE) // 2 % 2)


@cache
def _zigzag(start: int, slope: int) -> Floats:
    """A line whose corners lie to either side of a straight one from (2, start) to (25, start + slope)."""
    step = ZIGZAG_STEP
    angle = np.arctan(slope / (ZIGZAG_END - ZIGZAG_START))
    length = (ZIGZAG_END - ZIGZAG_START) / np.cos(angle)
    corners = [(0.0, 0.0)]
    for index in range(int((length - step) // (2 * step)) + 1):
        corners.append(((2 * index + 1) * step, (-1) ** index * step))
    whole = 2 * step * (length // (2 * step))
    if length != whole:
        corners.append((length, corners[-1][1] / (2 * (length - whole))))
    x, y = rotation(angle) @ np.array(corners).T + [[ZIGZAG_START], [start]]
    lines = [_line(*ends) for ends in zip(x[:-1], y[:-1], x[1:], y[1:], strict=True)]
    return np.asarray(np.sum(lines, axis=0), np.float64)
