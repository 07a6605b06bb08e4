"""Rows read as a whole by the row network: digits that touch or overlap are never cut."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise

import cv2
import numpy as np

from pendigit.reading.columns import Scores, judge, log_probability, read_columns, stretches
from pendigit.reading.lattice import Edge, Lattice, Path
from pendigit.reading.pieces import Labels, Piece, belonging
from pendigit.reading.recognise import Character
from pendigit.reading.strips import Strip
from pendigit.reading.ways import RowReading
from pendigit.rownet import RowNetwork

WIDEST = 0.9  # of the row's height: a digit reaches no further to either side of its middle
ALTERNATIVES = 60  # numbers that a stretch of columns may say: touching digits share one, and rules may want any
USUAL = 0.3  # of the row's height to either side, where the ink that a digit was read in is none of the pieces


class StripRow:
    """A row as the row network saw it.

    Attributes:
        characters: The most likely reading, every character of it a digit.
    """

    def __init__(self, scores: Scores, row: list[Piece], strip: Strip, labels: Labels) -> None:
        self._scores, self._strip, self._written = scores, strip, _Written(row, labels)
        self.characters = _placed(read_columns(scores), strip, self._written)

    @cached_property
    def lattice(self) -> Lattice:
        """Everything the row may say: each stretch of columns one of its numbers."""
        edges, at = list[Edge](), 0
        for index, stretch in enumerate(stretches(self._scores, ALTERNATIVES)):
            end = at + 1 + sum(max(0, len(digits) - 1) for digits in stretch.numbers)
            free = at + 1  # the next position inside the stretch, between the digits of one number
            for digits, score in stretch.numbers.items():
                if score == -np.inf:  # more digits than columns
                    continue
                stops = [at, *range(free, free + len(digits) - 1), end]
                free += max(0, len(digits) - 1)
                signs: tuple[int | None, ...] = digits or (None,)
                edges.extend(
                    Edge(start, stop, sign, score if start == at else 0.0, index)
                    for (start, stop), sign in zip(pairwise(stops), signs, strict=True)
                )
            at = end
        return Lattice(at, edges)

    def log_probability(self, text: str) -> float:
        """That the row says just this."""
        return log_probability(self._scores, tuple(map(int, text)))

    def along(self, path: Path) -> list[Character]:
        """The characters of another reading, a way through the lattice."""
        digits = tuple(map(int, path.text))
        placed = _placed(judge(self._scores, digits), self._strip, self._written)
        return [each._replace(ruled=digit) for each, digit in zip(placed, digits, strict=True)]


def read_strips(rows: list[list[Piece]], strips: list[Strip], labels: Labels, network: RowNetwork) -> list[StripRow]:
    """Rows of pieces, and their strips -> what is seen in them."""
    return [StripRow(network.judge(strip.frame), row, strip, labels) for row, strip in zip(rows, strips, strict=True)]


def _placed(found: RowReading, strip: Strip, written: _Written) -> list[Character]:
    """Digits, each with the ink between the middles of its neighbours."""
    middles, height = strip.left + found.middles * strip.scale, strip.height
    between = (middles[1:] + middles[:-1]) / 2
    lefts = np.maximum(middles - WIDEST * height, np.concatenate([[-np.inf], between]))
    rights = np.minimum(middles + WIDEST * height, np.concatenate([between, [np.inf]]))
    characters = []
    for index, middle in enumerate(middles.tolist()):
        piece = written.between(round(lefts[index]), round(rights[index])) or _stand_in(strip, middle)
        characters.append(Character(piece, found.probabilities[index], float(found.digitness[index])))
    return characters


class _Written:
    """A row's own ink, copied from the page: cuts that come later give pieces other labels."""

    def __init__(self, row: list[Piece], labels: Labels) -> None:
        boxes = np.array([piece[:4] for piece in row], np.intp).reshape(-1, 4)
        self._left, self._top = boxes[:, :2].min(axis=0, initial=labels.size).tolist()
        right, bottom = boxes[:, 2:].max(axis=0, initial=0).tolist()
        self._labels = tuple(label for piece in row for label in piece.labels)
        self._ink = belonging(labels[self._top : bottom, self._left : right], self._labels)

    def between(self, left: int, right: int) -> Piece | None:
        """What is written between two columns, or None."""
        first = max(0, left - self._left)
        part = self._ink[:, first : max(first, right - self._left)].astype(np.uint8)
        x, y, width, tall = cv2.boundingRect(part) if part.size else (0, 0, 0, 0)
        if not width:
            return None
        x, y = x + first + self._left, y + self._top
        return Piece(x, y, x + width, y + tall, int(part.sum()), self._labels)


def _stand_in(strip: Strip, middle: float) -> Piece:
    """A box of usual size where a digit was read."""
    drop = strip.slope * (middle - strip.left)
    left, right = max(0, round(middle - USUAL * strip.height)), round(middle + USUAL * strip.height)
    top = max(0, round(strip.top + drop))
    return Piece(left, top, max(left + 1, right), max(top + 1, round(strip.bottom + drop)), 0, ())
