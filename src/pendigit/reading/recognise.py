"""Rows of characters to digits: which pieces of ink make a digit each, and which digit it is.

This is the seam at which another way of reading a row can be put in place: `read_rows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

import cv2
import numpy as np

from pendigit.classifier import DIGITS, Classifier, Probabilities
from pendigit.frame import frame_ink
from pendigit.ink import Grey, uint8
from pendigit.reading.cuts import cut
from pendigit.reading.lattice import Edge, Lattice, Path, weight
from pendigit.reading.pieces import Labels, Piece, belonging

LEAST_DIGITNESS = 0.5  # below it a frame shows no digit, as the network was taught
COMPANY, SURE = 3, 0.8  # characters, and their median digitness, that make a row of digits
ODDS = 4.0  # that the next piece of ink in such a row is a digit; the network was taught with even odds
MOST_PARTS = 7  # of a digit: as many as a piece is cut into, so that all of it is tried as one digit too
WIDEST = 1.5  # of the row's height: a wider digit is not written
LOOSE = 0.15  # of the row's height: parts further apart are not tried as one digit
PER_CUT = 0.08  # how likely a cut through ink is, before the network has seen the parts
PER_JOIN = 0.3  # how likely two pieces that do not touch are one digit
USUAL_WIDTH = 0.7  # of the row's height: digits are as wide, unless the row itself shows narrower ones
THIN = 0.35  # of the row's height: a narrower piece may be a one, and does not show how wide the others are
LARGER = 1.25  # times the median width: most digits of a hand are no wider
SPREAD = 0.3  # of the usual width: by how much digits are wider than that
WIDE = 1.07  # of the usual width: a narrower piece is one digit
REJECTED = 0.1  # how likely ink in a row is left out as no digit, where it can also be read as digits
LEAST = 1e-4  # the share that a network that is sure of its error leaves to the truth
LONG_TAIL = 1.3  # of the row's height: of a taller character only what stands in the row's band is read
BAND = 0.15  # of the row's height that the band goes beyond it


class Character(NamedTuple):
    """One character: its piece of ink, its probabilities (10,), and how surely it is a digit, 0 to 1."""

    piece: Piece
    probabilities: Probabilities
    digitness: float
    ruled: int | None = None  # the digit that rules made of it

    @property
    def is_digit(self) -> bool:
        """Whether it counts as a digit."""
        return self.ruled is not None or self.digitness >= LEAST_DIGITNESS


class _Way(NamedTuple):
    """A candidate: the parts from `start` to `end` of a row taken as one digit, its likelihood before it is seen."""

    start: int
    end: int
    piece: Piece
    view: Piece
    prior: float


class SeenRow(Protocol):
    """A row as a network saw it: the most likely characters, and everything else it may say."""

    @property
    def characters(self) -> list[Character]:
        """The most likely reading, from left to right."""

    @property
    def lattice(self) -> Lattice:
        """All readings; the most probable is what the characters say."""

    def log_probability(self, text: str) -> float:
        """That the row says just this, against other texts; -inf where no way of reading it does."""

    def along(self, path: Path) -> list[Character]:
        """The characters of another reading, a way through the lattice."""


class CutRow:
    """A row's candidates as the classifier saw them: the most likely characters, and all the others.

    Attributes:
        characters: The most likely way through the row, from left to right.
    """

    def __init__(self, ways: list[_Way], probabilities: Probabilities, digitness: Probabilities) -> None:
        self._ways, self._probabilities, self._digitness = ways, probabilities, digitness
        likeliest = _most_likely(ways, probabilities, digitness)
        self.characters = _in_company(likeliest)
        self._odds = ODDS if self.characters is not likeliest else 1.0

    def digitness_of(self, piece: Piece) -> float:
        """How surely a piece of the row is one digit, uncut and by itself; 0 where that was not looked at."""
        whole = (index for index, way in enumerate(self._ways) if way.piece[:4] == piece[:4])
        return max((float(self._digitness[index]) for index in whole), default=0.0)

    @cached_property
    def lattice(self) -> Lattice:
        """Everything the row may say, such that the most probable is what its characters say.

        A candidate's own digit, or none where the network sees none, costs what the candidate itself does; another
        answer costs its odds against that one.
        """
        edges: list[Edge] = []
        for index, way in enumerate(self._ways):
            digitness = _odds_on(float(self._digitness[index]), self._odds)
            known = float(np.log(way.prior * _quality(self._probabilities[index], self._digitness[index])))
            scores = _scores(self._probabilities[index], digitness)
            edges.extend(
                Edge(way.start, way.end, digit, known + score, index)
                for digit, score in zip([*range(DIGITS), None], scores, strict=True)
            )
        return Lattice(max((way.end for way in self._ways), default=0), edges)

    def log_probability(self, text: str) -> float:
        """That the row says just this, against other texts."""
        return weight(self.lattice, text)

    def along(self, path: Path) -> list[Character]:
        """The characters on a way through the lattice."""
        return [
            Character(
                self._ways[edge.source].piece,
                self._probabilities[edge.source],
                _odds_on(float(self._digitness[edge.source]), self._odds),
                edge.digit,
            )
            for edge in path.edges
        ]


def read_rows(rows: list[list[Piece]], ink: Grey, labels: Labels, classifier: Classifier) -> list[CutRow]:
    """Rows of pieces -> rows of characters. `labels` is written to where pieces are cut.

    Wide pieces are cut wherever two digits may touch; neighbouring parts are joined in every way that may be a digit;
    the classifier sees all of them at once; and the most likely way through each row is taken (a shortest path, as in
    Matan, Burges, LeCun and Denker, 1992, "Multi-digit recognition using a space displacement neural network").
    """
    label = int(labels.max()) + 1
    ways: list[list[_Way]] = []
    for row in rows:
        height, usual = (row_height(row), _usual_width(row)) if row else (0.0, 0.0)
        parts: list[tuple[Piece, int]] = []
        for index, piece in enumerate(row):
            found = cut(piece, labels, height, WIDE * usual, label)
            label += len(found)
            parts.extend((part, index) for part in found)
        ways.append(_ways(parts, row, height, usual))
    views = [way.view for of_row in ways for way in of_row]
    probabilities, digitness = classify([crop(view, ink, labels) for view in views], classifier)
    read, start = [], 0
    for of_row in ways:
        end = start + len(of_row)
        read.append(CutRow(of_row, probabilities[start:end], digitness[start:end]))
        start = end
    return read


def text_of(row: SeenRow) -> str:
    """What a row says: the digits of its most likely characters."""
    return "".join(str(each.probabilities.argmax()) for each in row.characters if each.is_digit)


def row_height(row: list[Piece]) -> float:
    """The height of a row's usual character: the median, dots and dashes apart."""
    heights = np.array([piece.height for piece in row], np.float64)
    return float(np.median(heights[heights >= heights.max() / 3]))


