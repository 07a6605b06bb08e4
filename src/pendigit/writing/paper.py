"""Paper and light: what is under the writing and what falls on it. Layers are float32 (H, W) or (H, W, 3), 0 to 1."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.writing.conditions import Conditions
from pendigit.writing.glyphs import Layer

Colours: TypeAlias = npt.NDArray[np.float32]  # (H, W, 3) RGB, 0 to 1
Colour: TypeAlias = tuple[float, float, float]

WHITES: tuple[Colour, ...] = ((0.93, 0.93, 0.92), (0.88, 0.88, 0.87), (0.95, 0.93, 0.88), (0.82, 0.84, 0.86))
NOTES: tuple[Colour, ...] = (
    (0.97, 0.92, 0.55),
    (0.98, 0.85, 0.3),
    (0.72, 0.88, 0.72),
    (0.95, 0.72, 0.78),
    (0.7, 0.82, 0.95),
)
BOARDS: tuple[Colour, ...] = ((0.13, 0.25, 0.2), (0.12, 0.12, 0.13), (0.15, 0.17, 0.28))
DESKS: tuple[Colour, ...] = (
    (0.1, 0.1, 0.11),
    (0.33, 0.22, 0.14),
    (0.55, 0.4, 0.27),
    (0.25, 0.27, 0.3),
    (0.42, 0.12, 0.1),
)


def plain(rng: np.random.Generator, height: int, width: int, conditions: Conditions) -> Colours:
    """Paper of one colour with a faint grain, or a board."""
    coloured = rng.random() < conditions.colour
    colours = BOARDS if conditions.inverted >= 0.5 else NOTES if coloured else WHITES
    paper = np.empty((height, width, 3), np.float32)
    paper[:] = colours[rng.integers(len(colours))]
    rough = smooth_noise(rng, height, width, 2.0) * np.float32(0.01 + 0.03 * conditions.grain)
    return np.asarray(paper * (1 + rough[:, :, None]), np.float32)


def printed_lines(rng: np.random.Generator, shape: tuple[int, int], pitch: float, conditions: Conditions) -> Layer:
    """The print of ruled or squared paper, its lines `pitch` pixels apart: coverage 0 to 1."""
    print_ = np.zeros(shape, np.float32)
    strength = max(conditions.ruled, conditions.squared)
    if strength == 0:
        return print_
    thick = max(1, round(pitch * rng.uniform(0.02, 0.05)))
    for y in np.arange(rng.uniform(0, pitch), shape[0], pitch):
        print_[int(y) : int(y) + thick] = 1
    if conditions.squared:
        for x in np.arange(rng.uniform(0, pitch), shape[1], pitch):
            print_[:, int(x) : int(x) + thick] = 1
    return np.asarray(cv2.GaussianBlur(print_, (0, 0), 0.6) * np.float32(0.15 + 0.6 * strength), np.float32)


def stains(rng: np.random.Generator, height: int, width: int, strength: float) -> Layer:
    """How much light stains, creases and specks leave: (H, W), 1 is clean."""
    clean = np.ones((height, width), np.float32)
    for _ in range(round(4 * strength)):
        centre = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
        radius = int(rng.uniform(0.03, 0.15) * width)
        blot = np.zeros_like(clean)
        cv2.circle(blot, centre, radius, 1.0, -1 if rng.random() < 0.5 else max(2, radius // 12))
        clean -= cv2.GaussianBlur(blot, (0, 0), radius / 10 + 1) * np.float32(rng.uniform(0.05, 0.18))
    for _ in range(round(2 * strength)):
        crease = np.zeros_like(clean)
        ends = [(int(x), int(y)) for x, y in zip(rng.uniform(0, width, 2), (0, height), strict=True)]
        cv2.line(crease, ends[0], ends[1], 1.0, 2, cv2.LINE_AA)
        clean -= cv2.GaussianBlur(crease, (0, 0), 3) * np.float32(0.25)
    for _ in range(round(40 * strength)):
        centre = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
        cv2.circle(clean, centre, int(rng.integers(1, 3)), float(rng.uniform(0.3, 0.8)), -1, cv2.LINE_AA)
    return np.clip(clean, 0.2, 1)


def light(rng: np.random.Generator, height: int, width: int, conditions: Conditions) -> Layer:
    """The light on a page (H, W): a slope, and a shadow whose edge is soft."""
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.linspace(-0.5, 0.5, height)[:, None], np.linspace(-0.5, 0.5, width)
    slope = rows * np.sin(angle) + columns * np.cos(angle)
    lit = 1 - 0.75 * conditions.slope * (slope + 0.5)
    if conditions.shadow:
        lit = lit * (1 - (0.2 + 0.45 * conditions.shadow) * _shadow(rng, height, width))
    return np.asarray(lit, np.float32)


def desk(rng: np.random.Generator, height: int, width: int) -> Colours:
    """A desk's top: leather, wood or cloth."""
    colour = np.array(DESKS[rng.integers(len(DESKS))], np.float32)
    along = rng.uniform(1, 12)
    grain = smooth_noise(rng, height, width, rng.uniform(1, 4), along) * np.float32(rng.uniform(0.05, 0.2))
    return np.asarray(np.clip(colour * (1 + grain[:, :, None]), 0, 1), np.float32)


def smooth_noise(rng: np.random.Generator, height: int, width: int, size: float, along: float = 1.0) -> Layer:
    """Noise (H, W) of mean 0 and deviation 1 whose specks are `size` pixels, and `along` times as long."""
    noise = rng.standard_normal((height, width), np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), sigmaX=size * along, sigmaY=size)
    return np.asarray(smooth / max(1e-6, float(smooth.std())), np.float32)


def _shadow(rng: np.random.Generator, height: int, width: int) -> Layer:
    """The shadow of something round or straight, 0 to 1."""
    shape = np.zeros((height, width), np.float32)
    centre = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
    axes = (int(rng.uniform(0.2, 0.6) * width), int(rng.uniform(0.1, 0.4) * height))
    cv2.ellipse(shape, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(shape, (0, 0), rng.uniform(0.01, 0.06) * max(height, width)), np.float32)
