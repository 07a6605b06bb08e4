"""A page laid askew: by how many degrees its rows and lines rise."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.ink import Grey, shrink

THUMB, STRIP = 800, 200  # pixels: the length of the mask in which rows are tried, and its height at least
FEWEST, SPECK = 3, 20  # pieces of ink, each of more pixels than a speck: fewer lean as their hand does, not as a row
MOST = 20_000  # pixels of ink: more do not sharpen the answer
STEEPEST = 15.0  # degrees: steeper rows come with a sheet, whose edges tell
STEP, FINE = 1.0, 0.1  # degrees
LEAST = 0.4  # degrees: less disturbs nothing
SHARPER = 1.08  # times as sharp as the rows of the page as it is: less may be chance


def find_skew(mask: Grey) -> float:
    """Ink (H, W) of 0 or 255 -> degrees by which its rows rise to the right, within 15 of level; 0 where unclear.

    Level rows gather their ink at few heights, and ruled lines even more: the angle is chosen at which the sum of
    squares of the ink at each height is largest (Postl, 1986).
    """
    small = np.asarray(shrink(mask, THUMB, STRIP) > 127, np.uint8)
    if _pieces(small) < FEWEST:
        return 0.0
    y, x = _points(small)
    coarse = np.arange(-STEEPEST, STEEPEST + STEP / 2, STEP)
    best = coarse[int(np.argmax([_sharpness(y, x, angle) for angle in coarse]))]
    fine = np.arange(best - STEP, best + STEP + FINE / 2, FINE)
    scores = [_sharpness(y, x, angle) for angle in fine]
    angle = float(fine[int(np.argmax(scores))])
    if abs(angle) < LEAST or abs(angle) > STEEPEST or max(scores) < SHARPER * _sharpness(y, x, 0.0):
        return 0.0
    return angle


def _pieces(mask: Grey) -> int:
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    return int((stats[1:, cv2.CC_STAT_AREA] > SPECK).sum())


def _points(mask: Grey) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Where there is ink: y and x (n,) in pixels, of evenly spread ones where there is much."""
    y, x = np.nonzero(mask)
    step = max(1, len(y) // MOST)
    return y[::step].astype(np.float32), x[::step].astype(np.float32)


def _sharpness(y: npt.NDArray[np.float32], x: npt.NDArray[np.float32], angle: float) -> float:
    height = y * np.float32(np.cos(np.radians(angle))) + x * np.float32(np.sin(np.radians(angle)))
    counts = np.bincount((height - height.min()).astype(np.intp) // 2)
    return float((counts.astype(np.float64) ** 2).sum())
