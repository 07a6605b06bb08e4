"""Rows read as a whole by the row network: digits that touch or overlap are never cut."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import cv2
import numpy as np

from pendigit.ink import Grey
from pendigit.reading.columns import RowReading, Scores, judge, read_columns, stretches
from pendigit.reading.lattice import Edge, Lattice, Path
from pendigit.reading.networks import Networks
from pendigit.reading.pieces import Labels, Piece
from pendigit.reading.recognise import Character, SeenRow, read_rows
from pendigit.reading.strips import Strip, cut_strips, whole_strip
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
        self._scores, self._place = scores, (row, strip, labels)
        self.characters = _placed(read_columns(scores), row, strip, labels)

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

    def along(self, path: Path) -> list[Character]:
        """The characters of another reading, a way through the lattice."""
        digits = tuple(map(int, path.text))
        placed = _placed(judge(self._scores, digits), *self._place)
        return [each._replace(ruled=digit) for each, digit in zip(placed, digits, strict=True)]


def read_either(
    rows: list[list[Piece]], dark: Grey, ink: Grey, lines: Grey, labels: Labels, networks: Networks
) -> Sequence[SeenRow]:
    """Rows of pieces -> what is seen in them.

    A picture may also be one row cut out, on paper whose print broke the row's pieces up: a network for whole rows
    reads it so too, from side to side, and the clearer reading is taken.
    """
    read = read_found(rows, dark, ink, lines, labels, networks)
    if networks.rows is None or not rows or len(dark) > dark.shape[1]:
        return read
    every = sorted((piece for row in rows for piece in row), key=lambda piece: piece.left)
    whole = read_strips([every], [whole_strip(dark)], labels, networks.rows)
    return whole if _clarity(whole) > _clarity(read) else read


def read_found(
    rows: list[list[Piece]], dark: Grey, ink: Grey, lines: Grey, labels: Labels, networks: Networks
) -> Sequence[SeenRow]:
    """Rows of pieces -> what is seen in each, by the network that reads whole rows where there is one."""
    if networks.rows is None:
        return read_rows(rows, ink, labels, networks.digits)
    return read_strips(rows, cut_strips(rows, dark, labels, lines), labels, networks.rows)


def _clarity(read: Sequence[SeenRow]) -> float:
    """How clearly the digits of some rows are read, on average; 0 where there are none."""
    clear = [float(each.probabilities.max()) * each.digitness for row in read for each in row.characters]
    return float(np.mean(clear)) if clear else 0.0


def read_strips(rows: list[list[Piece]], strips: list[Strip], labels: Labels, network: RowNetwork) -> list[StripRow]:
    """Rows of pieces, and their strips -> what is seen in them."""
    scores = network.logits([strip.frame for strip in strips])
    return [StripRow(*each, labels) for each in zip(scores, rows, strips, strict=True)]


def _placed(found: RowReading, row: list[Piece], strip: Strip, labels: Labels) -> list[Character]:
    """Digits, each with the ink between the middles of its neighbours."""
    middles = strip.left + found.middles * strip.scale
    height = strip.height
    between = (middles[1:] + middles[:-1]) / 2
    lefts = np.concatenate([[-np.inf], between])
    rights = np.concatenate([between, [np.inf]])
    characters = []
    for index, middle in enumerate(middles):
        left, right = max(lefts[index], middle - WIDEST * height), min(rights[index], middle + WIDEST * height)
        piece = _ink_between(row, labels, round(left), round(right)) or _stand_in(strip, middle, height)
        characters.append(Character(piece, found.probabilities[index], float(found.digitness[index])))
    return characters


def _ink_between(row: list[Piece], labels: Labels, left: int, right: int) -> Piece | None:
    """The part of a row's ink between two columns, or None."""
    near = [piece for piece in row if piece.left < right and piece.right > left]
    if not near:
        return None
    own = tuple(label for piece in near for label in piece.labels)
    top, bottom = min(piece.top for piece in near), max(piece.bottom for piece in near)
    left = max(0, left)
    mask = np.isin(labels[top:bottom, left:right], own).astype(np.uint8)
    x, y, width, tall = cv2.boundingRect(mask)
    if not width:
        return None
    return Piece(left + x, top + y, left + x + width, top + y + tall, int(mask.sum()), own)


def _stand_in(strip: Strip, middle: float, height: float) -> Piece:
    """A box of usual size where a digit was read."""
    drop = strip.slope * (middle - strip.left)
    left, right = max(0, round(middle - USUAL * height)), round(middle + USUAL * height)
    top = max(0, round(strip.top + drop))
    return Piece(left, top, max(left + 1, right), max(top + 1, round(strip.bottom + drop)), 0, ())
