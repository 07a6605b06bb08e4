"""Where the shapes of written digits come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Layer: TypeAlias = npt.NDArray[np.float32]  # (h, w): ink 0 to 1
Glyph: TypeAlias = Callable[[np.random.Generator, int], Layer]  # chance and a digit -> the digit, cut to its box

ENLARGED = 5  # times: a digit of 20 pixels becomes 100, more than any page here asks for
EDGE = 0.5  # ink at which an enlarged stroke ends
SHARPNESS = 4.0  # how steeply: the soft rim of an enlarged stroke shrinks to that of a pen's


def glyphs_of(frames: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> Glyph:
    """MNIST frames (n, 28, 28) and labels (n,) -> their digits as glyphs, enlarged smoothly."""
    of_digit = [frames[labels == digit] for digit in range(10)]

    def glyph(rng: np.random.Generator, digit: int) -> Layer:
        frame = of_digit[digit][rng.integers(len(of_digit[digit]))]
        return enlarge(frame)

    return glyph


def enlarge(frame: npt.NDArray[np.uint8]) -> Layer:
    """A frame (28, 28) -> its digit with pen-sharp edges, cut to its box."""
    side = frame.shape[0] * ENLARGED
    large = cv2.resize(frame.astype(np.float32) / 255, (side, side), interpolation=cv2.INTER_CUBIC)
    smooth = cv2.GaussianBlur(large, (0, 0), ENLARGED / 3)
    ink = np.clip((smooth - EDGE) * SHARPNESS + 0.5, 0, 1)
    left, top, width, height = cv2.boundingRect((ink > 0.1).astype(np.uint8))
    return np.asarray(ink[top : top + height, left : left + width], np.float32)
