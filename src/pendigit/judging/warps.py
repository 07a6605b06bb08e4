"""Frames moved, turned, scaled, sheared and drawn with thicker or thinner strokes. Pure NumPy, and exact.

OpenCV's warps round coordinates to 1/32 pixel in some versions and not in others; figures must not depend on that.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.classifier import SIDE, Frames

MIDDLE = (SIDE - 1) / 2  # pixels: the frame's centre, between its pixels
FINE = 4  # times: strokes are widened on an enlarged frame, so that half a pixel can be told from none

Floats = npt.NDArray[np.float64]  # (n, 28, 28) in [0, 1]


def to_floats(frames: Frames) -> Floats:
    """Frames (n, 28, 28) uint8 -> the same in [0, 1]."""
    return frames / 255


def to_uint8(values: Floats) -> Frames:
    """Values (n, 28, 28), cut off at 0 and 1 -> frames uint8, rounded to the nearest."""
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def warp(values: Floats, matrix: npt.ArrayLike, shift: tuple[float, float] = (0, 0)) -> Floats:
    """Take every pixel from `matrix @ (pixel - centre) + centre + shift`, by bilinear interpolation, 0 outside.

    Args:
        values: (n, 28, 28).
        matrix: (2, 2), on (x, y); it maps a place of the result to one of the source, so 2 * identity halves a digit.
        shift: (x, y) in pixels.
    """
    places = np.indices((SIDE, SIDE))[::-1].reshape(2, -1) - MIDDLE  # (x, y)
    x, y = np.asarray(matrix, np.float64) @ places + MIDDLE + np.reshape(shift, (2, 1))
    left, top = np.floor(x), np.floor(y)
    flat = values.reshape(len(values), SIDE * SIDE)
    result = np.zeros(flat.shape)
    for column, row in ((left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)):
        weight = (1 - abs(x - column)) * (1 - abs(y - row))
        inside = np.flatnonzero((column >= 0) & (column < SIDE) & (row >= 0) & (row < SIDE))
        source = (row * SIDE + column)[inside].astype(np.int64)
        result[:, inside] += weight[inside] * flat[:, source]
    return result.reshape(values.shape)


def rotation(radians: float) -> Floats:
    """The matrix (2, 2) of a turn; as a `warp` it turns the digit by `radians` against the clock's hands."""
    cos, sin = np.cos(radians), np.sin(radians)
    return np.array([[cos, -sin], [sin, cos]])


def shift(frames: Frames, pixels: float) -> Frames:
    """Frames (n, 28, 28) uint8 with the digit moved right, in pixels."""
    return to_uint8(warp(to_floats(frames), np.eye(2), (-pixels, 0)))


def scale(frames: Frames, factor: float) -> Frames:
    """Frames (n, 28, 28) uint8 with the digit `factor` times as large."""
    return to_uint8(warp(to_floats(frames), np.eye(2) / factor))


def rotate(frames: Frames, degrees: float) -> Frames:
    """Frames (n, 28, 28) uint8 with the digit turned against the clock's hands."""
    return to_uint8(warp(to_floats(frames), rotation(np.radians(degrees))))


def widen(frames: Frames, pixels: float) -> Frames:
    """Frames (n, 28, 28) uint8 whose strokes are wider by `pixels`, thinner where negative; steps of 0.5 count."""
    steps = round(abs(pixels) * FINE / 2)  # on either side of a stroke
    change = cv2.dilate if pixels > 0 else cv2.erode
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * steps + 1, 2 * steps + 1))
    changed = np.empty_like(frames)
    for index, frame in enumerate(frames):
        large = cv2.resize(frame, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_CUBIC)
        changed[index] = cv2.resize(change(large, disc), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return changed
