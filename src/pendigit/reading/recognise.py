"""A row of characters to its digits: crops, frames, and one call of the classifier for all of the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from pendigit.classifier import Classifier, Frames, Probabilities
from pendigit.frame import to_frames
from pendigit.ink import Grey, square, uint8
from pendigit.reading.pieces import Labels, Piece

MARGIN = 0.15  # of the character's longer side: paper around it
SOFT = 3  # pixels: the square by which a character's mask is widened, for the soft edges of its strokes
LEAST_DIGITNESS = 0.5  # below it a frame shows no digit, as the network was taught
LEAST_PROBABILITY = 0.4  # below it a network without digitness is guessing


class Recognised(NamedTuple):
    """What the classifier makes of some characters: probabilities (n, 10), and (n,) how surely each is a digit."""

    probabilities: Probabilities
    digitness: Probabilities

    @property
    def accepted(self) -> list[bool]:
        """Whether each is a digit."""
        return [bool(value) for value in self.digitness >= LEAST_DIGITNESS]


def crop(piece: Piece, ink: Grey, labels: Labels) -> Grey:
    """One character alone on white paper, dark, with the soft edges of its strokes."""
    margin = 2 + round(MARGIN * max(piece.width, piece.height))
    window = (slice(piece.top, piece.bottom), slice(piece.left, piece.right))
    own = np.isin(labels[window], piece.labels).astype(np.uint8) * np.uint8(255)
    padded = cv2.copyMakeBorder(own, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    top, left = piece.top - margin, piece.left - margin
    soft = np.zeros_like(padded)
    rows = slice(max(0, top), min(ink.shape[0], piece.bottom + margin))
    columns = slice(max(0, left), min(ink.shape[1], piece.right + margin))
    soft[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = ink[rows, columns]
    return uint8(cv2.bitwise_not(cv2.bitwise_and(soft, cv2.dilate(padded, square(SOFT)))))


def recognise(crops: Sequence[Grey], classifier: Classifier) -> Recognised:
    """Crops of a character each -> what they are. A crop in which no ink is found is no digit."""
    frames, found = to_frames(crops)
    probabilities = classifier.predict_proba(frames)
    return Recognised(
        probabilities, np.where(found, _digitness(classifier, frames, probabilities), 0).astype(np.float32)
    )


def _digitness(classifier: Classifier, frames: Frames, probabilities: Probabilities) -> Probabilities:
    """How surely each frame shows a digit: the network's own word, or else whether its probability is clear."""
    ask = getattr(classifier, "digitness", None)
    digitness = ask(frames) if ask is not None else None
    if digitness is not None:
        return np.asarray(digitness, np.float32)
    return np.asarray(probabilities.max(axis=1) >= LEAST_PROBABILITY, np.float32)
