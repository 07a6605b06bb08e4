"""From a picture to its ink: 0 where there is paper, brighter the more the pen wrote.

Light falls unevenly, pens differ and writing may be light on dark; what follows should see none of it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

Grey: TypeAlias = npt.NDArray[np.uint8]  # (H, W)
Floats: TypeAlias = npt.NDArray[np.float32]  # (H, W)
Flags: TypeAlias = npt.NDArray[np.bool_]

LARGE = 50  # pixels: a picture at least this long is smoothed for finding; in smaller ones strokes are too thin for it
SAMPLE = 32  # pixels: light is judged on every n-th pixel, such that at least as many remain along the longer side
LEAST_LIT = 20  # pixels: in a smaller picture the digit itself makes the slope
LEAST_SLOPE = 4.0  # grey levels across the picture: less light falling off than this disturbs nothing
NEIGHBOURHOOD = 0.5  # of the longer side: brightness is compared within it, so that a shadow's edge weighs little
CORNER = 0.1  # of each side: corners are paper, as digits are round
CORNER_WEIGHT = 0.7  # of a standard deviation in the corners against 1 of skewness; 0.5 to 1 decide alike
LINE_OFF, LINE_UNEVEN = 1.0, 0.3  # of the picture's spread: how far off a line is; of that: how uneven along itself
LINE_REACH = 0.2  # of the side: a box's lines lie no further inside
REACH = 0.5  # of the longer side: wider than any pen's stroke, so that a closing leaves only paper
KEPT = 64  # masks and kernels of so many sizes: those of many pictures' sizes would add up to a hundred megabytes
LEAST_REACH = 15  # pixels: so that the strokes of a digit 8 to 30 pixels tall are closed too


def to_grey(image: npt.NDArray[np.uint8]) -> Grey:
    """A picture (H, W), (H, W, 1) or (H, W, 3) RGB uint8 -> its luminance (H, W) uint8."""
    if image.ndim == 2:
        return image
    if image.shape[2] == 1:
        return image[:, :, 0]
    return uint8(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))


def shrink(grey: Grey, longest: int, shortest: int = 0) -> Grey:
    """The picture with its longer side at most `longest` pixels, by averaging areas.

    Of a strip the shorter side keeps `shortest` pixels, so that something is left of what is written on it.
    """
    scale = max(longest / max(grey.shape[:2]), shortest / min(grey.shape[:2]))
    if scale >= 1:
        return grey
    height, width = (max(1, round(side * scale)) for side in grey.shape[:2])
    return uint8(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA))


def dark_and_smooth(grey: Grey) -> tuple[Grey, Grey]:
    """The picture (H, W) with the light's slope taken away, and inverted if its writing is light; and it smoothed."""
    smooth = _smooth(grey)
    sample = _sample(smooth).astype(np.float32)
    down, right = _slope(sample[:, ::2], axis=0), _slope(sample[::2], axis=1)  # every other line is enough
    if max(grey.shape) >= LEAST_LIT and abs(down) + abs(right) >= LEAST_SLOPE:
        sample -= _plane(sample.shape, down, right)
        grey = _to_range(grey - _plane(grey.shape, down, right))
        smooth = _smooth(grey)
    if is_dark_on_light(sample):
        return grey, smooth
    return uint8(cv2.bitwise_not(grey)), uint8(cv2.bitwise_not(smooth))


def is_dark_on_light(sample: Floats) -> bool:
    """Whether the writing of a small picture (H, W) is darker than what it is written on.

    Ink covers less than paper does, so the paper is near the mean and the ink far from it: the skewness tells. Where
    fat strokes fill the picture both are alike, and the corners tell, which are seldom ink. Neither is enough alone:
    skewness errs on fat digits cropped tightly, corners on grid lines. Where they disagree, grid lines are left out.
    """
    skewness, corners = _skewness_and_corners(sample)
    dark = skewness <= CORNER_WEIGHT * corners
    if dark == (skewness <= 0):
        return dark
    inside = _inside_lines(sample)
    if inside is not sample:
        skewness, corners = _skewness_and_corners(inside)
    return skewness <= CORNER_WEIGHT * corners


def _skewness_and_corners(sample: Floats) -> tuple[float, float]:
    """Of brightness against the neighbourhood's: the skewness, and the corners' mean in standard deviations."""
    side = odd(NEIGHBOURHOOD * max(sample.shape))
    across, down = (min(side, odd(2 * length)) for length in sample.shape[::-1])  # more only repeats what there is
    deviation = sample - cv2.blur(sample, (across, down), borderType=cv2.BORDER_REFLECT)
    deviation -= cv2.mean(deviation)[0]
    squared = deviation * deviation
    spread = max(cv2.mean(squared)[0] ** 0.5, 1e-3)
    skewness = cv2.mean(squared * deviation)[0] / spread**3
    return skewness, cv2.mean(deviation, _corners(*sample.shape))[0] / spread


