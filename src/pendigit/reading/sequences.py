"""Rows read as a whole by the row network: digits that touch or overlap are never cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import count

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.classifier import DIGITS
from pendigit.reading.columns import Stretch, read_columns, stretches
from pendigit.reading.lattice import Edge, Lattice, Path
from pendigit.reading.pieces import Labels, Piece
from pendigit.reading.recognise import Character
from pendigit.reading.strips import Strip
from pendigit.rowframe import COLUMN
from pendigit.rownet import LogProbabilities, RowNetwork

WIDEST = 0.9  # of the row's height: a digit reaches no further to either side of its middle
USUAL = 0.3  # of the row's height to either side, where the ink that a digit was read in is none of the pieces


class SequenceRow:
    """A row as the row network saw it: the most probable digits, and all that it may say besides.

    Args:
        scores: The strip's columns, see `rownet.py`.
        strip: The row cut out.
        row: Its pieces.
        labels: (H, W), each pixel's piece, as it is now; cuts that follow do not matter.
    """

    def __init__(self, scores: LogProbabilities, strip: Strip, row: list[Piece], labels: Labels) -> None:
        self._stretches, self._strip = stretches(scores), strip
        self._columns = _ink_columns(row, labels)
        read = read_columns(scores)
        pieces = self._pieces(read.middles)
        self.characters = [
            Character(*each[:2], float(each[2]))
            for each in zip(pieces, read.probabilities, read.digitness, strict=True)
        ]

    @cached_property
    def lattice(self) -> Lattice:
        """Everything the row may say: stretch after stretch, through positions of its own for each longer number."""
        edges: list[Edge] = []
        start = 0
        for stretch in self._stretches:
            longer = sum(max(0, len(text) - 1) for text in stretch.numbers)
            between, end = count(start + 1), start + longer + 1
            for text, score in stretch.numbers.items():
                edges.extend(_edges(text, score, start, end, between, len(edges)))
            start = end
        return Lattice(start, [edge for edge in edges if np.isfinite(edge.score)])

    def along(self, path: Path) -> list[Character]:
        """The characters on a way through the lattice."""
        ends = np.cumsum([sum(max(0, len(text) - 1) for text in each.numbers) + 1 for each in self._stretches])
        places = [int(np.searchsorted(ends, edge.start, side="right")) for edge in path.edges]
        middles = []
        for index, place in enumerate(places):
            first, end = self._stretches[place][:2]
            share = (places[:index].count(place) + 0.5) / places.count(place)  # digits of one stretch stand evenly
            middles.append((first + share * (end - first)) * COLUMN)
        pieces = self._pieces(np.array(middles, np.float32))
        found = zip(pieces, places, path.edges, strict=True)
        return [Character(piece, *_chances(self._stretches[place], edge), edge.digit) for piece, place, edge in found]

    def _pieces(self, middles: npt.NDArray[np.float32]) -> list[Piece]:
        """The ink (or, where there is none, a box of usual size) between the middles (n,) of digits and neighbours."""
        strip, height = self._strip, self._strip.height
        at = strip.left + middles * strip.scale
        between = (at[1:] + at[:-1]) / 2
        lefts = np.maximum(at - WIDEST * height, np.concatenate([[-np.inf], between]))
        rights = np.minimum(at + WIDEST * height, np.concatenate([between, [np.inf]]))
        return [
            _ink_between(self._columns, round(left), round(right)) or _stand_in(strip, middle)
            for left, right, middle in zip(lefts.tolist(), rights.tolist(), at.tolist(), strict=True)
        ]


def read_strips(
    rows: Sequence[list[Piece]], strips: Sequence[Strip], labels: Labels, network: RowNetwork
) -> list[SequenceRow]:
    """Rows of pieces, and their strips -> the rows as the row network sees them."""
    scores = network.logits([strip.frame for strip in strips])
    return [SequenceRow(*each, labels) for each in zip(scores, strips, rows, strict=True)]


def _edges(
    text: tuple[int, ...], score: float, start: int, end: int, between: Iterator[int], source: int
) -> list[Edge]:
    """A number as edges, one for each digit; the first has its whole score."""
    if len(text) < 2:
        return [Edge(start, end, text[0] if text else None, score, source)]
    places = [start, *(next(between) for _ in text[1:]), end]
    scores = [score, *(0.0 for _ in text[1:])]
    return [Edge(*each, source) for each in zip(places[:-1], places[1:], text, scores, strict=True)]


def _chances(stretch: Stretch, edge: Edge) -> tuple[npt.NDArray[np.float32], float]:
    """The probabilities (10,) of a digit that stands in a stretch, and that any does."""
    single = np.array([stretch.numbers[digit,] for digit in range(DIGITS)])
    chances = np.exp(single - np.logaddexp.reduce(single))
    empty = stretch.numbers[()] - np.logaddexp.reduce(list(stretch.numbers.values()))
    return chances.astype(np.float32), float(1 - np.exp(empty))


Columns = tuple[int, int, npt.NDArray[np.bool_], tuple[int, ...]]  # left, top, ink (h, w), its labels


def _ink_columns(row: list[Piece], labels: Labels) -> Columns:
    """A row's own ink cut out of the page."""
    if not row:
        return 0, 0, np.zeros((0, 0), np.bool_), ()
    left, top = min(piece.left for piece in row), min(piece.top for piece in row)
    right, bottom = max(piece.right for piece in row), max(piece.bottom for piece in row)
    own = tuple(label for piece in row for label in piece.labels)
    return left, top, np.isin(labels[top:bottom, left:right], own), own


def _ink_between(columns: Columns, left: int, right: int) -> Piece | None:
    """The part of a row's ink between two columns, or None."""
    start, top, ink, own = columns
    first = max(0, left - start)
    part = ink[:, first : max(first, right - start)].astype(np.uint8)
    x, y, width, tall = cv2.boundingRect(part) if part.size else (0, 0, 0, 0)
    if not width:
        return None
    x, y = x + first + start, y + top
    return Piece(x, y, x + width, y + tall, int(part.sum()), own)


def _stand_in(strip: Strip, middle: float) -> Piece:
    """A box of usual size where a digit was read."""
    drop = strip.slope * (middle - strip.left)
    left, right = max(0, round(middle - USUAL * strip.height)), round(middle + USUAL * strip.height)
    top = max(0, round(strip.top + drop))
    return Piece(left, top, max(left + 1, right), max(top + 1, round(strip.bottom + drop)), 0, ())
