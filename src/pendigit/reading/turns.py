"""Which way up a page lies, told by some of its pieces, each seen in all four turns."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from pendigit.classifier import Classifier
from pendigit.ink import uint8
from pendigit.reading.light import Ink
from pendigit.reading.pieces import Piece, Pieces, find_pieces
from pendigit.reading.recognise import classify, crop

ENOUGH = 16  # pieces: on all photos that were tried they tell the right quarter; four looks at each take 0.1 s
SMALLEST = 0.5  # of the writing's height: smaller pieces are dots, dashes and remains


class Turn(NamedTuple):
    """The quarters clockwise, 0 to 3, by which pieces are most clearly digits, and by how many digits in all."""

    quarters: int
    gain: float


def likely_turn(pieces: Pieces, ink: Ink, classifier: Classifier) -> Turn:
    """How a page's pieces are most clearly digits; as they are where none is large enough.

    Pieces need no rows: what lies on its side is found as well as what is upright.
    """
    whole = find_pieces(uint8(cv2.compare(pieces.labels, 0, cv2.CMP_GT)), ink.ink)  # as they were before cuts
    crops = [crop(piece, ink.ink, whole.labels) for piece in _usual(whole)]
    if not crops:
        return Turn(0, 0.0)
    turned = [np.ascontiguousarray(np.rot90(each, -quarters)) for quarters in range(4) for each in crops]
    probabilities, digitness = classify(turned, classifier)
    clear = (probabilities.max(axis=1) * digitness).reshape(4, -1).sum(axis=1)
    return Turn(int(clear.argmax()), float(clear.max() - clear[0]))


def _usual(found: Pieces) -> list[Piece]:
    """The pieces of the most usual size."""
    size = {piece: max(piece.width, piece.height) for piece in found.pieces}
    large = [piece for piece, side in size.items() if side >= SMALLEST * found.height]
    usual = float(np.median([size[piece] for piece in large])) if large else 0.0
    return sorted(large, key=lambda piece: abs(np.log(size[piece] / usual)))[:ENOUGH]
