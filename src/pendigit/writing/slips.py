"""Rows of writing cut out of forms, cheques and lists: print behind the writing, lines across it, neighbours' rests.

A slip is a grey picture of one row, as a scanner or a camera delivers it, and what is written on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pendigit.ink import Grey
from pendigit.writing.crops import compressed, two_levels
from pendigit.writing.curves import Rng
from pendigit.writing.paper import smooth_noise
from pendigit.writing.pens import HEIGHT, Ink
from pendigit.writing.strings import Line

SMALLEST, LARGEST = 16, 72  # pixels: the height of a slip, log-uniform; cheques at 200 dots an inch have about 50
FILLED = (0.5, 0.95)  # of the slip's height that digits take
ENDS = (-0.06, 0.12)  # digits' heights from the ink to a tight cut; negative cuts into it
FAINTEST = 16.0  # grey levels between ink and paper


@dataclass(frozen=True)
class Slip:
    """A row cut out.

    Attributes:
        grey: (h, w) uint8, dark on light.
        signs: What is written, 0 to 9, or 10 for other signs.
        centres: Where, as shares of the width.
    """

    grey: Grey
    signs: tuple[int, ...]
    centres: tuple[float, ...]


def on_slip(rng: Rng, line: Line, neighbour: Ink | None = None, hard: float = 1.0, tight: float = 0.0) -> Slip:
    """A line of writing on some paper, cut out and scanned.

    `neighbour` is another line's ink, for its rests. `hard`, 0 to 1, says how often paper and scanner are met that make
    reading difficult; `tight`, how often it is cut out at the writing's very ends.
    """
    ink, offset = _cut_out(rng, line, neighbour, hard, tight)
    height = round(np.exp(rng.uniform(np.log(SMALLEST**hard * LARGEST ** (1 - hard)), np.log(LARGEST))))
    size = max(8, round(ink.shape[1] * height / len(ink))), height
    centres = tuple((centre + offset) / ink.shape[1] for centre in line.centres)
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if height < len(ink) else cv2.INTER_LINEAR)
    return Slip(_scanned(rng, np.asarray(small, np.float32), hard), line.signs, centres)


def _cut_out(rng: Rng, line: Line, neighbour: Ink | None, hard: float, tight: float) -> tuple[Ink, int]:
    """The line's ink on a canvas that holds it with some room, and how far it was moved to the right."""
    height = round(HEIGHT / rng.uniform(*FILLED))
    top = line.top - round((height - HEIGHT) * np.clip(rng.normal(0.5, 0.2), 0, 1))
    left, right = (int(x) for x in np.minimum(rng.gamma(1.5, 0.3, 2), 2.5) * HEIGHT)
    padded = np.pad(line.ink, ((HEIGHT, HEIGHT), (left, right)))
    ink = np.ascontiguousarray(padded[top + HEIGHT : top + HEIGHT + height])
    if neighbour is not None:
        _add_rests(rng, ink, neighbour)
    if rng.random() < 0.3 * hard:
        _add_lines(rng, ink, line, left, line.top - top)
    if not tight or rng.random() >= tight:
        return ink, left
    begin, end = (round(x) for x in rng.uniform(*ENDS, 2) * HEIGHT)
    first, last = max(0, left - begin), min(ink.shape[1], ink.shape[1] - right + end)
    return np.ascontiguousarray(ink[:, first:last]), left - first


def _add_rests(rng: Rng, ink: Ink, neighbour: Ink) -> None:
    """The feet of a row above, or the heads of one below, at the edge."""
    rows = np.flatnonzero(neighbour.max(axis=1) > 0.3)
    if not rows.size:
        return
    seen = round(rng.uniform(0.04, 0.2) * HEIGHT)
    shift = int(rng.integers(0, max(1, ink.shape[1] - 4)))
    width = min(neighbour.shape[1], ink.shape[1] - shift)
    if rng.random() < 0.5:
        part = neighbour[rows[-1] + 1 - seen : rows[-1] + 1, :width]
        window = ink[: len(part), shift : shift + width]
    else:
        part = neighbour[rows[0] : rows[0] + seen, :width]
        window = ink[-len(part) :, shift : shift + width]
    np.maximum(window, part, out=window)


