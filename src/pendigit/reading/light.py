"""From a page's grey levels to its ink: light and shadow flattened, either polarity, dark and light pens alike."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.ink import Floats, Grey, is_dark_on_light, odd, shrink, square, uint8

THUMB = 512  # pixels: paper and light change slowly, and are judged in a picture of this length
STRIP = 96  # pixels: and of this height at least, in which a row of digits still has strokes
WIDE = 0.3  # of the shorter side: no pen's stroke is wider, not even in a close-up of one digit
NARROW = 1 / 16  # of the shorter side: nor are those of writing that fills a page
SHARP = 0.6  # of its darkness by which a pen's stroke ends within 4 pixels: pens by 1.0, shadows by 0.42 at most
NOISE = 6.0  # standard deviations of the paper's grain: less is no ink
GRAINY = 8.0  # of 255, the grain's deviation: above six times as much, the threshold tears pale strokes apart
FOCUS = 1.3  # pixels of the photo: so wide grain is averaged; the thinnest strokes that are read have three
FALLOFF = 0.9  # of the variance that a surface of second degree explains: the light's, beside which writing is little
TINY = 1e-6  # less is none: a picture two pixels high has no curve
COVERED = 0.3  # of all pixels: more ink than that hides the paper's grain among its own
ALIKE = 0.87  # of neighbouring pixels: 0.89 and more in digits cut out closely, 0.85 and less in noise
TWO_KINDS = 0.8  # of the variance that lies between ink and paper; of grain alone, cut in two, 0.64 does
FAINTEST = 12  # of 255: a contrast of 5 %, less than which the eye sees no stroke
PALEST = 0.12  # of the darkest ink on the page: what is paler is a shadow's rest; a pencil beside a marker has 0.2
SHARE = 0.4  # of the darkest ink nearby: what is paler is the soft edge of a stroke, or the paper's pattern
NEARBY = 1 / 12  # of the longer side: how far ink is compared
SPRINKLED = 5.0  # pixels of the photo: the gaps that rough paper leaves in a stroke
CRUMBS = 4  # pieces: as many close together are one stroke's; a clean pen's digit has three at most
LINE = 5  # pixels: the square that takes a line's soft edges too
BLOCK = 8  # pixels: the grid on which the darkest ink nearby is looked up


class Ink(NamedTuple):
    """What the pen left on a page.

    Attributes:
        ink: (H, W) uint8, contrast to the paper at that place: 0 is paper, 255 is black on white.
        mask: (H, W) uint8, 255 where there is ink.
        traces: (H, W) uint8, 255 where there is anything above the grain, also the faint print beside dark writing.
        noise: Standard deviation of plain paper as it was photographed, in the ink's levels.
        light_on_dark: Whether the writing is lighter than its ground.
        least: Of 255: paler is the grain.
    """

    ink: Grey
    mask: Grey
    traces: Grey
    noise: float
    light_on_dark: bool
    least: float

    def without(self, area: Grey) -> Ink:
        """Nothing in an area (H, W) of 255."""
        ink, mask, traces = (uint8(cv2.subtract(layer, area)) for layer in self[:3])
        return self._replace(ink=ink, mask=mask, traces=traces)

    def beside(self, lines: Grey, enlarged: float) -> Ink:
        """With a mask that also has what is pale beside dark lines (H, W) of 255, though not beside dark writing."""
        if not cv2.countNonZero(lines):
            return self
        written = uint8(cv2.subtract(self.ink, cv2.dilate(lines, square(LINE))))
        mask = _whole_strokes(_threshold(self.ink, written, self.least), self.traces, enlarged)
        return self._replace(mask=mask)


def find_ink(grey: Grey, enlarged: float = 1.0, light_on_dark: bool | None = None) -> Ink:
    """A page (H, W) uint8 -> its ink, of the polarity that is given, or of either.

    `enlarged` says how many pixels each of the photo's became.
    """
    found = _find_ink(grey, enlarged, light_on_dark)
    if found.noise <= GRAINY:
        return found
    smooth = _find_ink(uint8(cv2.GaussianBlur(grey, (0, 0), FOCUS * enlarged)), enlarged, light_on_dark)
    grainy = smooth.noise < found.noise  # else it was the edge of fat strokes, which cover more than the paper
    return smooth._replace(noise=found.noise) if grainy else found


def _find_ink(grey: Grey, enlarged: float, light_on_dark: bool | None) -> Ink:
    if light_on_dark is None:
        strip = min(STRIP, round(min(grey.shape) / enlarged))
        small = shrink(grey, THUMB // 2, strip).astype(np.float32)
        light_on_dark = not is_dark_on_light(_evenly_lit(small) if max(grey.shape) > THUMB * enlarged else small)
    dark = uint8(cv2.bitwise_not(grey)) if light_on_dark else grey
    ink = _contrast(dark, _paper(dark, enlarged))
    noise = _noise(ink)
    least = min(255.0, max(FAINTEST, NOISE * noise, PALEST * float(cv2.blur(ink, (3, 3)).max())))  # 255: no ink at all
    _, traces = cv2.threshold(ink, least, 255, cv2.THRESH_BINARY)
    mask = _whole_strokes(_threshold(ink, ink, least), uint8(traces), enlarged)
    return Ink(ink, mask, uint8(traces), noise, light_on_dark, least)


def _evenly_lit(small: Floats) -> Floats:
    """A page's small copy (H, W) without what light or lens take from its sides, where that hides the writing."""
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in small.shape)
    y, bent_x, bent_y = y[:, None], x * x - np.mean(x * x), (y * y - np.mean(y * y))[:, None]
    light = np.full_like(small, small.mean())
    for each in (x, y, x * y, bent_x, bent_y):  # orthogonal on a grid, so that each is fitted by itself
        term = np.broadcast_to(each, small.shape)
        light += term * (np.sum(term * small) / max(np.sum(term * term), TINY))
    even = small - light
    return even if even.var() <= (1 - FALLOFF) * small.var() else small


