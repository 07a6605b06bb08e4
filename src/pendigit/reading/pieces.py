"""The connected pieces of ink on a page, without specks, page edges and what is too large to be writing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.ink import Grey, square

Labels: TypeAlias = npt.NDArray[np.int32]

LEAST_SIDE = 5  # pixels: a smaller piece is a speck whatever the writing's size
FEW = 12  # labels: looking for one after the other is faster than a table of them
MOST = 1500  # pieces: the largest are kept; a page has fewer digits, and noise can make a hundred thousand pieces
SPECK = 0.12  # of the writing's height: a smaller piece is a speck
LINE, SLANTED = 12.0, 40.0  # times as long as it is wide: a line; a 1 of a thin pen is 25 times as long as its stroke
LOOSE = 0.1  # of all ink: where less is no line's, most writing touches lines
GIANT = 4.0  # writing's heights: a taller piece is no digit
DOT = 0.35  # of the writing's height: a dot's size at most
ROUND = 0.7  # width by height: a fat 1 is as solid, but narrower
SOLID = 0.76  # of its box that is ink: a disc has 0.79
ONE_ROW = 2.2  # times the height of most pieces
BULK = 0.2  # of the largest piece's ink: parts of broken digits have as much, remains of a box's sides less
SLIVER = 0.3  # writing's heights: what reaches less into the page is the border's
GRAIN = 0.01  # of the page's width: as far from its side lie the remains of a border that is grainy
CLOSE_CROP = 3.0  # writing's heights: a page that is lower may be a crop that starts with a 1
SOFT = 0.4  # of the writing's sharpness: softer patches are shadows and stains
EDGE_DEPTH = 0.06  # of the page: mean distance to the border of a sheet's edge, and of the desk behind it
AT_OUTLINE, NEAR_OUTLINE = 3.0, 0.05  # pixels, and writing's heights: ink nearer to what is shown's outline touches it
EDGE_LENGTH = 0.2  # of the page's side: a piece at the border that is shorter may be a digit that is cut off
HELD = 2  # pieces: what goes around as many is a frame or an edge
HELD_SIZE = 0.25  # of the outer piece: smaller ones are specks and remains of lines
HELD_WHOLE = 0.4  # of the outer piece: a piece this large inside it is a digit in its box


class Piece(NamedTuple):
    """A connected piece of ink: its box in the page's pixels (the right and bottom exclusive), area, and labels."""

    left: int
    top: int
    right: int
    bottom: int
    area: int
    labels: tuple[int, ...]

    @property
    def width(self) -> int:
        """Pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels."""
        return self.bottom - self.top

    @property
    def middle(self) -> tuple[float, float]:
        """The box's centre x, y."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def joined(self, other: Piece) -> Piece:
        """The piece made of both."""
        return Piece(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
            self.area + other.area,
            self.labels + other.labels,
        )


class Pieces(NamedTuple):
    """All pieces worth a look.

    Attributes:
        pieces: The pieces.
        labels: (H, W) int32, each pixel's piece by its label.
        height: The height of the writing in pixels, 0 where there is none.
        highest: The highest label that the mask gave; parts of pieces that are cut later have higher ones.
    """

    pieces: list[Piece]
    labels: Labels
    height: float
    highest: int


def belonging(labels: Labels, own: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Where labels (h, w) are one of some; of few labels much faster than `np.isin`."""
    if len(own) > FEW:
        return np.isin(labels, own)
    return reduce(np.logical_or, (labels == label for label in own), np.zeros(labels.shape, np.bool_))


