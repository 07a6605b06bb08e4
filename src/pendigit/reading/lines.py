"""Ruled lines, squared paper and the frames of boxes: removed where no stroke crosses them."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.ink import Grey, shrink, square, uint8
from pendigit.reading.straight import WOBBLE, Straight

LONGEST, STRIP = 1000, 300  # pixels: the length of the page in which lines are looked for, its height at least
KEPT = 0.3  # of a shrunk pixel that is ink: so that thin lines survive
RIM = 5  # pixels: the square by which lines found in the smaller copy are widened, so that no rim is left
LONG = 0.8  # of the page's side: a straight run this long is ruled, whatever the writing's size
STROKE = 1.2  # writing's heights: a straight run this long is no digit's stroke where it also runs along the page
TALL = 2.5  # writing's heights: a straight run this long is no digit's stroke
BOX_TALL, BOX_WIDE = 0.9, 0.7  # writing's heights: nor is one that ends at lines across it on both ends, as boxes do
THICK = 0.12  # of the writing's height: a printed line is thinner
FIRST_THICK = 1 / 150  # of the page's shorter side: as long as the writing's height is not known
LEAST_THICK = 5  # pixels: of lines on small pages
BLACK = 200  # of 255: beside darker lines no pen's ink is much darker
DARKER = 1.6  # times a line's ink: more is a pen's
CORNER, NEAR = 0.15, 6  # of the writing's height, and pixels at most: how near to a corner the sides of a box end
STEEPEST = 0.14  # rise by length of lines that cross the page, 0 to 8 degrees
STEP = 2  # pixels on half of the page's width: from one slope that is tried to the next
TOGETHER = 8  # groups in which these slopes are tried first
FIELDS, CROSSED = 8, 7  # parts of the page from side to side, and how many of them a line that crosses it runs through
INKED = 0.25  # of a part's length that is such a line's ink: grain leaves so much of a faint one


def find_lines(mask: Grey, height: float | None = None) -> Grey:
    """All ink (H, W) of 0 or 255, however faint -> 255 where it belongs to long straight level or upright lines.

    Without the writing's height in pixels, only what runs across much of the page counts. With it, also lines a few
    digits long, and boxes.
    """
    small = uint8(cv2.threshold(shrink(mask, LONGEST, STRIP), KEPT * 255, 255, cv2.THRESH_BINARY)[1])
    scale = max(small.shape) / max(mask.shape)
    lines = _find(small, None if height is None else height * scale)
    if scale < 1:
        enlarged = cv2.resize(lines, mask.shape[::-1], interpolation=cv2.INTER_NEAREST)
        lines = uint8(cv2.bitwise_and(cv2.dilate(enlarged, square(RIM)), mask))
    return lines


def _find(mask: Grey, height: float | None) -> Grey:
    rows, columns = mask.shape
    thick = max(LEAST_THICK, round(FIRST_THICK * min(mask.shape) if height is None else THICK * height))
    across, down = Straight(mask, thick), Straight(_turned(mask), thick)
    if height is None:
        lines = cv2.bitwise_or(across.runs(LONG * columns), _turned(down.runs(LONG * rows)))
        crossing = cv2.bitwise_or(_crossing(across.thin), _turned(_crossing(down.thin)))
        return uint8(cv2.bitwise_or(lines, crossing))
    level = across.runs(_longer_than_strokes(columns, height))
    upright = _turned(down.runs(_longer_than_strokes(rows, height)))
    sides = _boxes(
        cv2.bitwise_or(level, across.runs(BOX_WIDE * height)),
        cv2.bitwise_or(upright, _turned(down.runs(BOX_TALL * height))),
        min(NEAR, round(CORNER * height)),
    )
    return uint8(cv2.bitwise_or(cv2.bitwise_or(level, upright), sides))


def _longer_than_strokes(side: int, height: float) -> float:
    """How long a line is at least, along a side of the page: in a crop a stroke may run along all of it."""
    return min(max(LONG * side, STROKE * height), TALL * height)


def without_lines(mask: Grey, ink: Grey, lines: Grey) -> Grey:
    """The mask of the ink without the lines; strokes that a line cut through are closed again.

    What is much darker than the lines is a stroke that runs along one.
    """
    middle = lines & cv2.compare(ink, cv2.dilate(ink, square(3)), cv2.CMP_EQ)  # a thin line's rims are pale
    if not middle.any():
        return mask
    usual = float(np.median(ink[middle > 0]))
    if usual < BLACK:
        _, darker = cv2.threshold(ink, min(254.0, DARKER * usual), 255, cv2.THRESH_BINARY)
        lines = uint8(cv2.subtract(lines, darker))
    rest = uint8(cv2.subtract(mask, lines))
    side = LEAST_THICK + 2
    closed = cv2.morphologyEx(rest, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    return uint8(cv2.bitwise_or(rest, cv2.bitwise_and(closed, lines)))


def _crossing(thin: Grey) -> Grey:
    """Lines that run from side to side of the page, however broken: thin ink (H, W) -> 255 on them.

    A Hough transform of the ink's upper edges: each fine slope and height is a straight line, on which ink is counted
    in each part of the page. Writing keeps away from the page's sides, and its strokes lie at many heights. Slopes are
    first tried some at a time: where a band that holds all their lines has too little ink, each line has (Breuel 1992,
    "Fast recognition using adaptive subdivisions of transformation space").
    """
    columns = thin.shape[1]
    edges = thin.copy()
    cv2.subtract(thin[1:], thin[:-1], dst=edges[1:])
    found = np.zeros_like(thin)
    (y, x), (every_y, every_x) = np.nonzero(edges), np.nonzero(thin)
    if columns < FIELDS or len(y) < CROSSED * INKED * columns / FIELDS:
        return found
    field, near = x * FIELDS // columns, np.ones(2 * WOBBLE + 1, bool)
    if (np.bincount(field, minlength=FIELDS) >= INKED * columns / FIELDS).sum() < CROSSED:  # at all heights together
        return found
    beside, every_beside = x - columns / 2, every_x - columns / 2
    slopes = np.linspace(-STEEPEST, STEEPEST, 2 + round(STEEPEST * columns / STEP))
    for some in np.array_split(slopes, min(TOGETHER, len(slopes))):
        middle = float(some[[0, -1]].mean())
        apart = int(np.ceil((some[-1] - middle) * columns / 2)) + 1  # pixels at the page's sides
        if not _lined(thin.shape, y + middle * beside, field, 1 + apart).any():
            continue
        for slope in some:
            lined = _lined(thin.shape, y + slope * beside, field, 1)
            if lined.any():
                lined = np.convolve(lined, near, "same") > 0
                on = lined[_from_top(thin.shape, every_y + slope * every_beside)]
                found[every_y[on], every_x[on]] = 255
    return found


def _lined(
    shape: tuple[int, ...], heights: npt.NDArray[np.float64], field: npt.NDArray[np.intp], reach: int
) -> npt.NDArray[np.bool_]:
    """Which of the heights that lines may have are lined: enough fields have enough ink within `reach` of them."""
    rows, columns = shape
    most = rows + 2 * _rise(columns)
    at = (_from_top(shape, heights) + reach + 1) * FIELDS + field
    counts = np.bincount(at, minlength=(most + 2 * reach + 1) * FIELDS).reshape(-1, FIELDS)
    sums = counts.cumsum(axis=0)
    within = sums[2 * reach + 1 :] - sums[: -2 * reach - 1]
    return np.asarray((within >= INKED * columns / FIELDS).sum(axis=1) >= CROSSED)


def _rise(columns: int) -> int:
    """How far beyond the page the steepest line may begin."""
    return round(STEEPEST * columns / 2) + WOBBLE


def _from_top(shape: tuple[int, ...], heights: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    return np.asarray(heights + _rise(shape[1]), np.intp)


def _turned(mask: Grey) -> Grey:
    return uint8(cv2.transpose(mask))


def _boxes(across: Grey, down: Grey, near: int) -> Grey:
    """Straight runs that end, both ways, at lines across them, or so many pixels off: the sides of boxes."""
    sides = _ending_at(across, down, 1, near)
    ends = _ending_at(down, sides, 0, near)
    return uint8(cv2.bitwise_or(_ending_at(sides, ends, 1, near), ends))


def _ending_at(lines: Grey, others: Grey, axis: int, near: int) -> Grey:
    """Those of some lines, running along an axis, at both of whose ends there is another line, `near` pixels off."""
    if not (cv2.countNonZero(lines) and cv2.countNonZero(others)):
        return np.zeros_like(lines)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(lines, connectivity=8)
    chosen = np.zeros(count, np.uint8)
    for label in range(1, count):
        left, top, width, height, _ = (int(value) for value in stats[label])
        right, bottom = left + width, top + height
        if axis == 1:
            ends = ((top, bottom, left, left), (top, bottom, right, right))
        else:
            ends = ((top, top, left, right), (bottom, bottom, left, right))
        chosen[label] = 255 * all(
            others[max(0, up - near) : low + near, max(0, start - near) : end + near].any()
            for up, low, start, end in ends
        )
    return np.asarray(chosen.take(labels), np.uint8)
