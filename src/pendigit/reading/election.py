"""Rows read in two ways, whole and cut into digits: which reading is taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from pendigit.ink import Grey
from pendigit.reading.networks import Networks
from pendigit.reading.pieces import Labels, Piece
from pendigit.reading.recognise import LEAST, SeenRow, read_rows
from pendigit.reading.sequences import SequenceRow, read_strips
from pendigit.reading.strips import cut_strips, whole_strip

AnyRow: TypeAlias = SeenRow | SequenceRow


def read_either(
    rows: list[list[Piece]], dark: Grey, ink: Grey, lines: Grey, labels: Labels, networks: Networks
) -> list[AnyRow]:
    """Rows of pieces on a page (H, W) -> the rows as they are read best.

    A picture may also be one row cut out, on paper whose print breaks the row's pieces up: then it is read from side to
    side too, and the three readings vote, each as strongly as it is clear. `labels` is written to.
    """
    if networks.rows is None or not rows:
        return list(read_rows(rows, ink, labels, networks.digits))
    every = sorted((piece for row in rows for piece in row), key=lambda piece: piece.left)
    strips = [*cut_strips(rows, dark, labels, lines), whole_strip(dark)]
    *read, whole = read_strips([*rows, every], strips, labels, networks.rows)
    cut = read_rows(rows, ink, labels, networks.digits)  # comes last, as it gives cut pieces other labels
    if len(rows) == 1 or clarity([whole]) > max(clarity(read), clarity(cut)):
        return elected([read, [whole], cut])
    return [_clearer(*pair) for pair in zip(read, cut, strict=True)]


def _clearer(one: AnyRow, other: AnyRow) -> AnyRow:
    return one if clarity([one]) >= clarity([other]) else other


def elected(readings: Sequence[Sequence[AnyRow]]) -> list[AnyRow]:
    """The reading whose text has the most votes."""
    texts = [_text(reading) for reading in readings]
    votes = dict.fromkeys(texts, 0.0)
    for text, reading in zip(texts, readings, strict=True):
        votes[text] += clarity(reading)
    return list(readings[texts.index(max(votes, key=lambda text: votes[text]))])


def clarity(reading: Sequence[AnyRow]) -> float:
    """How clearly its characters are digits: the geometric mean of their probability times digitness, 0 to 1."""
    digits = [each for row in reading for each in row.characters if each.is_digit]
    clear = [float(each.probabilities.max()) * each.digitness for each in digits]
    return float(np.exp(np.log(np.maximum(clear, LEAST)).mean())) if clear else 0.0


def _text(reading: Sequence[AnyRow]) -> str:
    rows = ("".join(str(each.probabilities.argmax()) for each in row.characters if each.is_digit) for row in reading)
    return "|".join(row for row in rows if row)