def plain_ink(grey: Grey) -> Ink:
    """A drawing (H, W) uint8 on one even ground, of either polarity -> its ink, the darkest of it 255."""
    light_on_dark = not is_dark_on_light(shrink(grey, THUMB // 2).astype(np.float32))
    low, high, _, _ = cv2.minMaxLoc(grey)
    gain = 255 / (high - low) if high - low >= FAINTEST else 0.0
    dark = np.abs(grey.astype(np.float32) - (low if light_on_dark else high)) * np.float32(gain)
    ink = np.rint(dark).astype(np.uint8)
    _, mask = cv2.threshold(ink, SHARE * 255, 255, cv2.THRESH_BINARY)
    return Ink(ink, uint8(mask), uint8(mask), 0.0, light_on_dark, SHARE * 255)


def _threshold(ink: Grey, written: Grey, faintest: float) -> Grey:
    """Ink (H, W) -> 255 where it is clearly above the grain, and not much paler than the darkest writing nearby.

    A local threshold after Su, Lu and Tan (2010), "Binarization of historical document images using the local maximum
    and minimum": faint writing far from dark writing is found, and the paper's pattern beside dark writing is not.
    """
    height, width = ink.shape
    blocks = _block_maxima(written, (max(1, height // BLOCK), max(1, width // BLOCK)))
    reach = odd(2 * NEARBY * max(blocks.shape))
    darkest = cv2.blur(cv2.dilate(blocks, square(reach)), (reach, reach))
    least = np.maximum(darkest * np.float32(SHARE), faintest).astype(np.uint8)
    return uint8(cv2.compare(ink, cv2.resize(least, (width, height)), cv2.CMP_GT))


def _whole_strokes(mask: Grey, traces: Grey, enlarged: float) -> Grey:
    """The mask (H, W), in which what a dry pen or a pencil left of a stroke is joined by its fainter traces.

    A stroke that a clean pen wrote is one piece or two; only where many pieces lie close together are they joined, so
    that digits with a narrow gap stay apart.
    """
    reach = square(odd(SPRINKLED * enlarged))
    closed = uint8(cv2.bitwise_and(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, reach), traces))
    count, strokes = cv2.connectedComponents(closed, connectivity=8, ltype=cv2.CV_32S)
    parts, part = cv2.connectedComponents(mask, connectivity=8, ltype=cv2.CV_32S)
    stroke_of = np.zeros(parts, np.intp)
    inked = np.flatnonzero(mask > 0)
    stroke_of[part.ravel()[inked]] = strokes.ravel()[inked]
    broken = np.bincount(stroke_of[1:], minlength=count) >= CRUMBS
    broken[0] = False
    return (
        uint8(cv2.bitwise_or(mask, np.where(broken, 255, 0).astype(np.uint8).take(strokes))) if broken.any() else mask
    )


def _block_maxima(ink: Grey, shape: tuple[int, ...]) -> Grey:
    """The darkest smoothed ink in each block of a grid of `shape`."""
    rows, columns = shape
    height, width = min(ink.shape[0], rows * BLOCK), min(ink.shape[1], columns * BLOCK)
    smooth = cv2.blur(ink, (3, 3))
    if height < rows * BLOCK or width < columns * BLOCK:
        return uint8(cv2.resize(cv2.dilate(smooth, square(BLOCK)), (columns, rows), interpolation=cv2.INTER_NEAREST))
    return np.asarray(smooth[:height, :width].reshape(rows, BLOCK, columns, BLOCK).max(axis=(1, 3)), np.uint8)


def _paper(dark: Grey, enlarged: float) -> Grey:
    """The paper behind dark writing (H, W): what a closing leaves where a pen's strokes are filled from around.

    A narrow closing follows shadows, but takes a fat stroke for one; a wide one does neither. So where the two differ,
    the outline tells: a shadow's is soft.
    """
    thumb = cv2.GaussianBlur(
        shrink(dark, min(THUMB, round(max(dark.shape) / enlarged)), min(STRIP, round(min(dark.shape) / enlarged))),
        (3, 3),
        0,
    )
    side = max(3, odd(NARROW * min(thumb.shape)))
    narrow, wide = (_closed(uint8(thumb), length) for length in (side, max(3, odd(WIDE * min(thumb.shape)))))
    fat = cv2.dilate(_fat_strokes(uint8(thumb), narrow, wide, odd(side / 2)), square(side))
    paper = cv2.blur(np.where(fat > 0, wide, narrow), (odd(side / 2),) * 2)
    return uint8(cv2.resize(paper, dark.shape[::-1], interpolation=cv2.INTER_LINEAR))


def _closed(grey: Grey, side: int) -> Grey:
    return uint8(cv2.morphologyEx(grey, cv2.MORPH_CLOSE, square(side)))


def _fat_strokes(dark: Grey, narrow: Grey, wide: Grey, stroke: int) -> Grey:
    """Patches (H, W) that are ink to the wide paper but not to the narrow one, and have a pen's sharp outline."""
    ink = uint8(cv2.subtract(wide, dark))
    _, mask = cv2.threshold(ink, FAINTEST, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    core = cv2.bitwise_and(
        mask, cv2.compare(cv2.subtract(narrow, dark), cv2.convertScaleAbs(ink, alpha=0.5), cv2.CMP_LT)
    )
    core = cv2.morphologyEx(core, cv2.MORPH_CLOSE, square(stroke))  # writing in a shadow cuts it up
    count, labels, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=8, ltype=cv2.CV_32S)
    steep = cv2.dilate(cv2.morphologyEx(ink, cv2.MORPH_GRADIENT, square(5)), square(5))
    outline = cv2.subtract(core, cv2.erode(core, square(3))) > 0
    sharp = np.zeros(count, np.uint8)
    for label in range(1, count):
        window = _window(stats[label])
        own = labels[window] == label
        edge = steep[window][own & outline[window]]
        if edge.size and np.median(edge) >= SHARP * ink[window][own].mean():
            sharp[label] = 255
    return np.asarray(sharp.take(labels), np.uint8)


def _window(stats: npt.NDArray[np.int32]) -> tuple[slice, slice]:
    left, top, width, height = (int(side) for side in stats[:4])
    return slice(top, top + height), slice(left, left + width)


def _contrast(dark: Grey, paper: Grey) -> Grey:
    """How much of the paper's light the ink takes, 0 to 255: a shadow takes its share of both, and cancels."""
    light = cv2.divide(dark, paper, scale=255)
    return uint8(cv2.bitwise_and(cv2.bitwise_not(light), cv2.compare(paper, 0, cv2.CMP_GT)))  # in the dark is no ink


def _hang_together(is_ink: npt.NDArray[np.bool_]) -> bool:
    """Whether ink (H, W) makes strokes: neighbours in them are of one kind, those of two kinds of grain are not."""
    across, down = is_ink[:, 1:] == is_ink[:, :-1], is_ink[1:] == is_ink[:-1]
    return bool(min(across.mean(), down.mean()) >= ALIKE)


def _noise(ink: Grey) -> float:
    """The grain of paper and camera: from the middle half of all pixels, most of which are paper.

    Where strokes cover too much for that, as they do of a digit cut out closely, from the paper alone.
    """
    sample = ink[:: max(1, ink.shape[0] // 256), :: max(1, ink.shape[1] // 256)]
    level, _ = cv2.threshold(sample, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    is_ink = sample > level
    covered = float(is_ink.mean())
    if COVERED <= covered < 1:
        apart = covered * (1 - covered) * (float(sample[is_ink].mean()) - float(sample[~is_ink].mean())) ** 2
        if apart >= TWO_KINDS * float(sample.var()) and _hang_together(ink > level):
            sample = sample[~is_ink]
    low, high = np.percentile(sample, (25, 60))
    return float(high - low) / 0.93  # of a normal distribution's deviations, these two are 0.93 apart
