"""A sheet of paper that lies on a desk: found by its four edges, and seen from straight above."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.ink import Grey, shrink, square, uint8

Corners: TypeAlias = npt.NDArray[np.float32]  # (4, 2) x, y: top left, top right, bottom right, bottom left
Matrix: TypeAlias = npt.NDArray[np.float64]  # (3, 3): maps x, y, 1 between two pictures, up to scale

THUMB = 400  # pixels: the picture's length in which a sheet is looked for
CROP = 240  # pixels: a smaller picture was cut out of a photo, and has no desk
LEVELS = range(40, 230, 15)  # of 255: one of them parts sheet and desk, whatever shines on either
SMALLEST = 0.06  # of the picture: a smaller patch is no page somebody photographed
LARGEST = 0.97  # of the picture: then there is no desk to speak of
STRAIGHT = 0.94  # of the outline's convex hull that four straight edges must explain
FILLED = 0.85  # of the quadrilateral that is paper; writing is the rest
DIFFERENT = 25.0  # of 255: how much the sheet and its surroundings differ at least, in one channel
RIM = 7  # pixels: where the two are compared on both sides of the edge
INSIDE = 0.01  # of the picture's side: an edge nearer to the border may be the picture's own
TRIM = 0.006  # of the sheet: its edge has a shadow


class Sheet(NamedTuple):
    """Where a sheet lies.

    Attributes:
        corners: (4, 2) float32 x, y in the picture's pixels, clockwise from the sheet's top left.
        width, height: The sheet's sides in the picture's pixels.
    """

    corners: Corners
    width: float
    height: float

    def scaled(self, scale: float) -> Sheet:
        """The same sheet in a larger or smaller copy of the picture."""
        return Sheet(self.corners * np.float32(scale), self.width * scale, self.height * scale)

    def to_picture(self, width: int, height: int) -> Matrix:
        """The matrix that maps pixels of a flat page (width, height) to the picture."""
        page = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        return np.asarray(cv2.getPerspectiveTransform(page, self.corners), np.float64)


def find_sheet(picture: npt.NDArray[np.uint8]) -> Sheet | None:
    """A picture (H, W) or (H, W, 3) RGB -> the sheet on it, or None where no four straight edges stand out.

    Three edges at least must lie inside the picture: a shadow's border, or a page that is cut off, makes fewer.
    """
    if min(picture.shape[:2]) < CROP:
        return None
    small = shrink(picture, THUMB)
    scale = max(picture.shape[:2]) / max(small.shape[:2])
    best: tuple[float, Corners] | None = None
    for channel in _channels(small):
        for corners in _quadrilaterals(channel):
            area = float(cv2.contourArea(corners))
            if best is None or area > best[0]:
                best = area, corners
    return None if best is None else _sheet(best[1] * np.float32(scale))


def _channels(small: npt.NDArray[np.uint8]) -> Iterator[Grey]:
    """Lightness, and how far from grey: a white sheet stands out by the one, a coloured note by the other."""
    if small.ndim == 2:
        yield uint8(cv2.medianBlur(small, 5))
        return
    lab = cv2.medianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), 5)
    yield np.ascontiguousarray(lab[:, :, 0])
    colour = np.abs(lab[:, :, 1:].astype(np.int16) - 128).max(axis=2)
    yield np.minimum(colour * 2, 255).astype(np.uint8)


def _quadrilaterals(channel: Grey) -> Iterator[Corners]:
    """Every region of one channel that has four straight edges and differs from what is around it."""
    for level in LEVELS:
        _, bright = cv2.threshold(channel, level, 255, cv2.THRESH_BINARY)
        for mask in (uint8(bright), uint8(cv2.bitwise_not(bright))):
            opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, square(5))
            contours, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            for contour in contours:
                corners = _four_corners(contour, channel.size)
                if corners is not None and _stands_out(corners, mask, channel):
                    yield corners


def _four_corners(contour: Any, size: int) -> Corners | None:
    hull = cv2.convexHull(contour)
    area = cv2.contourArea(hull)
    if not SMALLEST * size <= area <= LARGEST * size:
        return None
    length = cv2.arcLength(hull, True)
    for tolerance in (0.02, 0.03, 0.05):  # of the outline: rounded and torn corners need more
        corners = cv2.approxPolyDP(hull, tolerance * length, True)
        if len(corners) == 4:
            quadrilateral = corners.reshape(4, 2).astype(np.float32)
            return quadrilateral if cv2.contourArea(quadrilateral) >= STRAIGHT * area else None
    return None


def _stands_out(corners: Corners, mask: Grey, channel: Grey) -> bool:
    """Whether a quadrilateral is filled, has three edges inside the picture, and differs across its outline."""
    height, width = channel.shape
    low, high = INSIDE * max(height, width), np.array([width, height]) - 1 - INSIDE * max(height, width)
    middles = (corners + np.roll(corners, -1, axis=0)) / 2
    if ((middles > low) & (middles < high)).all(axis=1).sum() < 3:
        return False
    area = cv2.fillConvexPoly(np.zeros_like(channel), corners.astype(np.int32), 255)
    if cv2.countNonZero(cv2.bitwise_and(area, mask)) < FILLED * cv2.countNonZero(area):
        return False
    inner = cv2.subtract(cv2.erode(area, square(3)), cv2.erode(area, square(2 * RIM + 1)))
    outer = cv2.subtract(cv2.dilate(area, square(2 * RIM + 1)), cv2.dilate(area, square(5)))
    inside, outside = np.median(channel[inner > 0]), np.median(channel[outer > 0])
    return bool(abs(inside - outside) >= DIFFERENT)


def _sheet(corners: Corners) -> Sheet:
    """Order the corners so that the sheet turns by less than 45 degrees, and trim its edge."""
    middle = corners.mean(axis=0)
    around = corners[np.argsort(np.arctan2(*(corners - middle).T[::-1]))]  # clockwise on the screen
    edges = np.roll(around, -1, axis=0) - around
    top = int(np.argmax(edges[:, 0] / np.linalg.norm(edges, axis=1)))  # the edge that runs most to the right
    ordered = np.roll(around, -top, axis=0)
    trimmed = (ordered + (middle - ordered) * np.float32(2 * TRIM)).astype(np.float32)
    sides = np.linalg.norm(np.roll(trimmed, -1, axis=0) - trimmed, axis=1)
    return Sheet(trimmed, float(sides[0] + sides[2]) / 2, float(sides[1] + sides[3]) / 2)
