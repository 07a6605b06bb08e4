"""Pages of written numbers, photographed: every digit and its place are known.

The layers follow light's own way: paper, print and ink make a sheet; light falls on it; it may lie on a desk; a camera
looks at it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.writing import paper
from pendigit.writing.conditions import Conditions
from pendigit.writing.glyphs import Glyph, Layer
from pendigit.writing.paper import Colours

Box: TypeAlias = tuple[int, int, int, int]  # left, top, right, bottom in pixels, the latter two exclusive
Matrix: TypeAlias = npt.NDArray[np.float64]  # (3, 3)

DIGIT = (30, 80)  # pixels: the height of a page's digits
MARGIN = 0.9  # digits' heights around the writing
MOST_ROWS, MOST_DIGITS = 6, 11
LEAST_GAP = 0.12  # of a digit's height: digits do not touch here
INKS = ((0.08, 0.08, 0.1), (0.1, 0.13, 0.45), (0.55, 0.08, 0.1), (0.05, 0.3, 0.12))  # black, blue, red, green
LIGHT_INKS = ((0.92, 0.92, 0.9), (0.95, 0.9, 0.6))  # chalks


@dataclass(frozen=True)
class WrittenPage:
    """A page whose truth is known.

    Attributes:
        picture: (H, W, 3) RGB uint8.
        rows: The digits of each row, from top to bottom.
        boxes: Each row's boxes of digits in the picture's pixels.
    """

    picture: npt.NDArray[np.uint8]
    rows: tuple[str, ...]
    boxes: tuple[tuple[Box, ...], ...]


@dataclass(frozen=True)
class Placed:
    """A digit's shape and its box on the flat sheet."""

    digit: int
    shape: Layer
    left: int
    top: int

    @property
    def box(self) -> Box:
        """Left, top, right, bottom."""
        return self.left, self.top, self.left + self.shape.shape[1], self.top + self.shape.shape[0]


def write_page(
    rng: np.random.Generator, glyph: Glyph, conditions: Conditions, rows: tuple[str, ...] | None = None
) -> WrittenPage:
    """Write random numbers, or the given ones, a row each, and photograph them under `conditions`."""
    texts = random_rows(rng) if rows is None else rows
    height = float(rng.uniform(*DIGIT))
    placed, size = _place(rng, glyph, texts, height, conditions)
    sheet = _sheet(rng, placed, size, height, conditions)
    matrix, size = view(rng, size, conditions)
    picture = photograph(rng, sheet, matrix, size, conditions)
    boxes = tuple(tuple(_seen(digit.box, matrix, size) for digit in row) for row in placed)
    return WrittenPage(picture, texts, boxes)


def random_rows(rng: np.random.Generator) -> tuple[str, ...]:
    """Some rows of random digits."""
    count = int(rng.integers(1, MOST_ROWS + 1))
    return tuple("".join(map(str, rng.integers(0, 10, int(rng.integers(1, MOST_DIGITS + 1))))) for _ in range(count))


def _place(
    rng: np.random.Generator, glyph: Glyph, texts: tuple[str, ...], height: float, conditions: Conditions
) -> tuple[list[list[Placed]], tuple[int, int]]:
    """Set the digits in rows on a sheet just large enough -> rows, and the sheet's width and height."""
    rows, y, widest = [], MARGIN * height * rng.uniform(1, 3), 0.0
    for text in texts:
        slope = rng.normal(0, 0.03) * conditions.tilt
        usual = rng.uniform(LEAST_GAP, 0.6)
        start = x = MARGIN * height * rng.uniform(1, 3)
        row = []
        for character in text:
            shape = sized(rng, glyph(rng, int(character)), height, conditions)
            jump = rng.normal(0, 0.08) * height * conditions.tilt
            top = y + height - shape.shape[0] + slope * (x - start) + jump
            row.append(Placed(int(character), shape, round(x), max(0, round(top))))
            gap = max(LEAST_GAP, usual * (1 + rng.normal(0, 0.3)) + rng.exponential(0.5) * conditions.spacing)
            x += shape.shape[1] + height * (gap + 0.5 * (conditions.boxed > 0))
        rows.append(row)
        widest = max(widest, x)
        y += height * (rng.uniform(1.7, 2.6) + 2 * conditions.tilt * abs(slope) * len(text))
    margin = MARGIN * height * rng.uniform(1, 3)
    return rows, (round(widest + margin), round(y + margin))


def sized(rng: np.random.Generator, shape: Layer, height: float, conditions: Conditions) -> Layer:
    """A glyph at the page's size, give or take a tenth."""
    scale = height * rng.normal(1, 0.05 + 0.05 * conditions.tilt) / shape.shape[0]
    size = (max(3, round(shape.shape[1] * scale)), max(8, round(shape.shape[0] * scale)))
    return np.asarray(cv2.resize(shape, size, interpolation=cv2.INTER_AREA), np.float32)


