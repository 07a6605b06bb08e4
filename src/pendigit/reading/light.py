"""From a page's grey levels to its ink: light and shadow flattened, either polarity, dark and light pens alike."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from pendigit.ink import Grey, is_dark_on_light, odd, shrink, square, uint8

THUMB = 512  # pixels: paper and light change slowly, and are judged in a picture of this length
WIDEST = 0.3  # of the shorter side: no pen's stroke is wider, not even in a close-up of one digit
NARROWEST = 1 / 24  # of the shorter side: a narrower neighbourhood would follow the strokes of dense writing
SURROUND = 4.0  # stroke widths: paper is guessed within it, so that a shadow this wide is followed
MOST_INK = 0.9  # of the ink lies in strokes no wider than those that count: hatching is finer than its stroke
SHARP = 0.45  # of its darkness by which a pen's stroke ends from one pixel to the next but one; shadows have 0.2
NOISE = 5.0  # standard deviations of the paper's grain: less is no ink
FAINTEST = 12  # of 255: a contrast of 5 %, less than which the eye sees no stroke
PALEST = 0.12  # of the darkest ink on the page: what is paler is a shadow's rest; a pencil beside a marker has 0.2
SHARE = 0.4  # of the darkest ink nearby: what is paler is the soft edge of a stroke, or the paper's pattern
NEARBY = 1 / 12  # of the longer side: how far ink is compared
BLOCK = 8  # pixels: the grid on which the darkest ink nearby is looked up


class Ink(NamedTuple):
    """What the pen left on a page.

    Attributes:
        ink: (H, W) uint8, contrast to the paper at that place: 0 is paper, 255 is black on white.
        mask: (H, W) uint8, 255 where there is ink.
        traces: (H, W) uint8, 255 where there is anything above the grain, also the faint print beside dark writing.
        noise: Standard deviation of plain paper, in the ink's levels.
        light_on_dark: Whether the writing is lighter than its ground.
    """

    ink: Grey
    mask: Grey
    traces: Grey
    noise: float
    light_on_dark: bool


def find_ink(grey: Grey) -> Ink:
    """A page (H, W) uint8 of either polarity -> its ink."""
    light_on_dark = not is_dark_on_light(shrink(grey, THUMB // 2).astype(np.float32))
    dark = uint8(cv2.bitwise_not(grey)) if light_on_dark else grey
    ink = _contrast(dark, _paper(dark))
    noise = _noise(ink)
    least = max(FAINTEST, NOISE * noise, PALEST * float(cv2.blur(ink, (3, 3)).max()))
    _, traces = cv2.threshold(ink, least, 255, cv2.THRESH_BINARY)
    return Ink(ink, _threshold(ink, least), uint8(traces), noise, light_on_dark)


def _threshold(ink: Grey, faintest: float) -> Grey:
    """Ink (H, W) -> 255 where it is clearly above the grain, and not much paler than the darkest ink nearby.

    A local threshold after Su, Lu and Tan (2010), "Binarization of historical document images using the local maximum
    and minimum": faint writing far from dark writing is found, and the paper's pattern beside dark writing is not.
    """
    height, width = ink.shape
    small = cv2.resize(ink, (max(1, width // BLOCK), max(1, height // BLOCK)), interpolation=cv2.INTER_AREA)
    blocks = _block_maxima(ink, small.shape)
    reach = odd(2 * NEARBY * max(blocks.shape))
    darkest = cv2.blur(cv2.dilate(blocks, square(reach)), (reach, reach))
    least = np.maximum(darkest * np.float32(SHARE), faintest).astype(np.uint8)
    return uint8(cv2.compare(ink, cv2.resize(least, (width, height)), cv2.CMP_GT))


def _block_maxima(ink: Grey, shape: tuple[int, ...]) -> Grey:
    """The darkest smoothed ink in each block of a grid of `shape`."""
    rows, columns = shape
    height, width = min(ink.shape[0], rows * BLOCK), min(ink.shape[1], columns * BLOCK)
    smooth = cv2.blur(ink, (3, 3))
    if height < rows * BLOCK or width < columns * BLOCK:
        return uint8(cv2.resize(cv2.dilate(smooth, square(BLOCK)), (columns, rows), interpolation=cv2.INTER_NEAREST))
    return np.asarray(smooth[:height, :width].reshape(rows, BLOCK, columns, BLOCK).max(axis=(1, 3)), np.uint8)


def _paper(dark: Grey) -> Grey:
    """The paper behind dark writing (H, W), guessed first widely, then as closely as the strokes' width allows."""
    thumb = cv2.GaussianBlur(shrink(dark, THUMB), (3, 3), 0)
    side = min(thumb.shape)
    wide = WIDEST * side
    close = max(NARROWEST * side, min(wide, SURROUND * _stroke_width(thumb, _closed(thumb, wide))))
    paper = cv2.blur(_closed(thumb, close), (odd(close / 2),) * 2)
    return uint8(cv2.resize(paper, dark.shape[::-1], interpolation=cv2.INTER_LINEAR))


def _closed(grey: Grey, side: float) -> Grey:
    return uint8(cv2.morphologyEx(grey, cv2.MORPH_CLOSE, square(max(3, odd(side)))))


def _stroke_width(dark: Grey, paper: Grey) -> float:
    """The width of strokes in pixels: twice the depth of the ridges of sharp ink, few of whose ink lies deeper.

    Without sharp ink, wider than any: then nothing says that what is dark is a shadow.
    """
    ink = uint8(cv2.subtract(paper, dark))
    _, mask = cv2.threshold(ink, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    depth = cv2.distanceTransform(_sharp(ink, uint8(mask)), cv2.DIST_L2, 3)
    ridge = np.sort(depth[(depth > 0) & (depth >= cv2.dilate(depth, square(3)))])
    if not ridge.size:
        return float(max(dark.shape))
    ink_so_far = np.cumsum(ridge)
    return 2 * float(ridge[np.searchsorted(ink_so_far, MOST_INK * ink_so_far[-1])])


def _sharp(ink: Grey, mask: Grey) -> Grey:
    """The mask's pieces whose outline is sharp, as pens' are and shadows' are not."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    outline = cv2.subtract(mask, cv2.erode(mask, square(3))) > 0
    steep = cv2.morphologyEx(ink, cv2.MORPH_GRADIENT, square(3))
    on = labels[outline]
    steepness = np.bincount(on, steep[outline], count) / np.maximum(1, np.bincount(on, minlength=count))
    darkness = np.bincount(labels.ravel(), ink.ravel(), count) / np.maximum(1, stats[:, cv2.CC_STAT_AREA])
    sharp = steepness >= SHARP * darkness
    sharp[0] = False
    return np.where(sharp, 255, 0).astype(np.uint8)[labels]


def _contrast(dark: Grey, paper: Grey) -> Grey:
    """How much of the paper's light the ink takes, 0 to 255: a shadow takes its share of both, and cancels."""
    light = cv2.divide(dark, paper, scale=255)
    return uint8(cv2.bitwise_not(light))


def _noise(ink: Grey) -> float:
    """The grain of paper and camera: from the middle half of all pixels, most of which are paper."""
    sample = ink[:: max(1, ink.shape[0] // 256), :: max(1, ink.shape[1] // 256)]
    low, high = np.percentile(sample, (25, 60))
    return float(high - low) / 0.93  # of a normal distribution's deviations, these two are 0.93 apart
