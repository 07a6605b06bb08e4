"""Touching digits: where a wide piece of ink may be cut into digits."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.reading.pieces import Labels, Piece

WIDE = 0.75  # of the row's height: a narrower piece is one digit
APART = 0.2  # of the row's height: cuts are at least so far apart, and from the piece's sides
MOST = 6  # cuts of a piece
THROUGH = 0.4  # of the row's height: more ink than this on its way is no cut between two digits
SLANT = 3.0  # what a step aside costs, of a pixel's ink: so that a path goes around strokes, but not far


def cut(piece: Piece, labels: Labels, height: float, first_label: int) -> list[Piece]:
    """A piece, and the height of its row -> the parts between its best cuts, from left to right.

    A cut is the cheapest path from top to bottom through ink, which may step aside by a pixel on each line. The parts
    get labels from `first_label` on, written into `labels`; a piece that is not cut comes back as it is.
    """
    if piece.width < WIDE * height:
        return [piece]
    window = (slice(piece.top, piece.bottom), slice(piece.left, piece.right))
    own = np.isin(labels[window], piece.labels)
    paths = _best_paths(own, height)
    if not paths:
        return [piece]
    columns = np.arange(piece.width)
    part_of = np.sum([columns > path[:, None] for path in paths], axis=0)  # (h, w): how many cuts lie to the left
    parts: list[Piece] = []
    for index in range(len(paths) + 1):
        mask = own & (part_of == index)
        if not mask.any():
            continue
        label = first_label + len(parts)
        labels[window][mask] = label
        left, top, width, tall = cv2.boundingRect(mask.astype(np.uint8))
        left, top = left + piece.left, top + piece.top
        parts.append(Piece(left, top, left + width, top + tall, int(mask.sum()), (label,)))
    return parts


def _best_paths(own: npt.NDArray[np.bool_], height: float) -> list[npt.NDArray[np.intp]]:
    """The cheapest paths (h,) through a mask (h, w), apart from one another, from left to right."""
    cost, came = _paths(own)
    apart = max(2, round(APART * height))
    ends: list[int] = []
    for end in np.argsort(cost[apart:-apart]) + apart:
        if cost[end] > THROUGH * height or len(ends) == MOST:
            break
        if all(abs(int(end) - other) >= apart for other in ends):
            ends.append(int(end))
    return [_follow(came, end) for end in sorted(ends)]


def _paths(own: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]]:
    """The cost of the cheapest path that ends at each column (w,), and each pixel's step (h, w) from the line above."""
    rows, columns = own.shape
    aside = np.float32(SLANT / 10)
    came = np.zeros((rows, columns), np.int8)
    cost = own[0].astype(np.float32)
    for row in range(1, rows):
        padded = np.pad(cost, 1, constant_values=np.inf)
        ways = np.stack([padded[:-2] + aside, cost, padded[2:] + aside])
        best = ways.argmin(axis=0)
        came[row] = best - 1
        cost = ways[best, np.arange(columns)] + own[row]
    return cost, came


def _follow(came: npt.NDArray[np.int8], end: int) -> npt.NDArray[np.intp]:
    """The path (h,) that ends at a column."""
    path = np.empty(len(came), np.intp)
    for row in range(len(came) - 1, -1, -1):
        path[row] = end
        end += int(came[row, end])
    return path