def _inside_lines(sample: Floats) -> Floats:
    """The picture without the even lines along its sides, which are a box's; itself where there are none."""
    middle, spread = float(np.median(sample)), max(float(sample.std()), 1e-3)
    ends = []
    for axis in (1, 0):
        off, uneven = np.abs(sample.mean(axis=axis) - middle), sample.std(axis=axis)
        is_line = (off > LINE_OFF * spread) & (uneven < LINE_UNEVEN * off)
        most = int(LINE_REACH * len(is_line))
        for each in (is_line[:most], is_line[::-1][:most]):
            ends.append(int(np.flatnonzero(each).max(initial=-1)) + 1)
    top, bottom, left, right = ends
    if sum(map(bool, ends)) < 2:  # one alone may be the digit's own
        return sample
    return np.ascontiguousarray(sample[top : len(sample) - bottom, left : sample.shape[1] - right])


def paper_of(smooth: Grey) -> Grey:
    """The paper behind dark ink (H, W) uint8, guessed by a closing with a square wider than any stroke.

    It fills the strokes from the paper around them and follows shadows. Paper changes slowly, so every few pixels do.
    """
    sample = _sample(smooth)
    side = max(LEAST_REACH, odd(REACH * max(sample.shape)))
    paper = cv2.morphologyEx(sample, cv2.MORPH_CLOSE, square(side))
    return uint8(cv2.resize(paper, smooth.shape[::-1], interpolation=cv2.INTER_LINEAR))


def odd(length: float) -> int:
    """The nearest odd number of pixels, so that a kernel has a middle."""
    return round(length) | 1


@lru_cache(KEPT)
def _corners(rows: int, columns: int) -> Grey:
    """A mask of the four corners of a picture."""
    mask = np.zeros((rows, columns), np.uint8)
    height, width = (max(1, round(CORNER * side)) for side in (rows, columns))
    for vertical in (slice(height), slice(-height, None)):
        for horizontal in (slice(width), slice(-width, None)):
            mask[vertical, horizontal] = 255
    return mask


@lru_cache(KEPT)
def square(side: int) -> Grey:
    """A square kernel."""
    return np.ones((side, side), np.uint8)


def uint8(result: Any) -> Grey:
    """OpenCV's result, typed."""
    return cast(Grey, result)


def _smooth(grey: Grey) -> Grey:
    return uint8(cv2.GaussianBlur(grey, (3, 3), 0)) if max(grey.shape) >= LARGE else grey


def _sample(grey: Grey) -> Grey:
    """Every n-th pixel of a picture (H, W) each way: what changes slowly is judged on these alone."""
    step = max(1, max(grey.shape) // SAMPLE)
    return np.ascontiguousarray(grey[step // 2 :: step, step // 2 :: step]) if min(grey.shape) > step else grey


def _slope(sample: Floats, axis: int) -> float:
    """How many grey levels the light gains across the picture along an axis.

    The median over pairs a quarter of the picture apart: ink, grid lines and a shadow's edge touch fewer than half of
    the pairs, so that only light that falls off everywhere counts.
    """
    length: int = sample.shape[axis]
    step = length // 4
    if step == 0:
        return 0.0
    first, last = (sample[:-step], sample[step:]) if axis == 0 else (sample[:, :-step], sample[:, step:])
    differences = (last - first).ravel()
    differences.sort()
    median = float(differences[differences.size // 2])
    return median * length / step


def _plane(shape: tuple[int, ...], down: float, right: float) -> Floats:
    """A plane (H, W) that rises by `down` and `right` from edge to edge and is 0 in the middle."""
    rows, columns = ((np.arange(side, dtype=np.float32) + 0.5) / side - 0.5 for side in shape)
    return np.asarray(rows[:, None] * np.float32(down) + columns * np.float32(right), np.float32)


def _to_range(values: Floats) -> Grey:
    """Shift, and only where they span more than 255 shrink, grey levels into 0..255."""
    low, high, _, _ = cv2.minMaxLoc(values)
    scale = 255 / max(high - low, 255)
    shift = -low if low < 0 or scale < 1 else min(0.0, 255 - high)
    return np.asarray(np.rint((values + np.float32(shift)) * np.float32(scale)), np.uint8)
