"""A piece of paper with something written on it, as scanners, cameras and screens deliver it: a crop of one sign."""

from __future__ import annotations

import cv2
import numpy as np

from pendigit.ink import Grey
from pendigit.writing.curves import Rng
from pendigit.writing.pens import Ink

SMALLEST, USUAL, LARGEST = 8, 18, 64  # pixels: the sign's longer side in the picture; optdigits has 8, scans about 60
FAINTEST = 18.0  # grey levels between ink and paper
GRID = 8, 20  # pixels: the longer side of digits stored on a small grid; optdigits has 8, USPS and Semeion 16
SQUEEZED = 0.12  # share of crops stretched to a square, as USPS, Semeion and optdigits do


def on_paper(rng: Rng, ink: Ink) -> Grey:
    """Ink (h, w) on some paper, in some resolution, light and polarity: a picture (H, W) uint8."""
    ink = _sized(rng, ink)
    size = max(ink.shape)
    canvas = _surrounded(rng, ink, size)
    noise = rng.exponential(2.0)  # grey levels
    contrast = min(max(FAINTEST, 4 * noise) + rng.gamma(2.0, 45.0), 250.0)
    paper = rng.uniform(contrast, 255)
    picture = np.float32(paper) * (1 - _shade(rng, canvas.shape)) - np.float32(contrast) * canvas
    if rng.random() < 0.35:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 0.03 * size + 0.4))
    picture += np.float32(noise) * rng.standard_normal(picture.shape, np.float32)
    grey = np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
    kind = rng.random()
    if kind < 0.15:
        grey = two_levels(grey, paper, contrast, rng.uniform(0.3, 0.7))
    elif kind < 0.35:
        grey = compressed(grey, int(rng.integers(25, 90)))
    return np.asarray(255 - grey if rng.random() < 0.15 else grey, np.uint8)


def on_grid(rng: Rng, ink: Ink) -> Grey:
    """Ink (h, w) on a grid of few pixels, as old sets of digits keep theirs: a picture (H, W) uint8.

    Stretched to a square or upright, in greys or in black and white, at times enlarged again.
    """
    side = int(rng.integers(GRID[0], GRID[1] + 1))
    height, width = ink.shape
    if rng.random() < 0.5:  # stretched
        height = width = 1
    wide, high = (max(2, round(side * part / max(height, width))) for part in (width, height))
    cells = cv2.resize(cv2.GaussianBlur(ink, (0, 0), 1), (wide, high), interpolation=cv2.INTER_AREA)
    cells = np.pad(cells / max(float(cells.max()), 0.3), int(rng.integers(3)))
    if rng.random() < 0.4:
        cells = (cells > rng.uniform(0.25, 0.6)).astype(np.float32)
    if rng.random() < 0.5:
        way = cv2.INTER_NEAREST if rng.random() < 0.5 else cv2.INTER_CUBIC
        times = int(rng.integers(2, 5))
        cells = cv2.resize(cells, None, fx=times, fy=times, interpolation=way)
    levels = rng.choice([16, 255]) if rng.random() < 0.5 else 255
    grey = np.rint(np.rint(np.clip(cells, 0, 1) * levels) * (255 / levels)).astype(np.uint8)
    return np.asarray(grey if rng.random() < 0.5 else 255 - grey, np.uint8)


def _sized(rng: Rng, ink: Ink) -> Ink:
    """Resize to some resolution; some crops are stretched to a square."""
    longest = np.exp(rng.uniform(np.log(SMALLEST if rng.random() < 0.2 else USUAL), np.log(LARGEST)))
    scale = longest / max(ink.shape)
    height, width = ink.shape[0] * scale, ink.shape[1] * scale
    if rng.random() < SQUEEZED:
        share = rng.uniform(0.4, 1)
        height, width = height ** (1 - share) * longest**share, width ** (1 - share) * longest**share
    size = max(2, round(width)), max(2, round(height))
    resized = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return np.asarray(resized / max(float(resized.max()), 0.3), np.float32)


def _surrounded(rng: Rng, ink: Ink, size: int) -> Ink:
    """Put the ink somewhere on a larger canvas, at times with lines or neighbours' ends along the border."""
    top, bottom, left, right = (rng.uniform(0.0, 0.15 if rng.random() < 0.2 else 0.6, 4) * size).astype(int)
    canvas = np.pad(ink, ((top, bottom), (left, right)))
    height, width = canvas.shape
    thick = max(1, round(rng.uniform(0.01, 0.05) * size))
    if rng.random() < 0.15:  # lines of a box or of ruled paper
        tone = rng.uniform(0.3, 1.0)
        if top > 3 * thick and rng.random() < 0.5:
            canvas[rng.integers(0, thick + 1) :][:thick] = np.maximum(canvas[:thick], tone)
        if bottom > 3 * thick:
            canvas[-thick:] = np.maximum(canvas[-thick:], tone)
        if left > 3 * thick and rng.random() < 0.5:
            canvas[:, :thick] = np.maximum(canvas[:, :thick], tone)
    if rng.random() < 0.08 and right > 0.3 * size:  # the end of a neighbour's stroke
        start = (width - 1, int(rng.uniform(0.2, 0.8) * height))
        end = (width - 1 - int(0.1 * size), int(rng.uniform(0.2, 0.8) * height))
        cv2.line(canvas, start, end, 0.9, 2 * thick, cv2.LINE_AA)
    return canvas


def _shade(rng: Rng, shape: tuple[int, ...]) -> Ink:
    """How much light is missing (H, W), 0 to 0.5: none for most, a slope or a shadow's soft edge for others."""
    if rng.random() < 0.6:
        return np.zeros(shape, np.float32)
    down, right = np.linspace(-0.5, 0.5, shape[0])[:, None], np.linspace(-0.5, 0.5, shape[1])
    angle = rng.uniform(0, 2 * np.pi)
    across = np.cos(angle) * right + np.sin(angle) * down
    if rng.random() < 0.7:
        return np.asarray(rng.uniform(0, 0.4) * (across + 0.7) / 1.4, np.float32)
    return np.asarray(
        rng.uniform(0, 0.3) / (1 + np.exp(-(across - rng.normal(0, 0.2)) / rng.uniform(0.02, 0.2))), np.float32
    )


def two_levels(grey: Grey, paper: float, contrast: float, share: float) -> Grey:
    """Black and white, as a fax or a scan for forms."""
    return np.where(grey < paper - share * contrast, np.uint8(0), np.uint8(255))


def compressed(grey: Grey, quality: int) -> Grey:
    """Through JPEG."""
    _, content = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.uint8)
