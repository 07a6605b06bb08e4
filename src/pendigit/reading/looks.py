"""A second look at an unclear page: which way up it lies and how tall its writing is, told by its pieces of ink."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from pendigit.classifier import Classifier, Probabilities
from pendigit.ink import uint8
from pendigit.reading.light import Ink
from pendigit.reading.pieces import Piece, Pieces, find_pieces, writing_height
from pendigit.reading.recognise import LEAST_DIGITNESS, classify, crop

ENOUGH = 16  # pieces: on all photos that were tried they tell the right quarter; four looks at each take 0.1 s
SMALLEST = 0.5  # of the writing's height: smaller pieces are dots, dashes and remains
ASKED = 100  # letters: where their neighbours are
GAIN = 1.0  # digit: so many more some pieces must be when turned; 1.5 at least where that is right, 1.2 where not
FEWEST = 3  # digits tell how tall the writing is
OTHERWISE = 1.3  # times: as much taller or lower the writing must be than it was taken for


class Look(NamedTuple):
    """How a page is looked at: turned clockwise by quarters, with writing of a height in pixels, or as it is found."""

    turned: int = 0
    height: float | None = None
    light_on_dark: bool | None = None


def second_look(found: Pieces, ink: Ink, classifier: Classifier) -> Look:
    """How a page's pieces are most clearly digits, and how tall these are; `Look()` where nothing is to be gained.

    Pieces need no rows: what lies on its side is found as well as what is upright, and what a stain hides.
    """
    whole = find_pieces(uint8(cv2.compare(found.labels, 0, cv2.CMP_GT)), ink.ink)  # as they were before cuts
    usual = _usual(whole)
    if not usual:
        return Look()
    clear = np.array([_clear(usual, quarters, whole, ink, classifier) for quarters in range(4)]).sum(axis=1)
    quarters = int(clear.argmax()) if clear.max() - clear[0] >= GAIN else 0
    largest = sorted(whole.pieces, key=lambda piece: -max(piece.width, piece.height))[:ENOUGH]
    clear = _clear(largest, quarters, whole, ink, classifier)
    digits = {piece for piece, each in zip(largest, clear, strict=True) if each >= LEAST_DIGITNESS}
    if len(digits) < FEWEST or len(digits) == len(largest):
        return Look(quarters)
    others = [piece for piece in whole.pieces if piece in digits or piece not in largest]
    height = writing_height([_turned(piece) for piece in others] if quarters % 2 else others)
    return Look(quarters, height if max(height / whole.height, whole.height / height) >= OTHERWISE else None)


def turns_of_text(found: Pieces) -> tuple[int, int]:
    """The quarters clockwise after which a page's lines of letters run across.

    Its letters do not tell: turned, they may be more like digits. But they stand nearer to those of their own line.
    """
    large = [piece for piece in found.pieces if max(piece.width, piece.height) >= SMALLEST * found.height]
    boxes = np.array([piece[:4] for piece in large], np.float32)
    asked = np.arange(0, len(boxes), 1 + len(boxes) // ASKED)
    low, high = boxes[asked, None, :2], boxes[asked, None, 2:]
    across, down = np.moveaxis(np.maximum(0, np.maximum(low - boxes[:, 2:], boxes[:, :2] - high)), 2, 0)
    apart = across + down
    each = np.arange(len(asked))
    apart[each, asked] = np.inf
    nearest = each, apart.argmin(axis=1)
    run_down = (down[nearest] > across[nearest]).sum() > (across[nearest] > down[nearest]).sum()
    return (1, 3) if run_down else (0, 2)


def _clear(pieces: Sequence[Piece], quarters: int, whole: Pieces, ink: Ink, classifier: Classifier) -> Probabilities:
    """How clearly pieces are digits when turned clockwise: probability times digitness (n,)."""
    crops = [np.ascontiguousarray(np.rot90(crop(piece, ink.ink, whole.labels), -quarters)) for piece in pieces]
    probabilities, digitness = classify(crops, classifier)
    return np.asarray(probabilities.max(axis=1) * digitness)


def _usual(found: Pieces) -> list[Piece]:
    """The pieces of the most usual size."""
    size = {piece: max(piece.width, piece.height) for piece in found.pieces}
    large = [piece for piece, side in size.items() if side >= SMALLEST * found.height]
    usual = float(np.median([size[piece] for piece in large])) if large else 0.0
    return sorted(large, key=lambda piece: abs(np.log(size[piece] / usual)))[:ENOUGH]


def _turned(piece: Piece) -> Piece:
    """A piece whose height is its width."""
    return piece._replace(left=piece.top, top=piece.left, right=piece.bottom, bottom=piece.right)
