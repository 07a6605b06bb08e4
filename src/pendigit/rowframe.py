"""The row's frame: what a network that reads whole rows sees, made of any crop of one row of writing.

As `frame.py` is for one digit: the same for training and for reading. The crop is brought to one height, its light is
flattened, and its darkest strokes become 255. Nothing is thresholded or cut, so that faint strokes and digits that
touch stay as they are; the paper's print stays too, and the network is taught to look past it.
"""

from __future__ import annotations

import cv2
import numpy as np

from pendigit.ink import Flags, Grey, square, uint8

ROW_HEIGHT = 32  # pixels: of a row's frame; its digits fill half of it to nearly all
COLUMN = 2  # pixels: the network tells of every second column
OTHER, BLANK, CLASSES = 10, 11, 12  # classes after the ten digits: a sign that is no digit, and nothing
STRIDE = 4  # pixels: widths are multiples of it, since the network looks at every fourth column
REACH = 19  # pixels: wider than a fat marker's stroke in a frame, so that a closing leaves only paper
DARKEST = 0.005  # of the frame's pixels: so many may be darker than what becomes 255, such as a speck's
PALE = 0.35  # of the darkest strokes' ink: paler is the paper's print, or a soft edge
TAIL, AROUND = 0.01, 0.05  # shares: of the ink above the writing's band and below it, and of its height left around it
LOWEST = 8  # pixels: a lower band is no row
FAINTEST = 14  # of 255: paler ink is not stretched to 255, so that empty paper stays pale


def to_row(dark: Grey) -> Grey:
    """A crop (h, w) uint8 of one row, dark on light -> its frame (32, W) uint8, ink bright, W a multiple of 4."""
    ink = _flat_ink(dark)
    stretched = cv2.convertScaleAbs(ink, alpha=255 / max(FAINTEST, _peak(ink)))
    return with_paper(uint8(stretched), -ink.shape[1] % STRIDE)


def with_paper(row: Grey, columns: int) -> Grey:
    """A frame (32, W) with empty paper after it, (32, W + columns)."""
    return uint8(cv2.copyMakeBorder(row, 0, 0, 0, columns, cv2.BORDER_CONSTANT, value=0))


def writing_band(dark: Grey) -> tuple[int, int]:
    """A crop (h, w) uint8 of one row, dark on light -> the pixels of its height that the writing takes, (top, bottom).

    A crop with much room around its digits would show them small in the frame.
    """
    ink = _flat_ink(dark)
    written = np.maximum(ink.astype(np.float32) - PALE * _peak(ink), 0).sum(axis=1)
    share = np.cumsum(written) / max(float(written.sum()), 1.0)
    top, bottom = np.searchsorted(share, TAIL), np.searchsorted(share, 1 - TAIL) + 1
    room = AROUND * (bottom - top)
    scale = len(dark) / ROW_HEIGHT
    low, high = int(max(0.0, top - room) * scale), int(np.ceil(min(float(ROW_HEIGHT), bottom + room) * scale))
    return (low, high) if high - low >= LOWEST else (0, len(dark))


def slanted(row: Grey, slant: float) -> Grey:
    """A frame (32, W) leaning to the right by `slant` columns for each row up; its middle row stays."""
    if not slant:
        return row
    lean = np.array([[1, -slant, slant * ROW_HEIGHT / 2], [0, 1, 0]], np.float32)
    return uint8(cv2.warpAffine(row, lean, row.shape[::-1], flags=cv2.INTER_LINEAR))


def runs(flags: Flags) -> list[tuple[int, int]]:
    """Flags (T,) of columns -> where each run of true ones begins, and the column after its last."""
    turns = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0)).tolist()
    return list(zip(turns[::2], turns[1::2], strict=True))


def _flat_ink(dark: Grey) -> Grey:
    """A crop (h, w) -> its ink in the frame's height, (32, W): how much darker than the paper around it."""
    height, width = dark.shape
    scale = ROW_HEIGHT / height
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(dark, (max(STRIDE, round(width * scale)), ROW_HEIGHT), interpolation=way)
    paper = cv2.blur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, square(REACH)), (REACH, REACH))
    return uint8(cv2.bitwise_not(cv2.divide(small, cv2.max(paper, small), scale=255)))


def _peak(ink: Grey) -> float:
    """How dark the darkest strokes are, but for a few pixels."""
    smooth = np.sort(cv2.blur(ink, (2, 2)).ravel())
    return float(smooth[-1 - round(DARKEST * smooth.size)])