def _ways(parts: list[tuple[Piece, int]], row: list[Piece], height: float, usual: float) -> list[_Way]:
    """Every run of parts that may be one digit; `parts` come with the index of the piece they were cut from."""
    top, bottom = _band(row, height) if row else (0.0, 0.0)
    ways = []
    for start in range(len(parts)):
        joined, prior = parts[start][0], 1.0
        for end in range(start + 1, min(start + MOST_PARTS, len(parts)) + 1):
            if end > start + 1:
                part, origin = parts[end - 1]
                apart = origin != parts[end - 2][1]
                if apart and part.left - joined.right > LOOSE * height:
                    break
                joined = joined.joined(part)
                prior *= PER_JOIN if apart else 1.0
            if joined.width > WIDEST * height and end > start + 1:
                break
            cuts = (_is_cut(parts, start) + _is_cut(parts, end)) / 2  # each cut is shared by two
            likely = prior * PER_CUT**cuts * _width_prior(joined, height, usual)
            ways.append(_Way(start, end, joined, _within(joined, top, bottom, height), likely))
    return ways


def _is_cut(parts: list[tuple[Piece, int]], at: int) -> bool:
    return 0 < at < len(parts) and parts[at - 1][1] == parts[at][1]


def _usual_width(row: list[Piece]) -> float:
    """The width of a row's digits in pixels: a hand keeps to its own, which a few pieces show, those of ones apart."""
    height = row_height(row)
    widths = [piece.width for piece in row if piece.width >= THIN * height]
    own = LARGER * float(np.median(widths)) if len(widths) >= COMPANY else np.inf
    return min(USUAL_WIDTH * height, own)


