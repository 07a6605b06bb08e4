"""Ruled lines, squared paper and the frames of boxes: removed where no stroke crosses them."""

from __future__ import annotations

import cv2
import numpy as np

from pendigit.ink import Grey, uint8

LONG = 0.4  # of the page's side: a straight run this long is ruled, whatever the writing's size
TALL = 2.5  # writing's heights: a straight run this long is no digit's stroke
SIDE_OF_BOX = 0.6  # writing's heights: nor is a shorter one between two level lines
THICKEST = 1 / 150  # of the page's shorter side: a ruled line's thickness
LEAST_THICK = 4  # pixels: of lines on small pages
GAP = 12  # pixels: a line that strokes cross or that prints faintly goes on behind such a gap
WOBBLE = 3  # pixels: how far a line that is not quite level may stray


def find_lines(mask: Grey, height: float | None = None) -> Grey:
    """Ink (H, W) of 0 or 255 -> 255 where it belongs to long straight level or upright lines.

    Without the writing's height in pixels, only what runs across much of the page counts. With it, also lines a few
    digits long, and the sides of boxes.
    """
    rows, columns = mask.shape
    if height is None:
        level, upright = _level(mask, LONG * columns), _upright(mask, LONG * rows)
        return uint8(cv2.bitwise_or(level, upright))
    level = _level(mask, min(LONG * columns, TALL * height))
    upright = _upright(mask, min(LONG * rows, TALL * height))
    lines = cv2.bitwise_or(level, upright)
    if level.any():
        lines = cv2.bitwise_or(lines, _between(_upright(mask, SIDE_OF_BOX * height), level))
    return uint8(lines)


def without_lines(mask: Grey, lines: Grey) -> Grey:
    """The ink without the lines; strokes that a line cut through are closed again."""
    rest = uint8(cv2.subtract(mask, lines))
    if not lines.any():
        return rest
    side = LEAST_THICK + 2
    closed = cv2.morphologyEx(rest, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    return uint8(cv2.bitwise_or(rest, cv2.bitwise_and(closed, lines)))


def _upright(mask: Grey, length: float) -> Grey:
    return uint8(cv2.transpose(_level(uint8(cv2.transpose(mask)), length)))


def _level(mask: Grey, length: float) -> Grey:
    """The level lines of a mask: thin from top to bottom, long from left to right.

    Where a stroke crosses, ink is not thin, so the crossing stays with the stroke.
    """
    thick = max(LEAST_THICK, round(THICKEST * min(mask.shape)))
    thin = cv2.subtract(mask, cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((thick + 1, 1), np.uint8)))
    wide = cv2.dilate(thin, np.ones((WOBBLE, 1), np.uint8))
    joined = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, np.ones((1, GAP), np.uint8))
    runs = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((1, max(GAP, round(length))), np.uint8))
    near = cv2.dilate(runs, np.ones((3, GAP), np.uint8))
    return uint8(cv2.bitwise_and(near, thin))


def _between(upright: Grey, level: Grey) -> Grey:
    """The upright lines that end on a level line at top and bottom: the sides of boxes."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(upright, connectivity=8)
    chosen = np.zeros(count, np.uint8)
    for label in range(1, count):
        left, top, width, height, _ = stats[label]
        columns = slice(max(0, left - GAP), left + width + GAP)
        above = level[max(0, top - GAP) : top + GAP, columns]
        below = level[max(0, top + height - GAP) : top + height + GAP, columns]
        chosen[label] = 255 * (above.any() and below.any())
    return np.asarray(chosen[labels], np.uint8)
