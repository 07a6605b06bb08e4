"""From ink to the strokes of one digit: which pieces belong to it, and whether there is a digit at all."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.ink import Flags, Grey, dark_and_smooth, paper_of, square, uint8

Numbers: TypeAlias = npt.NDArray[np.float64]

SHARP = 30  # pixels: a digit up to this long keeps its unsmoothed grey levels, or thin strokes would fade
LONG = 0.5  # of the picture's side: what touches the border and is as long may be a grid line
THICKEST = 0.25  # of the picture's area: four lines of a 16th of its side; more is a dark region, or noise
LINE_DEPTH = 0.06  # of the picture: mean distance to the border of a sure line; tight digits have 0.063 and more
DOUBTFUL_DEPTH = 0.15  # of the picture: up to here a piece is a line if a digit is found without it
STRAIGHT = 0.6  # of a picture's side: pixels of ink in a row or column that make it a line of a box
LINE_EDGE = 5  # pixels: the square by which lines are widened before they are erased, for their soft edges
ROUNDS = 3  # times that lines are erased: dark ones hide pale ones, and those a faint digit
LEAST_SIZE = 0.3  # of the picture: smaller things left after erasing are specks in an empty box, or a thin digit's rest
NEAR = 0.25  # of the main piece's length: pieces this near belong to it, such as the bar of a 5
LEAST_PIECE = 0.03  # of the main piece's area: less is a speck
FAINTEST = 6.0  # grey levels between ink and paper: less is the noise of paper and camera
SEPARATION = 1.9  # between ink and paper, in the sum of their standard deviations: digits have 2 and more, noise 1.8
TINY = 16  # pixels: in a smaller picture a stroke is a pixel wide and as uneven as noise
RAGGED = 1.9  # half the outline in digit's lengths, times the filled share of its box: digits reach 1.8, noise 2 to 6
WEAK = 0.2  # of the ink's contrast: from here on what hangs together with the digit is ink, such as a faint loop
WEAK_NOISE = 3.0  # standard deviations of the paper: but only above its noise


class Strokes(NamedTuple):
    """One digit cut out of a picture.

    Attributes:
        ink: (h, w) uint8, the ink around the digit; 0 is no darker than the brightest paper.
        mask: (h, w) uint8, 255 where it is the digit's.
        paper: Mean ink of plain paper, grey levels.
        contrast: Mean ink of the digit above that, grey levels.
        box: Where the digit is in the picture: left, top, right, bottom in pixels, the latter two exclusive.
    """

    ink: Grey
    mask: Grey
    paper: float
    contrast: float
    box: tuple[int, int, int, int]


class _Found(NamedTuple):
    """Where the digit is: masks (H, W) of it, of all ink, and of erased lines; the threshold; mean ink and noise."""

    digit: Grey
    everything: Grey
    erased: Grey | None
    box: tuple[int, int, int, int]
    threshold: float
    paper: float
    noise: float
    contrast: float


class _Pieces:
    """The connected pieces of ink above Otsu's threshold: left, top, right, bottom, area in pixels, each (n,).

    `window` cuts out all ink with a margin of a pixel; `alone` says that it is one piece, away from the border.
    """

    def __init__(self, ink: Grey) -> None:
        self.threshold, mask = cv2.threshold(ink, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        self.mask = uint8(mask)
        left, top, width, height = cv2.boundingRect(mask)
        self.window = (slice(max(0, top - 1), top + height + 1), slice(max(0, left - 1), left + width + 1))
        count, _ = cv2.connectedComponents(mask[self.window], connectivity=8, ltype=cv2.CV_16U)
        self.count = count - 1  # the first is the paper
        rows, columns = ink.shape
        inside = left > 0 and top > 0 and left + width < columns and top + height < rows
        self.alone = self.count == 1 and inside
        if self.alone or self.count == 0:  # as mostly: then nothing has to be chosen, and half of the time is saved
            return
        _, self.labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_16U)
        self.left, self.top, width, height, self.area = stats[1:].T.astype(np.float64)
        self.right, self.bottom = self.left + width, self.top + height
        self.at_border: Flags = (self.left == 0) | (self.top == 0) | (self.right == columns) | (self.bottom == rows)
        self.long: Flags = self.at_border & ((width >= LONG * columns) | (height >= LONG * rows))
        self.long &= self.area <= THICKEST * ink.size
        self.depth = self._depth()

    def only(self, chosen: Flags) -> Grey:
        """The mask (H, W) of some pieces."""
        if chosen.all():
            return self.mask
        table = np.zeros(self.count + 1, np.uint8)
        table[1:][chosen] = 255
        return table[self.labels]

    def _depth(self) -> Numbers:
        """Each piece's mean distance to the picture's border, as a share of its sides."""
        rows, columns = ((np.arange(side, dtype=np.float32) + 0.5) / side for side in self.mask.shape)
        rows, columns = np.minimum(rows, 1 - rows), np.minimum(columns, 1 - columns)
        distance = np.minimum(rows[:, None], columns)
        sums = np.bincount(self.labels.ravel(), weights=distance.ravel(), minlength=self.count + 1)
        return np.asarray(sums[1:] / self.area, np.float64)


def find_strokes(grey: Grey) -> Strokes | None:
    """The strokes of the one digit in a picture (H, W) uint8 of either polarity, or None where there is no ink."""
    grey, smooth = dark_and_smooth(grey)
    paper = paper_of(smooth)
    ink = uint8(cv2.subtract(paper, smooth))
    for rounds in (ROUNDS, 0):  # where erasing lines leaves a ghost alone, the lines were the digit
        found = _find(ink, None, rounds) or _find_beside_lines(ink)
        if found is None:
            return None
        sharp = _longer_side(found.box) <= SHARP
        strokes = _cut(uint8(cv2.subtract(paper, grey)) if sharp else ink, found)
        if cv2.minMaxLoc(strokes.ink, strokes.mask)[1] >= strokes.paper + WEAK * strokes.contrast:
            return strokes
    return None


def _find(ink: Grey, erased: Grey | None, rounds: int) -> _Found | None:
    """Find the digit, first without what may be grid lines or box corners, then with what is no sure line."""
    pieces = _Pieces(ink)
    if pieces.count == 0:
        return None
    if pieces.alone:
        return _check(ink, pieces, pieces.mask, erased)
    doubtful = pieces.long & (pieces.depth < DOUBTFUL_DEPTH)
    if rounds and doubtful.any():
        lines = uint8(cv2.dilate(pieces.only(doubtful), square(LINE_EDGE)))
        if erased is not None:
            lines = uint8(cv2.bitwise_or(erased, lines))
        found = _find(uint8(cv2.subtract(ink, lines)), lines, rounds - 1)
        if found is not None:
            return found
    lines_for_sure = pieces.long & (pieces.depth < LINE_DEPTH)
    return None if lines_for_sure.all() else _check(ink, pieces, _belonging(pieces, ~lines_for_sure), erased)


def _find_beside_lines(ink: Grey) -> _Found | None:
    """Find a digit that touches the lines of its box, by erasing what runs straight along the picture's sides."""
    _, mask = cv2.threshold(ink, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    lines = np.zeros_like(ink)
    for turned, of_lines in ((mask, lines), (mask.T, lines.T)):
        reach = int(DOUBTFUL_DEPTH * len(turned))
        straight = (turned > 0).mean(axis=1) >= STRAIGHT
        straight[reach : len(straight) - reach] = False
        of_lines[straight] = 255
    if not lines.any():
        return None
    lines = uint8(cv2.dilate(lines, square(LINE_EDGE)))
    return _find(uint8(cv2.subtract(ink, lines)), lines, ROUNDS)


def _belonging(pieces: _Pieces, allowed: Flags) -> Grey:
    """The mask of the pieces that make the digit: the largest and most central one, and those near it.

    A piece at the picture's border must also reach into it or lie within the main one's surroundings: grid lines run
    along the border and lead away from the digit.
    """
    main = int(np.where(allowed, pieces.depth * pieces.area, 0).argmax())
    left, top, right, bottom = (side[main] for side in (pieces.left, pieces.top, pieces.right, pieces.bottom))
    reach = NEAR * max(right - left, bottom - top)
    left, top, right, bottom = left - reach, top - reach, right + reach, bottom + reach
    near = (pieces.left <= right) & (pieces.right >= left) & (pieces.top <= bottom) & (pieces.bottom >= top)
    inside = (pieces.left >= left) & (pieces.right <= right) & (pieces.top >= top) & (pieces.bottom <= bottom)
    own = inside | ~pieces.at_border | (pieces.depth >= DOUBTFUL_DEPTH)
    belongs = allowed & near & own & (pieces.area >= LEAST_PIECE * pieces.area[main])
    belongs[main] = True
    return pieces.only(belongs)


def _check(ink: Grey, pieces: _Pieces, digit: Grey, erased: Grey | None) -> _Found | None:
    """The digit of a mask (H, W), or None if it is too small, too faint or too ragged to be one."""
    left, top, width, height = cv2.boundingRect(digit)
    box = (left, top, left + width, top + height)
    inside = (slice(top, top + height), slice(left, left + width))
    longer = max(width, height)
    if longer < LEAST_SIZE * max(ink.shape) and erased is not None:
        return None
    filled = cv2.countNonZero(digit[inside]) / (width * height)
    if _outline(digit[inside]) / 2 * filled > RAGGED * longer:
        return None
    away = uint8(cv2.bitwise_not(cv2.dilate(pieces.mask, square(3))))
    if erased is not None:
        away = uint8(cv2.subtract(away, erased))
    paper, noise = _mean_and_deviation(ink, away)
    dark, spread = _mean_and_deviation(ink[inside], digit[inside])
    clear = SEPARATION * (noise + spread) if max(ink.shape) >= TINY else 0.0
    if dark - paper < max(FAINTEST, clear):
        return None
    return _Found(digit, pieces.mask, erased, box, pieces.threshold, paper, noise, dark - paper)


def _cut(ink: Grey, found: _Found) -> Strokes:
    """Cut the digit out with a margin, other ink erased, and add the faint strokes that hang together with it."""
    left, top, right, bottom = found.box
    margin = 2 + round(NEAR * _longer_side(found.box))
    window = (slice(max(0, top - margin), bottom + margin), slice(max(0, left - margin), right + margin))
    mask = found.digit[window]
    ink = ink[window]
    if found.erased is not None:
        ink = uint8(cv2.subtract(ink, found.erased[window]))
    weak = found.paper + max(WEAK * found.contrast, WEAK_NOISE * found.noise)
    if weak < found.threshold:
        if found.digit is not found.everything:
            ink = uint8(cv2.subtract(ink, cv2.subtract(found.everything[window], mask)))
        _, faint = cv2.threshold(ink, weak, 255, cv2.THRESH_BINARY)
        count, labels = cv2.connectedComponents(faint, connectivity=8, ltype=cv2.CV_16U)
        if count == 2:
            mask = uint8(faint)
        else:
            joined = np.bincount(labels[mask > 0], minlength=count) > 0
            joined[0] = False
            mask = np.where(joined, 255, 0).astype(np.uint8)[labels]
    return Strokes(ink, mask, found.paper, found.contrast, found.box)


def _outline(mask: Grey) -> int:
    """Length of a mask's outline inside its own box, in pixels' sides."""
    down = cv2.countNonZero(cv2.absdiff(mask[1:], mask[:-1])) if len(mask) > 1 else 0
    return down + (cv2.countNonZero(cv2.absdiff(mask[:, 1:], mask[:, :-1])) if mask.shape[1] > 1 else 0)


def _mean_and_deviation(ink: Grey, mask: Grey) -> tuple[float, float]:
    mean, deviation = cv2.meanStdDev(ink, mask=mask)
    return mean.item(), deviation.item()


def _longer_side(box: tuple[int, int, int, int]) -> int:
    left, top, right, bottom = box
    return max(right - left, bottom - top)
