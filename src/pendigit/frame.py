"""MNIST's frame: what MNIST's makers gave their digits, for any picture of one digit.

Their recipe (LeCun, Cortes, Burges; yann.lecun.com/exdb/mnist): size-normalised to fit a 20x20 box keeping the aspect
ratio, grey levels from anti-aliasing, then placed in 28x28 so that the centre of mass is in the middle.
The behaviour is a contract: `tests/golden/` holds pictures and their frames for other implementations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.errors import ImageError
from pendigit.ink import Grey, shrink, square, to_grey, uint8
from pendigit.strokes import Strokes, find_strokes

Pixels: TypeAlias = npt.NDArray[np.uint8]  # (H, W) or (H, W, 3)

SIDE = 28  # pixels: the frame
BOX = 20  # pixels: the longer side of the digit inside it
MIDDLE = 14.0  # pixels: where the centre of mass goes; those of MNIST's digits lie in [13.5, 14.5)
WORK = 256  # pixels: larger pictures are first shrunk to this, in which a digit of a tenth of the page is still read
CLOSE_UP = 64  # pixels: a digit that is smaller in the shrunk picture is cut out of the original
PAPER_END, INK_START = 0.1, 1.0  # of the mean contrast: what becomes 0 and what becomes 255
STROKE_END = 64  # grey level at which a stroke ends; at it all of MNIST's own digits measure 20 pixels


def to_frame(image: Pixels) -> Pixels:
    """One digit's picture (H, W) or (H, W, 3) RGB uint8, either polarity -> its frame (28, 28) uint8, ink bright.

    A picture that is a frame already comes back as it is. Raises ImageError if there is no ink.
    """
    frame = _frame(image)
    if frame is None:
        raise ImageError(
            f"no ink found in a picture of {image.shape[1]}x{image.shape[0]} pixels",
            "one digit, darker or lighter than its paper",
            "check the picture, or crop it closer to the digit",
        )
    return frame


def to_frames(images: Sequence[Pixels]) -> tuple[Pixels, npt.NDArray[np.bool_]]:
    """Pictures of one digit each, of any sizes -> frames (n, 28, 28) uint8, and (n,) whether ink was found.

    The frame of a picture without ink is black, so that one blank picture does not spoil a batch.
    """
    frames = np.zeros((len(images), SIDE, SIDE), np.uint8)
    found = np.zeros(len(images), np.bool_)
    for index, image in enumerate(images):
        frame = _frame(image)
        if frame is not None:
            frames[index], found[index] = frame, True
    return frames, found


def frame_ink(ink: Grey) -> Pixels:
    """Ink (h, w) uint8 that is cut out already, 0 where there is none -> its frame (28, 28) uint8; black for no ink.

    All of it is framed as it is: for pieces that a page's reader has found, and for what is known to be no digit.
    """
    x, y, width, height = cv2.boundingRect(ink)
    return _place(_fit(ink[y : y + height, x : x + width])) if width else np.zeros((SIDE, SIDE), np.uint8)


def is_frame(image: Pixels) -> bool:
    """Whether a picture is in MNIST's frame already, as all of MNIST's 60,000 training images are.

    That is: (28, 28) uint8, ink that reaches at least half of 255 on pure black, its longer side 19 or 20 pixels, its
    centre of mass within a pixel of the middle.
    """
    if image.shape != (SIDE, SIDE) or image.dtype != np.uint8:
        return False
    _, _, width, height = cv2.boundingRect(image)
    if not BOX - 1 <= max(width, height) <= BOX or image.max() < 128:
        return False
    x, y = _centre(image)
    return abs(x - MIDDLE) <= 1 and abs(y - MIDDLE) <= 1


def _frame(image: Pixels) -> Pixels | None:
    if is_frame(image):
        return image.copy()
    grey = to_grey(image)
    small = shrink(grey, WORK)
    strokes = find_strokes(small)
    if strokes is None:
        return None
    if small is not grey:
        strokes = _close_up(grey, strokes, max(grey.shape) / max(small.shape)) or strokes
    return _place(_fit(_levels(strokes)))


def _close_up(grey: Grey, strokes: Strokes, scale: float) -> Strokes | None:
    """Find a digit that is small in the shrunk picture again in the original, where its strokes are sharp."""
    left, top, right, bottom = (side * scale for side in strokes.box)
    longer = max(right - left, bottom - top)
    if longer >= CLOSE_UP * scale:
        return None
    rows = slice(max(0, round(top - longer / 2)), round(bottom + longer / 2))
    columns = slice(max(0, round(left - longer / 2)), round(right + longer / 2))
    return find_strokes(shrink(grey[rows, columns], WORK))


def _levels(strokes: Strokes) -> Grey:
    """The digit in its own box, with the soft edges of its strokes, stretched to 0..255."""
    soft = cv2.bitwise_and(strokes.ink, cv2.dilate(strokes.mask, square(3)))
    low = strokes.paper + PAPER_END * strokes.contrast
    gain = 255 / strokes.contrast / (INK_START - PAPER_END)
    stretched = cv2.addWeighted(soft, gain, soft, 0, -low * gain)  # cut off at 0 and 255
    _, solid = cv2.threshold(stretched, STROKE_END, 255, cv2.THRESH_BINARY)
    x, y, width, height = cv2.boundingRect(solid)
    return uint8(stretched[y : y + height, x : x + width])


def _fit(digit: Grey) -> Grey:
    """Resize so that the longer side is the box's; the brightest pixel becomes 255."""
    scale = BOX / max(digit.shape)
    height, width = (max(1, round(side * scale)) for side in digit.shape)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    fitted = cv2.resize(digit, (width, height), interpolation=way)
    return uint8(cv2.convertScaleAbs(fitted, alpha=255 / cv2.minMaxLoc(fitted)[1]))


def _place(digit: Grey) -> Pixels:
    """Put a digit of at most 20x20 into an empty frame by its centre of mass, in whole pixels as MNIST's are."""
    frame = np.zeros((SIDE, SIDE), np.uint8)
    height, width = digit.shape
    x, y = _centre(digit)
    left = min(max(0, int(MIDDLE + 0.5 - x)), SIDE - width)
    top = min(max(0, int(MIDDLE + 0.5 - y)), SIDE - height)
    frame[top : top + height, left : left + width] = digit
    return frame


def _centre(image: Grey) -> tuple[float, float]:
    """The centre of mass (x, y) in pixels."""
    moments = cv2.moments(image)
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
