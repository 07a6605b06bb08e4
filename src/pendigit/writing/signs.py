"""What is no digit and may yet stand where one is expected: letters, scribbles, dashes, blots, halves, pairs.

Signs that a person too might take for a digit are left out: I, l, | and ! look like 1, O like 0, Z and ? like 2, S like
5, and in handwriting b like 6, B like 8, q and g like 9; a roof is a 1, a corner at the upper right a 7, and the right
half of an 8 a 3.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np

from pendigit.writing.curves import Rng, smooth
from pendigit.writing.forms import write
from pendigit.writing.pens import HEIGHT, Ink, cropped, draw

PRINTED = "ABCDEFGHJKLMNPQRTUVWXYabcdefghjkmnpqrtuvwxy&@#%$+*=<>"
WRITTEN = "ACDEFHKLMNPQRTUVWXYacdefhkmnprtuvwx&@#%$+*=<>"
CORNERS = [[[(0, 1), (0, 0), (1, 0)]], [[(0, 0), (0, 1), (1, 1)]], [[(0, 0), (0, 1), (1, 1), (1, 0), (0, 0)]]]
Digit = Callable[[Rng, int], Ink]


def scribble(rng: Rng) -> Ink:
    """A line that goes to and fro."""
    points = rng.uniform(0, 1, (rng.integers(4, 14), 2)) * (1, rng.uniform(0.4, 1))
    return draw(rng, [smooth(rng, [(x, y) for x, y in points.tolist()])])


def marks(rng: Rng) -> Ink:
    """A few straight lines: dash, cross, tick, equals, plus, corner of a box, hatching."""
    kind = rng.integers(7)
    a, b = rng.uniform(-0.15, 0.15, 2)
    lines = {
        0: [[(0, 0.5 + a), (1, 0.5 + b)]],
        1: [[(a, 0), (1 + b, 1)], [(1, a), (0, 1)]],
        2: [[(0, 0.6 + a), (0.3 + b, 1), (1, 0)]],
        3: [[(0, 0.35 + a), (1, 0.35 + b)], [(0, 0.65), (1, 0.65)]],
        4: [[(0.5 + a, 0), (0.5, 1)], [(0, 0.5), (1, 0.5 + b)]],
        5: CORNERS[int(rng.integers(len(CORNERS)))],
        6: [[(x, a), (x + b, 1)] for x in np.linspace(0, 1, rng.integers(3, 6)).tolist()],
    }[int(kind)]
    turn = rng.normal(0, 0.15)
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    strokes = [np.concatenate([smooth(rng, pair, 0.02) for pair in pairwise(line)]) for line in lines]
    return draw(rng, [stroke @ turned for stroke in strokes])


def blot(rng: Rng) -> Ink:
    """A stain without strokes: a lump, a smear, some dots."""
    canvas = np.zeros((HEIGHT, HEIGHT), np.uint8)
    for _ in range(rng.integers(1, 9)):
        centre = rng.uniform(0.25, 0.75, 2) * HEIGHT
        axes = rng.uniform(0.03, 0.28, 2) * HEIGHT
        place = [int(v) for v in centre], [max(1, int(v)) for v in axes]
        cv2.ellipse(canvas, *place, float(rng.uniform(0, 180)), 0, 360, int(rng.uniform(120, 255)), -1)
    soft = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.5, 6)).astype(np.float32)
    return cropped(soft / max(float(soft.max()), 1.0))


def part(rng: Rng, digit: Digit) -> Ink:
    """Less than half of a digit, from the left or the right, where that is no other digit."""
    number, left = [(2, True), (3, True), (4, True), (5, True), (8, True), (2, False), (4, False), (5, False)][
        rng.integers(8)
    ]
    ink = digit(rng, number)
    width = max(4, int(rng.uniform(0.3, 0.5) * ink.shape[1]))
    return cropped(ink[:, :width] if left else ink[:, -width:])


def together(rng: Rng, digit: Digit, count: int | None = None) -> Ink:
    """Two or three digits side by side, apart or touching, in one picture."""
    count = count or (2 if rng.random() < 0.85 else 3)
    whole = digit(rng, int(rng.integers(10)))
    for _ in range(count - 1):
        other = digit(rng, int(rng.integers(10)))
        whole = beside(whole, other, int(rng.uniform(-0.12, 0.3) * HEIGHT), int(rng.normal(0, 0.06) * HEIGHT))
    return whole


def beside(left: Ink, right: Ink, gap: int, drop: int) -> Ink:
    """Two inks on one canvas, `gap` pixels apart (negative: overlapping), the right one `drop` pixels lower."""
    gap = max(gap, -min(left.shape[1], right.shape[1]) // 2)
    rows = (max(0, -drop), max(0, drop))
    shape = max(rows[0] + len(left), rows[1] + len(right)), left.shape[1] + gap + right.shape[1]
    canvas = np.zeros(shape, np.float32)
    canvas[rows[0] : rows[0] + len(left), : left.shape[1]] = left
    window = canvas[rows[1] : rows[1] + len(right), left.shape[1] + gap :]
    np.maximum(window, right, out=window)
    return canvas


def crowd(rng: Rng) -> Ink:
    """A tangle of strokes of several digits over one another."""
    strokes = [
        stroke + rng.normal(0, 0.3, 2) for digit in rng.integers(0, 10, 3).tolist() for stroke in write(rng, digit)
    ]
    return draw(rng, strokes)
