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
from pendigit.ink import Grey, ink_of, shrink, to_grey

Pixels: TypeAlias = npt.NDArray[np.uint8]  # (H, W) or (H, W, 3)

SIDE = 28  # pixels: the frame
BOX = 20  # pixels: the longer side of the digit inside it
MIDDLE = 14.0  # pixels: where the centre of mass goes; MNIST's own centres lie in [13.5, 14.5)
WORK = 256  # pixels: a larger picture is first shrunk to this, which is a stroke of 2 pixels in a 20th of the page
FAINTEST = 6.0  # grey levels between ink and paper: less is noise of paper and camera
PAPER_END, INK_START = 0.15, 1.15  # of the mean ink: what becomes 0 and what becomes 255
EDGE = 0.25 * 255  # grey level at which a stroke ends; at a quarter, MNIST's own digits measure 20 pixels
LINE_DEPTH = 0.06  # of the crop: pieces nearer to its border on average are grid lines and box corners
PIECE = 0.03  # of the main piece's area: less is a speck
NEAR = 0.25  # of the main piece's longer side: a piece farther away belongs to something else


def to_frame(image: Pixels) -> Pixels:
    """One digit's picture (H, W) or (H, W, 3) RGB uint8, either polarity -> its frame (28, 28) uint8, ink bright.

    A picture that is a frame already comes back as it is. Raises ImageError if there is no ink.
    """
    frame = _frame(image)
    if frame is None:
        raise ImageError(
            f"no ink in the picture of {image.shape[1]}x{image.shape[0]} pixels",
            "one digit, darker or lighter than its paper",
            "check the picture, or crop it closer to the digit",
        )
    return frame


def to_frames(images: Sequence[Pixels]) -> tuple[Pixels, npt.NDArray[np.bool_]]:
    """Pictures of one digit each, of any sizes -> frames (n, 28, 28) uint8 and (n,) whether ink was found.

    The frame of a picture without ink is black, so that one blank picture does not spoil a batch.
    """
    frames = np.zeros((len(images), SIDE, SIDE), np.uint8)
    found = np.zeros(len(images), np.bool_)
    for index, image in enumerate(images):
        frame = _frame(image)
        if frame is not None:
            frames[index], found[index] = frame, True
    return frames, found


def is_frame(image: Pixels) -> bool:
    """Whether a picture is in MNIST's frame already.

    That is: (28, 28) uint8, ink reaching at least half of 255 on pure black, its longer side 19 or 20 pixels, its
    centre of mass within a pixel of the middle.
    """
    if image.shape != (SIDE, SIDE) or image.dtype != np.uint8 or image[0, 0] != 0:
        return False
    _, _, width, height = cv2.boundingRect(image)
    if not BOX - 1 <= max(width, height) <= BOX or image.max() < 128:
        return False
    x, y = _centre(image)
    return abs(x - MIDDLE) <= 1 and abs(y - MIDDLE) <= 1


def _frame(image: Pixels) -> Pixels | None:
    if is_frame(image):
        return image.copy()
    ink = ink_of(shrink(to_grey(image), WORK))
    _, mask = cv2.threshold(ink, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    if not mask.any():
        return None
    mask = _digit(mask)
    level = cv2.mean(ink, mask)[0]
    if level < FAINTEST:
        return None
    return _place(_fit(_levels(ink, mask, level)))


def _digit(mask: Grey) -> Grey:
    """Keep the pieces of a mask (H, W) that make the digit: the largest that is no line, and what belongs to it."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_16U)
    if count == 2:
        return mask
    x, y, width, height, area = stats[1:].T.astype(np.float64)
    weight = np.where(_are_lines(labels, stats), 0, area)
    if not weight.any():
        weight = area
    main = int(weight.argmax())
    gap_x = np.maximum(x - x[main] - width[main], x[main] - x - width)
    gap_y = np.maximum(y - y[main] - height[main], y[main] - y - height)
    near = np.maximum(gap_x, gap_y) <= NEAR * max(width[main], height[main])
    keep = np.zeros(count, np.uint8)
    keep[1:][near & (weight >= PIECE * area[main])] = 255
    return np.asarray(keep[labels], np.uint8)


def _are_lines(labels: npt.NDArray[np.uint16], stats: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """For each piece, whether it is a rest of a grid line or box: at the border, and all of it near the border."""
    rows, columns = labels.shape
    lines = np.zeros(len(stats) - 1, np.bool_)
    for index, (x, y, width, height, _) in enumerate(stats[1:]):
        if x > 0 and y > 0 and x + width < columns and y + height < rows:
            continue
        inside_y, inside_x = np.nonzero(labels[y : y + height, x : x + width] == index + 1)
        across = np.minimum(inside_x + x, columns - 1 - inside_x - x) / columns
        down = np.minimum(inside_y + y, rows - 1 - inside_y - y) / rows
        lines[index] = np.minimum(across, down).mean() < LINE_DEPTH
    return lines


def _levels(ink: Grey, mask: Grey, level: float) -> Grey:
    """Cut the digit out of its ink, with the soft edge around the mask, and stretch it to 0..255."""
    soft = cv2.bitwise_and(ink, cv2.dilate(mask, np.ones((3, 3), np.uint8)))
    stretched = cv2.convertScaleAbs(cv2.subtract(soft, PAPER_END * level), alpha=255 / level / (INK_START - PAPER_END))
    _, solid = cv2.threshold(stretched, EDGE, 255, cv2.THRESH_BINARY)
    x, y, width, height = cv2.boundingRect(solid)
    return np.asarray(stretched[y : y + height, x : x + width], np.uint8)


def _fit(digit: Grey) -> Grey:
    """Resize so that the longer side is the box's; the brightest pixel becomes 255."""
    scale = BOX / max(digit.shape)
    height, width = (max(1, round(side * scale)) for side in digit.shape)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    fitted = cv2.resize(digit, (width, height), interpolation=way)
    return np.asarray(cv2.convertScaleAbs(fitted, alpha=255 / fitted.max()), np.uint8)


def _place(digit: Grey) -> Pixels:
    """Put a digit of at most 20x20 into an empty frame by its centre of mass, rounded to whole pixels as MNIST's."""
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