def find_pieces(mask: Grey, ink: Grey, height: float | None = None) -> Pieces:
    """The mask (H, W) of ink, 0 or 255, and the ink -> its pieces; `height` is the writing's where it is known."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    order = np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:MOST] + 1
    pieces = []
    for label in order:
        left, top, width, tall, area = (int(value) for value in stats[label])
        if max(width, tall) >= LEAST_SIDE:
            pieces.append(Piece(left, top, left + width, top + tall, area, (int(label),)))
    pieces = [piece for piece in pieces if not _is_edge(piece, labels)]
    pieces = _without_frames(pieces)
    height = height or writing_height(pieces)
    kept = [piece for piece in pieces if SPECK * height <= max(piece.width, piece.height) <= GIANT * height]
    kept = [piece for piece in kept if not _is_blot(piece, height) and not _is_sliver(piece, mask.shape, height)]
    return Pieces(_without_soft(kept, labels, ink), labels, height, len(stats) - 1)


def writing_height(pieces: list[Piece]) -> float:
    """The height of most ink, lines apart: the median of the pieces' heights, each weighted by its height squared.

    Dots, dashes and specks are many and small; weighted so they do not count. Where all ink lies within one row, its
    height: then most pieces may be parts of broken digits.
    """
    if not pieces:
        return 0.0
    loose = [piece for piece in pieces if not _is_line(piece)]
    if sum(piece.area for piece in loose) >= LOOSE * sum(piece.area for piece in pieces):
        pieces = loose  # else the writing hangs together with the lines
    heights = np.array(sorted(piece.height for piece in pieces), np.float64)
    weight = np.cumsum(heights**2)
    height = float(heights[np.searchsorted(weight, weight[-1] / 2)])
    bulk = BULK * max(piece.area for piece in pieces)
    tall = [piece for piece in pieces if piece.height >= height / 3 and piece.area >= bulk]
    if not tall:
        return height
    all_of_it = max(piece.bottom for piece in tall) - min(piece.top for piece in tall)
    return float(all_of_it) if all_of_it < ONE_ROW * height else height


def _without_soft(pieces: list[Piece], labels: Labels, ink: Grey) -> list[Piece]:
    """The pieces whose outline is about as steep, by their darkness, as that of most ink."""
    if not pieces:
        return pieces
    steepness = np.array([_steepness(piece, labels, ink) for piece in pieces])
    heights = np.array([piece.height for piece in pieces], np.float64)
    order = np.argsort(steepness)
    weight = np.cumsum(heights[order] ** 2)
    usual = steepness[order][np.searchsorted(weight, weight[-1] / 2)]
    return [piece for piece, own in zip(pieces, steepness, strict=True) if own >= SOFT * usual]


def _steepness(piece: Piece, labels: Labels, ink: Grey) -> float:
    """How steeply ink ends at a piece's outline, by its mean ink."""
    window = (slice(max(0, piece.top - 2), piece.bottom + 2), slice(max(0, piece.left - 2), piece.right + 2))
    own = (labels[window] == piece.labels[0]).astype(np.uint8)
    outline = cv2.subtract(own, cv2.erode(own, square(3)))
    steep = cv2.morphologyEx(ink[window], cv2.MORPH_GRADIENT, square(3))
    return float(cv2.mean(steep, outline)[0] / max(1.0, cv2.mean(ink[window], own)[0]))


def _is_edge(piece: Piece, labels: Labels) -> bool:
    """Whether a piece is a sheet's edge: it touches the page's border, and runs along it near it."""
    rows, columns = labels.shape
    at_side, at_end = piece.left == 0 or piece.right == columns, piece.top == 0 or piece.bottom == rows
    along = max(piece.height / rows if at_side else 0.0, piece.width / columns if at_end else 0.0)
    if along < EDGE_LENGTH:
        return False
    y, x = np.nonzero(labels[piece.top : piece.bottom, piece.left : piece.right] == piece.labels[0])
    y, x = (y + piece.top) / rows, (x + piece.left) / columns
    depth = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    return bool(depth.mean() < EDGE_DEPTH)


def slanted_edges(mask: Grey, shown: Grey, height: float) -> Grey:
    """Ink (H, W) of a page laid level -> 255 where it is a sheet's edge, along the outline of what is shown.

    `height` is the writing's in pixels.
    """
    depth = cv2.distanceTransform(shown, cv2.DIST_L2, 3)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    is_edge = np.zeros(count, np.uint8)
    side = max(mask.shape)
    touching = depth < max(AT_OUTLINE, NEAR_OUTLINE * height)
    for label in np.unique(labels[touching & (mask > 0)]):
        own = labels == label
        long = max(stats[label, cv2.CC_STAT_WIDTH], stats[label, cv2.CC_STAT_HEIGHT]) >= EDGE_LENGTH * side
        is_edge[label] = 255 * (depth[own].mean() < (EDGE_DEPTH * side if long else SLIVER / 2 * height))
    return np.asarray(is_edge.take(labels), np.uint8)


def _is_line(piece: Piece) -> bool:
    """Whether a piece is so long and narrow that it is a sheet's edge or another line, level, upright or slanted."""
    narrow = max(piece.width, piece.height) > LINE * min(piece.width, piece.height)
    return narrow or piece.width**2 + piece.height**2 > SLANTED * piece.area


def _is_blot(piece: Piece, height: float) -> bool:
    """Whether a piece is a filled disc or patch: digits as wide have paper in them; smaller ones are dots."""
    return (
        piece.height > DOT * height
        and piece.width > ROUND * piece.height
        and piece.area > SOLID * piece.width * piece.height
    )


def _is_sliver(piece: Piece, shape: tuple[int, ...], height: float) -> bool:
    """Whether a piece at the page's border reaches so little into it that it is the border's, not a digit's."""
    rows, columns = shape
    beside = min(piece.left, columns - piece.right) <= GRAIN * columns
    thin_side = beside and piece.width < SLIVER * height
    thin_end = (piece.top == 0 or piece.bottom == rows) and piece.height < SLIVER * height
    return (thin_side and rows > CLOSE_CROP * height) or thin_end


def _without_frames(pieces: list[Piece]) -> list[Piece]:
    """The pieces but those that go around several others, as no digit does."""
    if not pieces:
        return pieces
    boxes = np.array([piece[:4] for piece in pieces])
    longer = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    kept = []
    for piece, size in zip(pieces, longer, strict=True):
        inside = (boxes[:, :2] >= piece[:2]).all(axis=1) & (boxes[:, 2:] <= piece[2:4]).all(axis=1)
        inside &= longer < size
        held = np.count_nonzero(inside & (longer >= HELD_SIZE * size))
        if held < HELD and not (inside & (longer >= HELD_WHOLE * size)).any():
            kept.append(piece)
    return kept