def _add_lines(rng: Rng, ink: Ink, line: Line, left: int, top: int) -> None:
    """A ruled line under or through the feet, a box around each digit, a frame around all, or an upright edge."""
    height, width = ink.shape
    thick, tone = max(1, round(rng.uniform(0.015, 0.06) * HEIGHT)), float(rng.uniform(0.25, 1.0))
    kind, layer = rng.random(), np.zeros_like(ink)
    low = top + HEIGHT + round(rng.normal(0.08, 0.1) * HEIGHT)
    if kind < 0.5:
        rise = round(rng.normal(0, 0.015) * width)
        cv2.line(layer, (0, low + rise), (width, low - rise), tone, thick, cv2.LINE_AA)
    elif kind < 0.8 and len(line.centres) > 1:
        middles = np.asarray(line.centres)
        pitch = np.diff(middles)
        bars = left + np.concatenate(
            [[middles[0] - pitch[0] / 2], middles[:-1] + pitch / 2, [middles[-1] + pitch[-1] / 2]]
        )
        high = top - round(abs(rng.normal(0.08, 0.06)) * HEIGHT)
        comb = rng.random() < 0.3
        for x in bars:
            cv2.line(layer, (round(x), (high + low) // 2 if comb else high), (round(x), low), tone, thick, cv2.LINE_AA)
        for y in (low,) if comb else (high, low):
            cv2.line(layer, (round(bars[0]), y), (round(bars[-1]), y), tone, thick, cv2.LINE_AA)
    elif kind < 0.9:
        corners = rng.uniform(0, 0.06, 4) * HEIGHT
        a, b, c, d = (round(x) for x in corners)
        cv2.rectangle(layer, (a, b), (width - 1 - c, height - 1 - d), tone, thick)
    else:
        x = round(rng.uniform(0, 0.1) * HEIGHT)
        x = x if rng.random() < 0.5 else width - 1 - x
        cv2.line(layer, (x, 0), (x + round(rng.normal(0, 2)), height), tone, thick, cv2.LINE_AA)
    np.maximum(ink, layer, out=ink)


def _scanned(rng: Rng, ink: Ink, hard: float) -> Grey:
    """Ink (h, w) on its paper, in its light, through scanner and file format."""
    noise = rng.exponential(2.0) * hard  # grey levels
    contrast = min(max(FAINTEST, 4 * noise) + rng.gamma(2.0, 40.0), 245.0)
    paper = rng.uniform(contrast, 255)
    picture = np.full(ink.shape, paper, np.float32)
    if rng.random() < 0.45 * hard:
        depth = min(contrast * rng.uniform(0.05, 0.45), paper / 2)
        picture -= np.float32(depth) * security_print(rng, ink.shape)
    if rng.random() < 0.3:
        across, down = rng.uniform(-0.3, 0.3, 2)
        picture *= (
            1 + down * np.linspace(-0.5, 0.5, len(ink))[:, None] + across * np.linspace(-0.5, 0.5, ink.shape[1])
        ).astype(np.float32)
    if rng.random() < 0.3 * hard:  # a pen that does not cover evenly
        rough = smooth_noise(rng, len(ink), ink.shape[1], rng.uniform(0.6, 1.5))
        ink = ink * np.clip(1 - rng.uniform(0.05, 0.35) * rough, 0.1, 1.0)
    picture -= np.float32(contrast) * ink * (picture / np.float32(paper))
    if rng.random() < 0.4 * hard:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 0.25 + 0.022 * len(ink)))
    picture += np.float32(noise) * rng.standard_normal(picture.shape, np.float32)
    grey = np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
    kind = rng.random()
    if kind < 0.06 * hard:
        return two_levels(grey, paper, contrast, rng.uniform(0.35, 0.7))
    return compressed(grey, int(rng.integers(20, 90))) if kind < 0.4 * hard else grey


def security_print(rng: Rng, shape: tuple[int, ...]) -> Ink:
    """What cheques and forms print behind the writing (h, w), 0 to 1: waves, rosettes, grids of dots, a grain."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32) * np.float32(48 / shape[0])
    layers = [_PRINTS[int(rng.choice(len(_PRINTS), p=_SHARES))](rng, x, y) for _ in range(1 + (rng.random() < 0.4))]
    if shape[1] > shape[0] and rng.random() < 0.15:  # it begins or ends somewhere
        edge = rng.uniform(0, x[0, -1])
        layers = [layer * ((x < edge) if rng.random() < 0.5 else 1) for layer in layers]
    return np.asarray(np.maximum.reduce(layers), np.float32)


def _waves(rng: Rng, x: Ink, y: Ink) -> Ink:
    """Parallel waving lines, 48 units to the slip's height."""
    angle = rng.choice([rng.normal(0, 0.15), rng.uniform(-np.pi / 2, np.pi / 2)])
    along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    bend = rng.uniform(0, 6) * np.sin(along * rng.uniform(0.03, 0.25) + rng.uniform(0, 6.3))
    bend += rng.uniform(0, 10) * np.sin(along * rng.uniform(0.01, 0.06) + rng.uniform(0, 6.3))
    return _lines(rng, across + bend, rng.uniform(3, 10))


def _rosette(rng: Rng, x: Ink, y: Ink) -> Ink:
    """Rings around a point outside or inside."""
    centre = rng.uniform(-60, 60 + float(x[0, -1])), rng.uniform(-60, 108)
    far, angle = np.hypot(x - centre[0], y - centre[1]), np.arctan2(y - centre[1], x - centre[0])
    return _lines(rng, far + rng.uniform(0, 5) * np.sin(angle * rng.integers(3, 14)), rng.uniform(3, 10))


def _lines(rng: Rng, phase: Ink, pitch: float) -> Ink:
    """Dark wherever the phase is near a multiple of the pitch."""
    away = np.abs((phase / pitch) % 1 - 0.5) * 2  # 1 on a line, 0 half-way between two
    return np.asarray(np.clip((away - rng.uniform(0.45, 0.8)) * rng.uniform(2, 6), 0, 1), np.float32)


def _dots(rng: Rng, x: Ink, y: Ink) -> Ink:
    """A grid of dots, or small squares."""
    pitch = rng.uniform(2, 6)
    grid = np.cos(2 * np.pi * x / pitch) * np.cos(2 * np.pi * y / pitch * rng.choice([1, 0.5]))
    return np.asarray(np.clip(rng.choice([-1, 1]) * grid * rng.uniform(0.7, 2), 0, 1), np.float32)


def _grain(rng: Rng, x: Ink, y: Ink) -> Ink:
    """Cloudy or fibrous paper."""
    return np.asarray(
        np.clip(smooth_noise(rng, len(x), x.shape[1], rng.uniform(0.5, 3), rng.uniform(1, 5)) * 0.5, 0, 1), np.float32
    )


_PRINTS = (_waves, _rosette, _dots, _grain)
_SHARES = np.array([0.5, 0.15, 0.2, 0.15])
