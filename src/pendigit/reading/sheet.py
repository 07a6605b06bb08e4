"""A sheet of paper that lies on a desk: found by its four edges, and seen from straight above."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.ink import Grey, shrink, square, uint8

Corners: TypeAlias = npt.NDArray[np.float32]  # (4, 2) x, y: top left, top right, bottom right, bottom left
Matrix: TypeAlias = npt.NDArray[np.float64]  # (3, 3): maps x, y, 1 between two pictures, up to scale

THUMB = 400  # pixels: the picture's length in which a sheet is looked for
CROP = 240  # pixels: a smaller picture was cut out of a photo, and has no desk
LEVELS = range(40, 230, 15)  # of 255: one of them parts sheet and desk, where the light is even
STEEP = (0.04, 0.06, 0.09, 0.14)  # nats a pixel: one of them parts a sheet's edge from the desk's pattern
DARKEST = 8  # of 255: below it a photo is noise
SOFT = 1.5  # pixels: the standard deviation by which edges are smoothed
WIDENED = 2.0  # pixels: how far outside a sheet its smoothed edge begins
SMALLEST = 0.06  # of the picture: a smaller patch is no page somebody photographed
LARGEST = 0.97  # of the picture: then there is no desk to speak of
STRAIGHT = 0.94  # of the outline's convex hull that four straight edges must explain
ROUNDED = 0.9  # and of one that was smoothed
FILLED = 0.85  # of the quadrilateral that is paper; writing is the rest
EDGED = 0.85  # of each side that must be a steep edge
STEP = 0.1  # nats by which a sheet is brighter than the desk, or darker, on each side alike
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

    def moved(self, right: float, down: float) -> Sheet:
        """The same sheet in a picture whose corner lies elsewhere."""
        return self._replace(corners=self.corners + np.array((right, down), np.float32))

    def to_picture(self, width: int, height: int) -> Matrix:
        """The matrix that maps pixels of a flat page (width, height) to the picture."""
        page = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        return np.asarray(cv2.getPerspectiveTransform(page, self.corners), np.float64)


def find_sheet(picture: npt.NDArray[np.uint8]) -> Sheet | None:
    """A picture (H, W) or (H, W, 3) RGB -> the sheet on it, or None where no four straight edges stand out.

    Three edges at least must lie inside the picture: a page that is cut off makes fewer.
    """
    if min(picture.shape[:2]) < CROP:
        return None
    small = shrink(picture, THUMB)
    scale = max(picture.shape[:2]) / max(small.shape[:2])
    found = [corners for channel in _channels(small) for corners in _sheets(channel)]
    return _sheet(max(found, key=cv2.contourArea) * np.float32(scale)) if found else None


def _sheets(channel: Grey) -> Iterator[Corners]:
    """Quadrilaterals of one channel across whose edges the light changes abruptly, by much the same share all around.

    A shadow that falls on a sheet and its desk dims both sides of an edge alike, and its own border is soft.
    """
    light = cv2.GaussianBlur(np.log(np.maximum(channel, DARKEST).astype(np.float32)), (0, 0), SOFT)
    steep = cv2.magnitude(cv2.Scharr(light, cv2.CV_32F, 1, 0), cv2.Scharr(light, cv2.CV_32F, 0, 1)) / 32
    edges = _above(steep, STEEP[0])
    for corners in (*_patches(channel), *_outlines(steep)):
        if _is_edged(corners, edges, light):
            yield corners


def _channels(small: npt.NDArray[np.uint8]) -> Iterator[Grey]:
    """Lightness, and how far from grey: a white sheet stands out by the one, a coloured note by the other."""
    if small.ndim == 2:
        yield uint8(cv2.medianBlur(small, 5))
        return
    lab = cv2.medianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), 5)
    yield np.ascontiguousarray(lab[:, :, 0])
    colour = np.abs(lab[:, :, 1:].astype(np.int16) - 128).max(axis=2)
    yield np.minimum(colour * 2, 255).astype(np.uint8)


def _patches(channel: Grey) -> Iterator[Corners]:
    """Every region brighter or darker than some level that has four straight edges."""
    for level in LEVELS:
        _, bright = cv2.threshold(channel, level, 255, cv2.THRESH_BINARY)
        for mask in (uint8(bright), uint8(cv2.bitwise_not(bright))):
            opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, square(5))
            for corners in _four_corners(uint8(opened), STRAIGHT):
                area = cv2.fillConvexPoly(np.zeros_like(channel), corners.astype(np.int32), 255)
                if cv2.countNonZero(cv2.bitwise_and(area, mask)) >= FILLED * cv2.countNonZero(area):
                    yield corners


def _outlines(steep: npt.NDArray[np.float32]) -> Iterator[Corners]:
    """Every region that steep edges enclose: a shadow may make the sheet darker here than the desk is there."""
    for level in STEEP:
        for corners in _four_corners(_above(steep, level), ROUNDED):
            yield _grown(corners, -WIDENED)


def _above(values: npt.NDArray[np.float32], level: float) -> Grey:
    return np.where(values > level, 255, 0).astype(np.uint8)


def _four_corners(mask: Grey, straight: float) -> Iterator[Corners]:
    """The regions of a mask that have a sheet's size and four straight edges."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for contour in contours:
        hull = cv2.convexHull(contour)
        area, length = cv2.contourArea(hull), cv2.arcLength(hull, True)
        if not SMALLEST * mask.size <= area <= LARGEST * mask.size:
            continue
        for tolerance in (0.02, 0.03, 0.05):  # of the outline: rounded and torn corners need more
            corners = cv2.approxPolyDP(hull, tolerance * length, True)
            if len(corners) == 4:
                quadrilateral = corners.reshape(4, 2).astype(np.float32)
                if cv2.contourArea(quadrilateral) >= straight * area:
                    yield quadrilateral
                break


