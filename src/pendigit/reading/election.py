"""Rows read in two ways, whole and cut into digits: which reading is taken."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pendigit.ink import Grey
from pendigit.reading.networks import Networks
from pendigit.reading.pieces import Labels, Piece
from pendigit.reading.recognise import LEAST, SeenRow, read_rows
from pendigit.reading.sequences import read_strips
from pendigit.reading.strips import cut_strips, whole_strip

WORDS = 10  # characters from which a page can be told to be one of words
WHOLE = 1.5  # votes of the reading from side to side, which no piece of print can mislead


def read_either(
    rows: list[list[Piece]], dark: Grey, ink: Grey, lines: Grey, labels: Labels, networks: Networks
) -> Sequence[SeenRow]:
    """Rows of pieces on a page (H, W) -> what is seen in them. `labels` is written to.

    A picture may also be one row cut out, on paper whose print breaks the row's pieces up: then it is read from side to
    side too, and the three readings vote, each as strongly as it is clear, this one more.
    """
    if networks.rows is None or not rows:
        return read_rows(rows, ink, labels, networks.digits)
    every = sorted((piece for row in rows for piece in row), key=lambda piece: piece.left)
    strips = [*cut_strips(rows, dark, labels, lines), whole_strip(dark)]
    *read, whole = read_strips([*rows, every], strips, labels, networks.rows)
    cut = read_rows(rows, ink, labels, networks.digits)  # comes last, as it gives cut pieces other labels
    if len(rows) > 1 and _are_words(cut):
        return cut
    if len(rows) == 1 or clarity([whole]) > max(clarity(read), clarity(cut)):
        return elected([(1.0, read), (WHOLE, [whole]), (1.0, cut)])
    return [likelier(*pair) for pair in zip(read, cut, strict=True)]


def read_found(
    rows: list[list[Piece]], dark: Grey, ink: Grey, lines: Grey, labels: Labels, networks: Networks
) -> Sequence[SeenRow]:
    """Rows of pieces that are surely rows -> what is seen in each, read the likelier way. `labels` is written to."""
    if networks.rows is None or not rows:
        return read_rows(rows, ink, labels, networks.digits)
    read = read_strips(rows, cut_strips(rows, dark, labels, lines), labels, networks.rows)
    cut = read_rows(rows, ink, labels, networks.digits)
    return [likelier(*pair) for pair in zip(read, cut, strict=True)]


def elected(readings: Sequence[tuple[float, Sequence[SeenRow]]]) -> Sequence[SeenRow]:
    """Readings with their weights -> the one whose text has the most votes."""
    texts = [_text(reading) for _, reading in readings]
    votes = dict.fromkeys(texts, 0.0)
    for text, (weight, reading) in zip(texts, readings, strict=True):
        votes[text] += weight * clarity(reading)
    return readings[texts.index(max(votes, key=lambda text: votes[text]))][1]


def clarity(reading: Sequence[SeenRow]) -> float:
    """How clearly its characters are digits: the geometric mean of their probability times digitness, 0 to 1."""
    digits = [each for row in reading for each in row.characters if each.is_digit]
    clear = [float(each.probabilities.max()) * each.digitness for each in digits]
    return float(np.exp(np.log(np.maximum(clear, LEAST)).mean())) if clear else 0.0


def likelier(read: SeenRow, cut: SeenRow) -> SeenRow:
    """Of a row read whole and cut into digits the reading that is more probable by both together.

    How clear the digits are tells nothing of those that a reading has left out; how probable the other's text is to it
    does. Where both say the same, the digits that were cut out have the tighter boxes.
    """
    one, other = _text([read]), _text([cut])
    if one == other:
        return cut
    by_read = read.log_probability(one) - read.log_probability(other)
    by_cut = cut.log_probability(one) - cut.log_probability(other)
    return read if by_read + by_cut > 0 else cut


def _are_words(cut: Sequence[SeenRow]) -> bool:
    """Whether most of a page's characters are no digits: the row network knows no letters, and takes all for digits."""
    digits = [each.is_digit for row in cut for each in row.characters]
    return len(digits) >= WORDS and 2 * sum(digits) < len(digits)


def _text(reading: Sequence[SeenRow]) -> str:
    rows = ("".join(str(each.probabilities.argmax()) for each in row.characters if each.is_digit) for row in reading)
    return "|".join(row for row in rows if row)