def _sheet(
    rng: np.random.Generator,
    rows: list[list[Placed]],
    size: tuple[int, int],
    height: float,
    conditions: Conditions,
) -> Colours:
    """Paper, its print, and the writing on it: (H, W, 3)."""
    width, tall = size
    ground = paper.plain(rng, tall, width, conditions)
    print_ = paper.printed_lines(rng, (tall, width), height * rng.uniform(0.7, 2), conditions)
    if conditions.boxed:
        print_ = np.maximum(print_, _boxes(rng, rows, (tall, width), height, conditions))
    ink = np.zeros((tall, width), np.float32)
    for row in rows:
        for digit in row:
            left, top, right, bottom = digit.box
            part = ink[top:bottom, left:right]
            np.maximum(part, digit.shape[: part.shape[0], : part.shape[1]], out=part)
    ink *= _pen(rng, ink.shape, conditions)
    inks = LIGHT_INKS if conditions.inverted >= 0.5 else INKS
    pen = np.array(inks[rng.integers(len(inks)) if rng.random() < max(0.3, conditions.colour) else 0], np.float32)
    line = np.array((0.35, 0.45, 0.7) if rng.random() < 0.6 else (0.3, 0.3, 0.3), np.float32)
    if conditions.inverted >= 0.5:
        line = np.array((0.5, 0.5, 0.5), np.float32)
    sheet = ground + (line - ground) * print_[:, :, None]
    sheet = sheet + (pen - sheet) * ink[:, :, None]
    sheet *= paper.stains(rng, tall, width, conditions.stains)[:, :, None]
    return np.asarray(sheet, np.float32)


def _boxes(
    rng: np.random.Generator,
    rows: list[list[Placed]],
    shape: tuple[int, int],
    height: float,
    conditions: Conditions,
) -> Layer:
    """A printed frame around every digit, those of neighbours apart."""
    print_ = np.zeros(shape, np.float32)
    thick = max(1, round(height * rng.uniform(0.02, 0.06)))
    room = height * rng.uniform(0.12, 0.2)
    for row in rows:
        for digit in row:
            left, top, right, bottom = digit.box
            corner = (round(left - room), round(top - room))
            cv2.rectangle(print_, corner, (round(right + room), round(bottom + room)), 1.0, thick)
    return np.asarray(print_ * np.float32(0.3 + 0.6 * conditions.boxed), np.float32)


def _pen(rng: np.random.Generator, shape: tuple[int, ...], conditions: Conditions) -> Layer:
    """How well the pen covers, everywhere (H, W): pale, or dry with gaps."""
    covers = np.full(shape, rng.uniform(0.85, 1) * (1 - 0.72 * conditions.faint), np.float32)
    if conditions.texture:
        rough = paper.smooth_noise(rng, shape[0], shape[1], 1.2)
        covers *= np.clip(1.15 + rough * np.float32(0.6 * conditions.texture), 0.1, 1)
    return covers


def view(rng: np.random.Generator, size: tuple[int, int], conditions: Conditions) -> tuple[Matrix, tuple[int, int]]:
    """The camera: the matrix from the sheet to the picture, and the picture's width and height."""
    width, height = size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    middle = corners.mean(axis=0)
    angle = np.radians(rng.normal(0, 5)) * conditions.skew
    if conditions.desk:
        angle += np.radians(rng.uniform(-25, 25)) * conditions.desk
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    seen = (corners - middle) @ turn.T + middle
    seen += rng.uniform(-0.06, 0.06, (4, 2)) * conditions.perspective * np.array([width, height])
    if conditions.desk:
        low, high = seen.min(axis=0), seen.max(axis=0)
        around = (0.08 + 0.35 * conditions.desk) * (high - low)
        seen += around * rng.uniform(0.3, 1, 2) - low
        size = tuple((2 * around + high - low).round().astype(int).tolist())
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), seen.astype(np.float32))
    return np.asarray(matrix, np.float64), size


def photograph(
    rng: np.random.Generator, sheet: Colours, matrix: Matrix, size: tuple[int, int], conditions: Conditions
) -> npt.NDArray[np.uint8]:
    """A sheet as a camera sees it: on its desk, in its light, through its lens and its file format."""
    width, height = size
    if conditions.desk:
        around = paper.desk(rng, height, width)
        inside = cv2.warpPerspective(np.ones(sheet.shape[:2], np.float32), matrix, size, flags=cv2.INTER_LINEAR)
        seen = cv2.warpPerspective(sheet, matrix, size, flags=cv2.INTER_LINEAR)
        seen = around + (seen - around) * inside[:, :, None]
    else:  # the sheet goes on beyond the picture
        seen = cv2.warpPerspective(sheet, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    seen = seen * paper.light(rng, height, width, conditions)[:, :, None]
    if conditions.blur:
        seen = cv2.GaussianBlur(seen, (0, 0), 0.3 + 1.7 * conditions.blur)
    seen = seen + rng.standard_normal(seen.shape, np.float32) * np.float32(0.005 + 0.055 * conditions.grain)
    pixels = np.rint(np.clip(seen, 0, 1) * 255).astype(np.uint8)
    quality = round(95 - 70 * conditions.compression)
    _, coded = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)


def _seen(box: Box, matrix: Matrix, size: tuple[int, int]) -> Box:
    """A box on the sheet -> the box around it in the picture."""
    left, top, right, bottom = box
    corners = np.array([[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]], np.float64)
    mapped = corners @ matrix.T
    points = mapped[:, :2] / mapped[:, 2:]
    low, high = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0))
    low, high = np.clip(low, 0, size), np.clip(high, 0, size)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
