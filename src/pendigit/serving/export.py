"""Corrections as a zip of class folders, `0/` to `9/`, which `--data` reads once it is unpacked."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.errors import ImageError
from pendigit.frame import SIDE, is_frame, to_frame
from pendigit.serving.corrections import Box, Corrections

Pixels = npt.NDArray[np.uint8]  # (H, W) or (H, W, 3) RGB
MARGIN = 0.15  # of the box's longer side: the paper around a digit tells ink from it


def training_crop(picture: Pixels, box: Box | None) -> bytes:
    """The part of a picture that shows one digit, as a PNG that class folders may hold.

    Raises ImageError if the box lies outside the picture or holds no ink: what is kept can be trained on.
    """
    crop = picture if box is None else _cut(picture, box)
    to_frame(crop)
    if crop.shape[:2] == (SIDE, SIDE) and not is_frame(crop):  # class folders take a picture of this size for a frame
        crop = cv2.copyMakeBorder(crop, 0, 1, 0, 0, cv2.BORDER_REPLICATE)
    return cv2.imencode(".png", crop if crop.ndim == 2 else cv2.cvtColor(crop, cv2.COLOR_RGB2BGR))[1].tobytes()


def zipped(corrections: Corrections) -> Iterator[bytes]:
    """A zip file in pieces, one correction at a time in memory."""
    pieces = _Pieces()
    with zipfile.ZipFile(pieces, "w", zipfile.ZIP_STORED) as archive:  # PNG is compressed already
        for correction, crop in corrections.crops():
            made = datetime.fromisoformat(correction.made).timetuple()[:6]
            archive.writestr(zipfile.ZipInfo(f"{correction.digit}/{correction.id:06}.png", made), crop)
            yield pieces.taken()
    yield pieces.taken()


class _Pieces(io.RawIOBase):
    """A file that can only be written to, and gives what was written since it was last asked."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._written += piece
        return len(piece)

    def taken(self) -> bytes:
        piece = bytes(self._written)
        self._written.clear()
        return piece


def _cut(picture: Pixels, box: Box) -> Pixels:
    left, top, right, bottom = box
    height, width = picture.shape[:2]
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise ImageError(
            f"the box {left},{top},{right},{bottom} in a picture of {width}x{height} pixels",
            "left,top,right,bottom inside the picture",
            "measure it in the upright picture",
        )
    margin = round(MARGIN * max(right - left, bottom - top))
    return picture[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]