def _is_edged(corners: Corners, edges: Grey, light: npt.NDArray[np.float32]) -> bool:
    """Whether each side but one, which the picture may cut off, is an edge with the same step across it."""
    inner, outer = (_area(_grown(corners, by), edges.shape) for by in (-RIM, RIM))
    wide = cv2.dilate(edges, square(RIM))
    steps = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if not _is_inside((start + end) / 2, edges.shape):
            continue
        around = _line(start, end, edges.shape, 3 * RIM)
        within, without = light[around & inner], light[around & ~outer]
        if (wide[_line(start, end, edges.shape, 1)] > 0).mean() < EDGED or not (within.size and without.size):
            return False
        steps.append(float(np.median(within) - np.median(without)))
    return len(steps) >= 3 and (min(steps) >= STEP or max(steps) <= -STEP)


def _area(corners: Corners, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    return np.asarray(cv2.fillConvexPoly(np.zeros(shape, np.uint8), corners.astype(np.int32), 1) > 0)


def _line(
    start: npt.NDArray[np.float32], end: npt.NDArray[np.float32], shape: tuple[int, ...], wide: int
) -> npt.NDArray[np.bool_]:
    first, last = (tuple(np.rint(point).astype(int).tolist()) for point in (start, end))
    return np.asarray(cv2.line(np.zeros(shape, np.uint8), first, last, 1, wide) > 0)


def _grown(corners: Corners, by: float) -> Corners:
    """A quadrilateral whose corners lie `by` pixels further from its middle, along each axis."""
    return np.asarray(corners + by * np.sign(corners - corners.mean(axis=0)), np.float32)


def _is_inside(middle: npt.NDArray[np.float32], shape: tuple[int, ...]) -> bool:
    """Whether the middle of a side lies inside the picture, not at its border."""
    low = INSIDE * max(shape)
    return bool(low < middle[0] < shape[1] - 1 - low and low < middle[1] < shape[0] - 1 - low)


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
