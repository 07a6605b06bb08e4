"""What was read, drawn onto the picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.errors import OutputError
from pendigit.files import make_folder, publish
from pendigit.results import Reading

COLOURS = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167))  # RGB of rows in turn, told apart by all eyes
LEAST_WIDTH = 1 / 1000  # of the picture's longer side: of drawn lines


def draw_overlay(picture: npt.NDArray[np.uint8], reading: Reading) -> npt.NDArray[np.uint8]:
    """A picture (H, W) or (H, W, 3) RGB and its reading -> the picture (H, W, 3) with boxes and digits drawn."""
    canvas = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB) if picture.ndim == 2 else picture.copy()
    thick = max(1, round(2 * LEAST_WIDTH * max(canvas.shape)))
    for index, row in enumerate(reading.rows):
        colour = COLOURS[index % len(COLOURS)]
        size = float(np.median([digit.box[3] - digit.box[1] for digit in row.digits])) / 50
        for digit in row.digits:
            left, top, right, bottom = digit.box
            cv2.rectangle(canvas, (left, top), (right - 1, bottom - 1), colour, thick, cv2.LINE_AA)
            at = (left, max(top - 2 * thick, round(22 * size)))
            cv2.putText(canvas, digit.text, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, thick * 2, cv2.LINE_AA)
    return np.asarray(canvas, np.uint8)


def publish_picture(path: Path, picture: npt.NDArray[np.uint8]) -> None:
    """Write a picture (H, W, 3) RGB as a PNG file, whole or not at all. Raises OutputError."""
    make_folder(path.parent)
    with publish(path) as draft:
        if not cv2.imwrite(str(draft), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)):
            raise OutputError(f"cannot write {path}", "a place for a PNG file", "choose another folder")
