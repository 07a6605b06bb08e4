"""Straight runs of thin ink, level but for a few degrees."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.ink import Grey, uint8

WHOLE = 0.8  # of a run that is ink: strokes that cross and gaps in print leave the rest
SLOPES = (-0.07, -0.035, 0.0, 0.035, 0.07)  # rise by length, 0 to 4 degrees: what the skew leaves in perspective
WOBBLE = 3  # pixels: how far a line may stray from a slope
INKED = bytes([255])


class Straight:
    """A page's ink (H, W) of 0 or 255 in which level runs are looked for.

    Attributes:
        thin: What of it is thin from top to bottom, at most `thick` pixels. Where a stroke crosses a line, ink is not
            thin, so the crossing stays with the stroke.
    """

    def __init__(self, mask: Grey, thick: int) -> None:
        self.thin = uint8(cv2.subtract(mask, cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((thick + 1, 1), np.uint8))))
        self._levels: dict[float, tuple[Grey, npt.NDArray[np.int32]]] = {}

    def runs(self, length: float) -> Grey:
        """255 on the thin ink that runs on for at least `length` pixels from left to right, in one of five slopes."""
        side = max(3, round(length))
        found = np.zeros_like(self.thin)
        if not self._may_run(side):
            return found
        for slope in SLOPES:
            run = self._run(side, slope)
            if run is not None:
                cv2.bitwise_or(found, run, dst=found)
        return uint8(cv2.bitwise_and(found, self.thin, dst=found))

    def _may_run(self, length: int) -> bool:
        """Whether enough of any `length` columns have ink, at whatever height: else no slope has a run."""
        return float(_share(self.thin.max(axis=0)[None], length).max()) > WHOLE * 255

    def _run(self, length: int, slope: float) -> Grey | None:
        """Where ink of one slope runs on for `length` pixels: in the page sheared level, mapped back.

        Runs at one height are joined: behind close digits too little of a line is seen to be a run.
        """
        level, inked = self._level(slope)
        heights = np.flatnonzero(_may_hold(inked, length))
        if not heights.size:
            return None
        _, centres = cv2.threshold(_share(level[heights], length), WHOLE * 255, 255, cv2.THRESH_BINARY)
        run, before, after = np.zeros_like(self.thin), (length - 1) // 2, length // 2 + 1
        for height, each in zip(heights.tolist(), centres, strict=True):
            centre = each.tobytes()  # whose ends are found many times faster than by NumPy
            first, last = centre.find(INKED), centre.rfind(INKED)
            if first >= 0:
                strays = slice(max(0, height - WOBBLE // 2), height + WOBBLE // 2 + 1)
                run[strays, max(0, first - before) : last + after] = 255
        if slope == 0 or not run.any():
            return run
        way = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        return uint8(cv2.warpAffine(run, self._shear(slope), run.shape[::-1], flags=way))

    def _level(self, slope: float) -> tuple[Grey, npt.NDArray[np.int32]]:
        """The thin ink sheared level, widened by how far lines stray, and how many pixels of each row are ink."""
        if slope not in self._levels:
            level = self.thin
            if slope != 0:
                level = uint8(cv2.warpAffine(level, self._shear(slope), level.shape[::-1], flags=cv2.INTER_NEAREST))
            wide = uint8(cv2.dilate(level, np.ones((WOBBLE, 1), np.uint8)))
            inked = np.asarray(cv2.reduce(wide, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[:, 0] // 255)
            self._levels[slope] = wide, inked
        return self._levels[slope]

    def _shear(self, slope: float) -> npt.NDArray[np.float32]:
        return np.array([[1, 0, 0], [slope, 1, -slope * self.thin.shape[1] / 2]], np.float32)


def _may_hold(inked: npt.NDArray[np.int32], length: int) -> npt.NDArray[np.bool_]:
    """Which rows have enough ink for a run; near the page's side it counts twice, as it is mirrored there."""
    return np.asarray(2 * inked > WHOLE * length)


def _share(level: Grey, length: int) -> Grey:
    """How much of the `length` pixels around each one is ink."""
    return uint8(cv2.blur(level, (length, 1), borderType=cv2.BORDER_REFLECT))
