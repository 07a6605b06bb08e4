"""Touching digits: where a wide piece of ink may be cut into digits."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.reading.pieces import Labels, Piece, belonging

APART = 0.2  # of the row's height: cuts are at least so far apart, and from the piece's sides
MOST = 6  # cuts of a piece
THROUGH = 0.4  # of the row's height: more ink than this on its way is no cut between two digits
SLANT = 3.0  # what a step aside costs, of a pixel's ink: so that a path goes around strokes, but not far


def cut(piece: Piece, labels: Labels, height: float, wide: float, first_label: int) -> list[Piece]:
    """A piece, the height of its row and the width from which on it may be two digits -> the parts between its cuts.

    They come from left to right. A cut is the cheapest path from top to bottom through ink, which may step aside by a
    pixel on each line. The parts get labels from `first_label` on, written into `labels`; a piece that is not cut
    comes back as it is.
    """
    if piece.width < wide:
        return [piece]
    window = (slice(piece.top, piece.bottom), slice(piece.left, piece.right))
    own = belonging(labels[window], piece.labels)
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
    aside = np.float32(SLANT / 10)
    ink = own.astype(np.float32)
    came = np.zeros(own.shape, np.int8)
    ways = np.full((3, own.shape[1]), np.inf, np.float32)  # from the left, from above, from the right
    cost = ink[0]
    for row in range(1, len(own)):
        np.add(cost[:-1], aside, out=ways[0, 1:])
        ways[1] = cost
        np.add(cost[1:], aside, out=ways[2, :-1])
        came[row] = ways.argmin(axis=0) - 1
        cost = ways.min(axis=0) + ink[row]
    return cost, came


def _follow(came: npt.NDArray[np.int8], end: int) -> npt.NDArray[np.intp]:
    """The path (h,) that ends at a column."""
    path = np.empty(len(came), np.intp)
    for row in range(len(came) - 1, -1, -1):
        path[row] = end
        end += int(came[row, end])
    return path
