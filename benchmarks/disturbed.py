"""Photos and scans that are not ours, each under one disturbance more: turned, askew, in a shadow, exposed wrongly.

    python benchmarks/disturbed.py [--model NAME] [--data FOLDER] [--only NAME ...]

CER and rows are counted as by `reading.py`. The disturbances are drawn from one seed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import pendigit
from bench import machine
from reading import Pixels, Score, photos
from sets import DATA

SEED = 2026
SET = "photos_dev"
Disturb = Callable[[Pixels], Pixels]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a model's name or path; the default reader's")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--only", nargs="+", choices=list(DISTURBANCES), default=list(DISTURBANCES))
    options = parser.parse_args()
    reader = pendigit.load_reader(options.model)
    print(machine())
    for name in options.only:
        score = Score()
        for sheet in photos(options.data / SET):
            read = reader.read(DISTURBANCES[name](sheet.picture))
            score.add([row.text for row in read.rows], sheet.rows)
        print(f"  {name:28} {score}", flush=True)


def turned(quarters: int) -> Disturb:
    """Turned anticlockwise."""
    return lambda picture: np.ascontiguousarray(np.rot90(picture, quarters))


def tilted(degrees: float) -> Disturb:
    """Turned anticlockwise by a little, on a ground of the picture's median colour."""

    def tilt(picture: Pixels) -> Pixels:
        height, width = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
        cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
        size = (round(width * cosine + height * sine), round(width * sine + height * cosine))
        matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
        ground = np.median(picture.reshape(-1, 3), axis=0).tolist()
        return np.asarray(cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC, borderValue=ground), np.uint8)

    return tilt


def askew(picture: Pixels) -> Pixels:
    """Seen from the side, what lies beside it smeared."""
    height, width = picture.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + np.array([[0.1, 0.05], [-0.05, 0], [0, 0], [0, -0.07]], np.float32) * (width, height)
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    return np.asarray(cv2.warpPerspective(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def in_light(light: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]) -> Disturb:
    """With the share of the light (H, W) that each place keeps, by x and y from 0 to 1."""

    def dim(picture: Pixels) -> Pixels:
        height, width = picture.shape[:2]
        y, x = np.mgrid[:height, :width] / np.array([height, width], np.float64).reshape(2, 1, 1)
        share = cv2.GaussianBlur(np.broadcast_to(light(x, y), (height, width)).copy(), (0, 0), width / 80)
        return exposed(share[..., None])(picture)

    return dim


def exposed(times: float | NDArray[np.float64]) -> Disturb:
    """So many times as bright; what is too bright is white."""
    return lambda picture: np.clip(picture * times, 0, 255).astype(np.uint8)


def grainy(deviation: float) -> Disturb:
    """Noise of a deviation in grey levels, in each colour."""

    def add(picture: Pixels) -> Pixels:
        noise = np.random.default_rng(SEED).normal(0, deviation, picture.shape)
        return np.clip(picture + noise, 0, 255).astype(np.uint8)

    return add


def blurred(deviation: float) -> Disturb:
    """Out of focus by so many pixels."""
    return lambda picture: np.asarray(cv2.GaussianBlur(picture, (0, 0), deviation), np.uint8)


def resized(times: float) -> Disturb:
    """As many times as large."""
    way = cv2.INTER_AREA if times < 1 else cv2.INTER_CUBIC
    return lambda picture: np.asarray(cv2.resize(picture, None, fx=times, fy=times, interpolation=way), np.uint8)


def packed(quality: int) -> Disturb:
    """Through JPEG."""

    def pack(picture: Pixels) -> Pixels:
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)

    return pack


DISTURBANCES: dict[str, Disturb] = {
    "as it is": lambda picture: picture,
    "on its left side": turned(1),
    "upside down": turned(2),
    "on its right side": turned(3),
    "tilted by 4 degrees": tilted(4),
    "tilted by -8 degrees": tilted(-8),
    "seen askew": askew,
    "light from one side": in_light(lambda x, y: (0.35 + 0.65 * x) * (1 - 0.3 * y)),
    "half in shadow": in_light(lambda x, y: np.where(x + 0.5 * y < 0.7, 0.5, 1.0)),
    "0.4 times as bright": exposed(0.4),
    "1.5 times as bright": exposed(1.5),
    "light on dark": lambda picture: np.asarray(255 - picture, np.uint8),
    "noise of 12": grainy(12),
    "noise of 25": grainy(25),
    "blurred by 1 pixel": blurred(1),
    "blurred by 2 pixels": blurred(2),
    "half its size": resized(0.5),
    "twice its size": resized(2),
    "JPEG of quality 15": packed(15),
}


if __name__ == "__main__":
    main()