def _width_prior(piece: Piece, height: float, usual: float) -> float:
    """How likely a digit is as wide: a normal distribution's flank, 1 for all that are narrower than usual."""
    beyond = max(0.0, piece.width / (usual * max(1.0, piece.height / height)) - 1) / SPREAD
    return float(np.exp(-(beyond**2) / 2))


def _band(row: list[Piece], height: float) -> tuple[float, float]:
    """The top and bottom between which a row's usual characters stand."""
    usual = [piece for piece in row if piece.height >= height / 2]
    return float(np.median([piece.top for piece in usual])), float(np.median([piece.bottom for piece in usual]))


def _within(piece: Piece, top: float, bottom: float, height: float) -> Piece:
    """What is shown of a piece: a long tail is left out, as it would make the rest too small to see."""
    if piece.height <= LONG_TAIL * height:
        return piece
    upper = max(piece.top, min(round(top - BAND * height), piece.bottom - round(height)))
    lower = min(piece.bottom, max(round(bottom + BAND * height), upper + round(height)))
    return piece._replace(top=upper, bottom=lower)


def _most_likely(ways: list[_Way], probabilities: Probabilities, digitness: Probabilities) -> list[Character]:
    """The path through a row's parts whose digits are most likely together."""
    count = max((way.end for way in ways), default=0)
    best = [0.0] + [-np.inf] * count
    chosen: list[int] = [-1] * (count + 1)
    for index, way in sorted(enumerate(ways), key=lambda pair: pair[1].end):
        score = best[way.start] + np.log(way.prior * _quality(probabilities[index], digitness[index]))
        if score > best[way.end]:
            best[way.end], chosen[way.end] = score, index
    read: list[Character] = []
    at = count
    while at > 0:
        index = chosen[at]
        read.append(Character(ways[index].piece, probabilities[index], float(digitness[index])))
        at = ways[index].start
    return read[::-1]


def _in_company(row: list[Character]) -> list[Character]:
    """A row's characters, each the likelier a digit for standing among digits (Bayes' rule on its digitness)."""
    if len(row) < COMPANY or np.median([each.digitness for each in row]) < SURE:
        return row
    return [each._replace(digitness=_odds_on(each.digitness, ODDS)) for each in row]


def _odds_on(digitness: float, odds: float) -> float:
    """How surely a character is a digit if that was `odds` to 1 before it was seen."""
    return odds * digitness / (odds * digitness + 1 - digitness)


def _quality(probabilities: Probabilities, digitness: float) -> float:
    """How likely a candidate is one digit, whichever."""
    quality = float(probabilities.max() * digitness)
    return max(LEAST, quality if digitness >= LEAST_DIGITNESS else REJECTED * quality)


def _scores(probabilities: Probabilities, digitness: float) -> list[float]:
    """What each of a candidate's ten digits, and that it is none, costs by its own answer: log-odds, 0 for that one."""
    share = np.log((probabilities + LEAST) / (probabilities.max() + LEAST))
    odds = float(np.log((digitness + LEAST) / (1 - digitness + LEAST)))
    return [*(share + min(0.0, odds)).tolist(), min(0.0, -odds)]


def crop(piece: Piece, ink: Grey, labels: Labels) -> Grey:
    """One character's ink (h, w), other ink erased, at the contrast of its own middle strokes: 255 is fully covered."""
    window = (slice(piece.top, piece.bottom), slice(piece.left, piece.right))
    own = np.where(belonging(labels[window], piece.labels), 255, 0).astype(np.uint8)
    contrast = max(1.0, cv2.mean(ink[window], own)[0])
    stretched = cv2.convertScaleAbs(ink[window], alpha=255 / contrast)
    return uint8(cv2.bitwise_and(stretched, own))


def classify(crops: Sequence[Grey], classifier: Classifier) -> tuple[Probabilities, Probabilities]:
    """The ink of a character each -> probabilities (n, 10) and digitness (n,)."""
    frames = np.stack([frame_ink(ink) for ink in crops]) if crops else np.empty((0, 28, 28), np.uint8)
    probabilities, digitness = classifier.judge(frames)  # a network without digitness trusts them all
    return probabilities, np.ones(len(frames), np.float32) if digitness is None else digitness
