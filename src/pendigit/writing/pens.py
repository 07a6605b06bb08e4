"""From strokes to ink: how a pen of some width, shape and pressure draws them; and ink drawn again by another pen."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.writing.curves import Curve, Rng, Strokes
from pendigit.writing.forms import write

Ink = npt.NDArray[np.float32]  # (h, w): 0 none to 1 full

HEIGHT = 64  # pixels: the longer side of a digit as it is drawn, three times the frame's box
FINE, BROAD = 0.03, 0.19  # of the longer side: a sharp pencil's stroke, and a marker's
SUBPIXELS = 4  # bits: OpenCV draws lines between points given in sixteenths of a pixel
MARGIN = 3  # pixels of nothing around the ink


def draw_digit(rng: Rng, digit: int) -> Ink:
    """A digit written by some hand with some pen: ink (h, w), cropped, the longer side about 64 pixels."""
    return draw(rng, write(rng, digit))


def random_pen(rng: Rng) -> float:
    """The width of some pen's stroke, as a share of the digit's longer side."""
    return float(np.exp(rng.uniform(np.log(FINE), np.log(BROAD))))


def draw(rng: Rng, strokes: Strokes, pen: float | None = None) -> Ink:
    """Strokes of any size -> ink (h, w), cropped, the longer side about 64 pixels; `pen` is a share of it, or any."""
    every = np.concatenate(strokes)
    low, high = every.min(axis=0), every.max(axis=0)
    scale = HEIGHT / max(*(high - low), 1e-6)
    width = HEIGHT * (random_pen(rng) if pen is None else pen)
    shape = np.ceil((high - low) * scale + 2 * width + 2 * MARGIN).astype(int)[::-1]
    canvas = np.zeros(shape, np.uint8)
    nib = _nib(rng)
    for stroke in strokes:
        _trace(canvas, (stroke - low) * scale + width + MARGIN, width * _pressure(rng, len(stroke)), nib)
    ink = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.4, 1.0)).astype(np.float32) / 255
    if rng.random() < 0.15:
        ink = _dry(rng, ink)
    return cropped(ink)


def repen(rng: Rng, ink: Ink, pen: float | None = None) -> Ink:
    """Ink (h, w) as a finer or broader pen would have drawn it: its outline moved, its middle line kept.

    `pen` is its stroke's width as a share of the longer side, or any.

    The outline is a level of the distance to it; moving it in by more than a stroke's half width would break the
    stroke, so that it is held back along the strokes' middle.
    """
    room = MARGIN + round(BROAD / 2 * max(ink.shape))  # for strokes that grow over the edge
    inside = np.pad((ink > 0.5).astype(np.uint8), room)
    if not inside.any():
        return ink
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    ridge = cv2.dilate(depth, np.ones((5, 5), np.uint8))  # a stroke's half width, near its middle
    half = float(np.median(ridge[(depth > 0) & (depth >= ridge - 0.5)]))
    wanted = max(ink.shape) * (random_pen(rng) if pen is None else pen) / 2
    level = np.clip(half - wanted, -4.0 * half, None)
    kept = np.minimum(level, ridge - 0.8) if level > 0 else level  # at least 1.6 pixels of a stroke stay
    return cropped(np.clip(depth - kept + 0.5, 0, 1).astype(np.float32))


def cropped(ink: Ink) -> Ink:
    """Ink without empty rows and columns around it; as it is where there is none."""
    x, y, width, height = cv2.boundingRect((ink > 0.1).astype(np.uint8))
    return ink[y : y + height, x : x + width] if width else ink


def _pressure(rng: Rng, count: int) -> npt.NDArray[np.float64]:
    """Shares of the pen's width along a stroke (count,): it presses more here and less there, and lifts at the end."""
    waves = rng.normal(0, 0.12, 4)
    along = np.linspace(0, 1, count)[:, None]
    pressure = 1 + (waves * np.sin(np.pi * np.arange(1, 5) * (along + rng.uniform(0, 1, 4)))).sum(axis=1)
    if rng.random() < 0.25:
        pressure *= np.clip((1 - along[:, 0]) / rng.uniform(0.05, 0.3), 0.35, 1)
    return np.asarray(np.clip(pressure, 0.35, 1.6))


def _nib(rng: Rng) -> npt.NDArray[np.float64]:
    """How much wider a stroke is for its direction, in 32 steps of a turn: round for most, flat for some pens."""
    if rng.random() < 0.8:
        return np.ones(32)
    angle, flat = rng.uniform(0, np.pi), rng.uniform(0.2, 0.6)
    return 1 - flat * np.abs(np.cos(np.linspace(0, 2 * np.pi, 32, endpoint=False) - angle))


def _trace(
    canvas: npt.NDArray[np.uint8], points: Curve, widths: npt.NDArray[np.float64], nib: npt.NDArray[np.float64]
) -> None:
    """Draw a curve of pixels (n, 2) with widths (n,) in pixels onto the canvas."""
    steps = np.diff(points, axis=0)
    turn = (np.arctan2(steps[:, 1], steps[:, 0]) / (2 * np.pi) * 32).astype(int) % 32
    fixed = np.rint(points * 2**SUBPIXELS).astype(int)
    for start, end, width in zip(fixed[:-1], fixed[1:], widths[1:] * nib[turn], strict=True):
        cv2.line(canvas, start.tolist(), end.tolist(), 255, max(1, round(width)), cv2.LINE_AA, SUBPIXELS)


def _dry(rng: Rng, ink: Ink) -> Ink:
    """Ink that did not take everywhere, as of a pencil on rough paper."""
    grain = cv2.GaussianBlur(rng.normal(0, 1, ink.shape).astype(np.float32), (0, 0), rng.uniform(0.6, 2.0))
    grain /= max(float(grain.std()), 1e-6)
    return np.asarray(ink * np.clip(1 - rng.uniform(0.1, 0.5) * np.maximum(grain - 0.3, 0), 0.2, 1), np.float32)


def bend(rng: Rng, ink: Ink) -> Ink:
    """Ink slanted, stretched and bent a little, as another hand's: (h, w) -> (h', w'), cropped."""
    height, width = ink.shape
    slant, wide = rng.normal(0, 0.15), np.exp(rng.normal(0, 0.15))
    shape = height + 2 * MARGIN, int(width * wide + abs(slant) * height) + 2 * MARGIN + 8
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    across, down = (x - shape[1] / 2) / wide, y - shape[0] / 2
    across = across + slant * down
    a, b, phase, other = *rng.normal(0, 0.02, 2), *rng.uniform(0, 2 * np.pi, 2)
    across += a * height * np.sin(5 * down / height + phase)
    down = down + b * height * np.sin(5 * across / height + other)
    moved = cv2.remap(
        ink, (across + width / 2).astype(np.float32), (down + height / 2).astype(np.float32), cv2.INTER_LINEAR
    )
    return cropped(moved)
