"""Rows read as a whole by the row network: digits that touch or overlap are never cut."""

from __future__ import annotations

import cv2
import numpy as np

from pendigit.ink import Grey
from pendigit.reading.columns import RowReading, read_columns
from pendigit.reading.networks import Networks
from pendigit.reading.pieces import Labels, Piece
from pendigit.reading.recognise import LEAST, Character, read_rows
from pendigit.reading.strips import Strip, cut_strips, whole_strip
from pendigit.rownet import RowNetwork

WIDEST = 0.9  # of the row's height: a digit reaches no further to either side of its middle
USUAL = 0.3  # of the row's height to either side, where the ink that a digit was read in is none of the pieces


def read_either(
    rows: list[list[Piece]], dark: Grey, ink: Grey, lines: Grey, labels: Labels, networks: Networks
) -> list[list[Character]]:
    """Rows of pieces -> rows of characters, read whole and cut into digits; of the two the clearer.

    A picture may also be one row cut out, on paper whose print breaks the row's pieces up: then it is read from side to
    side too, and the three readings vote, each as strongly as it is clear. `labels` is written to.
    """
    if networks.rows is None or not rows:
        return read_rows(rows, ink, labels, networks.digits)
    strips = cut_strips(rows, dark, labels, lines)
    every = sorted((piece for row in rows for piece in row), key=lambda piece: piece.left)
    *read, whole = read_strips([*rows, every], [*strips, whole_strip(dark)], labels, networks.rows)
    cut = read_rows(rows, ink, labels, networks.digits)  # comes last, as it gives cut pieces other labels
    if len(rows) == 1 or _clarity([whole]) > max(_clarity(read), _clarity(cut)):
        return _elected([read, [whole], cut])
    return [max(pair, key=lambda row: _clarity([row])) for pair in zip(read, cut, strict=True)]


def _elected(readings: list[list[list[Character]]]) -> list[list[Character]]:
    """The reading whose text has the most votes."""
    votes: dict[str, float] = {}
    for reading in readings:
        votes[_text(reading)] = votes.get(_text(reading), 0.0) + _clarity(reading)
    return max(readings, key=lambda reading: votes[_text(reading)])


def _text(reading: list[list[Character]]) -> str:
    rows = ("".join(str(each.probabilities.argmax()) for each in row if each.is_digit) for row in reading)
    return "|".join(row for row in rows if row)


def _clarity(reading: list[list[Character]]) -> float:
    """How clearly its characters are digits: the geometric mean of their probability times digitness, 0 to 1."""
    clear = [float(each.probabilities.max()) * each.digitness for row in reading for each in row if each.is_digit]
    return float(np.exp(np.log(np.maximum(clear, LEAST)).mean())) if clear else 0.0


def read_strips(
    rows: list[list[Piece]], strips: list[Strip], labels: Labels, network: RowNetwork
) -> list[list[Character]]:
    """Rows of pieces, and their strips -> rows of characters, every one of them a digit."""
    scores = network.logits([strip.frame for strip in strips])
    read = (read_columns(score) for score in scores)
    return [_placed(found, row, strip, labels) for found, row, strip in zip(read, rows, strips, strict=True)]


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
