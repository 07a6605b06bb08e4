"""Rows cut out of the page for a network that reads whole rows: levelled, without their neighbours' ink."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from pendigit.ink import Grey, odd, square, uint8
from pendigit.reading.pieces import Labels, Piece, belonging
from pendigit.rowframe import AROUND, ROW_HEIGHT, to_row, writing_band

ROOM = 0.2  # of the row's height above and below it: longer tails are cut off, as they would make all digits small
BESIDE = 0.5  # of the row's height, left free at its ends, where signs may stand that were taken for no digits
STEEP = 0.01  # rise by length: less is not levelled
ENOUGH = 4  # characters that tell how a row rises
ONE_ROW = 0.4  # of the page's height: a row this tall is all there is, and the page is read from side to side
RIM = 5  # pixels around erased ink that its blurred edge takes


class Strip(NamedTuple):
    """A row cut out.

    Attributes:
        frame: (32, W) uint8, see `rowframe.to_row`.
        left: Where the frame begins, in the page's pixels.
        scale: The page's pixels to one of the frame's.
        top, bottom: The row's band on the page at its left end, in pixels.
        slope: How many pixels the row falls for each pixel to the right.
        height: Of its usual digits, in the page's pixels.
    """

    frame: Grey
    left: int
    scale: float
    top: float
    bottom: float
    slope: float
    height: float


def cut_strips(rows: list[list[Piece]], dark: Grey, labels: Labels, erased: Grey) -> list[Strip]:
    """Rows of pieces on a page (H, W), dark on light -> a strip each.

    `labels` tells each pixel's piece; `erased` (H, W) is 255 where lines were found, which are painted over.
    """
    return [_strip(row, dark, labels, erased, len(rows) == 1) for row in rows]


def whole_strip(dark: Grey) -> Strip:
    """A page (H, W), dark on light, as one row: all of its width."""
    top, bottom = writing_band(dark)
    tall = bottom - top
    frame = to_row(dark[top:bottom])
    return Strip(frame, 0, tall / ROW_HEIGHT, float(top), float(bottom), 0.0, tall / (1 + 2 * AROUND))


def _strip(row: list[Piece], dark: Grey, labels: Labels, erased: Grey, alone: bool) -> Strip:
    slope, at = _line(row)
    above, below = _band(row, slope, at)
    height = below - above
    page_height, page_width = dark.shape
    if alone and height >= ONE_ROW * page_height:
        left, right = 0, page_width
    else:
        left = max(0, round(min(piece.left for piece in row) - BESIDE * height))
        right = min(page_width, round(max(piece.right for piece in row) + BESIDE * height))
    top = at + slope * left + above - ROOM * height
    tall = max(4, round((1 + 2 * ROOM) * height))
    clean = _cleaned(row, dark, labels, erased, (left, right), (top, top + tall + slope * (right - left)))
    level = np.array([[1, 0, -left], [-slope, 1, slope * left - top]], np.float32)
    crop = cv2.warpAffine(
        clean, level, (right - left, tall), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )  # fmt: skip
    return Strip(to_row(uint8(crop)), left, tall / ROW_HEIGHT, top, top + tall, slope, height)


def _line(row: list[Piece]) -> tuple[float, float]:
    """How steeply the row's middles fall to the right, and their height at x = 0."""
    x, y = np.array([piece.middle for piece in row]).T
    if len(row) < ENOUGH:
        return 0.0, float(np.median(y))
    slope, at = np.polyfit(x, y, 1)
    return (float(slope), float(at)) if abs(slope) >= STEEP else (0.0, float(np.median(y)))


def _band(row: list[Piece], slope: float, at: float) -> tuple[float, float]:
    """How far the row's usual characters reach above and below its line; the first is negative."""
    least = max(piece.height for piece in row) / 3
    usual = [piece for piece in row if piece.height >= least]
    tops = np.array([piece.top - at - slope * piece.middle[0] for piece in usual])
    bottoms = np.array([piece.bottom - at - slope * piece.middle[0] for piece in usual])
    return float(np.median(tops)), float(np.median(bottoms))


def _cleaned(
    row: list[Piece], dark: Grey, labels: Labels, erased: Grey, across: tuple[int, int], down: tuple[float, float]
) -> Grey:
    """The page with other rows' ink and printed lines painted over, where the strip will be cut."""
    low, high = sorted((down[0], down[1]))
    window = (slice(max(0, int(low)), int(high) + 1), slice(*across))
    own = belonging(labels[window], [label for piece in row for label in piece.labels])
    foreign = ((labels[window] > 0) & ~own & ~_is_small(labels[window])) | (erased[window] > 0) & ~own
    if not foreign.any():
        return dark
    side = odd(max(RIM, high - low))
    paper = cv2.morphologyEx(dark[window], cv2.MORPH_CLOSE, square(side))
    mask = cv2.dilate(foreign.astype(np.uint8), square(RIM)) > 0
    clean = dark.copy()
    clean[window] = np.where(mask & ~own, paper, dark[window])
    return clean


def _is_small(labels: Labels) -> np.ndarray:
    """Where specks, dots and dashes lie that no row has claimed: they stay."""
    counts = np.bincount(labels.ravel())
    return np.asarray(counts[labels] < 0.02 * labels.size)
