"""A digit that stands alone: where no more is read, both networks say together which it is, and whether it is one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from pendigit.classifier import Classifier
from pendigit.frame import frame_ink, to_frames
from pendigit.ink import Grey
from pendigit.reading.election import Elected
from pendigit.reading.pieces import Piece, Pieces
from pendigit.reading.recognise import LEAST, Character, SeenRow

OWN = 0.55  # the digit network's share: it was taught what is no digit, and the row network takes letters for digits
CLEAR = 0.9  # probability times digitness: so clear a digit, read by both networks, is not looked at again


def see_alone(
    page: Grey, ink: Grey, found: Pieces, seen: Sequence[SeenRow], classifier: Classifier
) -> Character | None:
    """A page (H, W) with some ink, on which one digit was read or none -> what stands there, as both networks see it.

    The digit network sees the page as `predict` does a picture, and the ink by itself; the clearer one counts. What was
    read counts beside it (a linear opinion pool: Stone 1961, "The opinion pool"). None where nothing is to be gained,
    or the digit network does not know what is no digit.
    """
    read = next((each for row in seen for each in row.characters if each.is_digit), None)
    if read is not None and _is_agreed(seen, read):
        return None
    piece = reduce(Piece.joined, found.pieces) if read is None else read.piece
    window = (slice(piece.top, piece.bottom), slice(piece.left, piece.right))
    by_itself = np.where(found.labels[window] > 0, ink[window], np.uint8(0))
    probabilities, digitness = classifier.judge(np.concatenate([to_frames([page])[0], frame_ink(by_itself)[None]]))
    if digitness is None:
        return None
    views = probabilities * digitness[:, None]
    shares = OWN * views[views.max(axis=1).argmax()]
    if read is not None:
        shares += (1 - OWN) * read.digitness * read.probabilities
    surely = float(shares.sum())
    return Character(piece, shares / np.float32(max(surely, LEAST)), surely)


def _is_agreed(seen: Sequence[SeenRow], read: Character) -> bool:
    """Whether both networks read the same, and the digit network surely."""
    agreed = all(isinstance(row, Elected) and row.is_cut for row in seen)
    return agreed and read.probabilities.max() * read.digitness >= CLEAR
