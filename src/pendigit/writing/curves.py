"""Curves as a hand draws them: smooth, joined, round, and all strokes of a digit slanted and shaken alike.

A stroke is a curve (n, 2) float64 of x to the right and y down; a digit fills about the unit square.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Rng: TypeAlias = np.random.Generator
Curve: TypeAlias = npt.NDArray[np.float64]  # (n, 2): x, y
Strokes: TypeAlias = list[Curve]
Point: TypeAlias = tuple[float, float]

PER_SPAN = 7  # points of a curve between two of the points that it is led through
WOBBLE = 0.03  # of the digit's height: how far a hand misses the point it aims at, standard deviation
_T = np.linspace(0, 1, PER_SPAN, endpoint=False)[:, None]
CATMULL_ROM = (
    np.concatenate(  # (points of a span, 4): the weights of the four points around a span
        [-_T + 2 * _T**2 - _T**3, 2 - 5 * _T**2 + 3 * _T**3, _T + 4 * _T**2 - 3 * _T**3, _T**3 - _T**2], axis=1
    )
    / 2
)


def smooth(rng: Rng, points: Sequence[Point], wobble: float = WOBBLE) -> Curve:
    """A curve (n, 2) through points that the hand misses by a little (Catmull-Rom spline)."""
    aimed = np.asarray(points, np.float64)
    aimed = aimed + rng.normal(0, wobble, aimed.shape)
    if len(aimed) == 2:
        return np.linspace(aimed[0], aimed[1], PER_SPAN)
    ends = np.concatenate([2 * aimed[:1] - aimed[1:2], aimed, 2 * aimed[-1:] - aimed[-2:-1]])
    spans = np.stack([ends[:-3], ends[1:-2], ends[2:-1], ends[3:]], axis=1)
    return np.concatenate([(CATMULL_ROM @ spans).reshape(-1, 2), aimed[-1:]])


def joined(*curves: Curve) -> Curve:
    """Curves after one another without lifting the pen: each is moved to where the one before ended."""
    done = [curves[0]]
    for curve in curves[1:]:
        done.append(curve + (done[-1][-1] - curve[0]))
    return np.concatenate(done)


def arc(rng: Rng, centre: Point, radii: Point, start: float, sweep: float) -> Curve:
    """A part of an ellipse, from `start` degrees (0 right, 90 down), over `sweep` degrees (positive: clockwise)."""
    angles = np.radians(np.linspace(start, start + sweep, max(4, int(abs(sweep) / 40) + 2)))
    x, y = centre[0] + radii[0] * np.cos(angles), centre[1] + radii[1] * np.sin(angles)
    return smooth(rng, list(zip(x.tolist(), y.tolist(), strict=True)), WOBBLE / 2)


def by_hand(rng: Rng, strokes: Strokes) -> Strokes:
    """Stretch, slant, turn, bend and shake: what a hand does to all strokes of a digit alike."""
    wide = rng.uniform(0.3, 0.5) if chance(rng, 0.12) else rng.uniform(0.5, 1.15)
    slant, turn = rng.normal(0.12, 0.2), np.radians(rng.normal(0, 5))
    bends = rng.normal(0, 0.035, (2, 2, 2))  # axis moved, axis along which, wave
    phases = rng.uniform(0, 2 * np.pi, (2, 2, 2))
    shake = abs(rng.normal(0, 0.006))
    done = []
    for stroke in strokes:
        moved = stroke.copy()
        for axis, along, wave in np.ndindex(2, 2, 2):
            moved[:, axis] += bends[axis, along, wave] * np.sin(
                (wave + 1.5) * stroke[:, along] + phases[axis, along, wave]
            )
        x, y = wide * (moved[:, 0] - 0.5) - slant * (moved[:, 1] - 0.5), moved[:, 1] - 0.5
        done.append(np.stack([np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y], axis=1))
        tremor = np.convolve(rng.normal(0, 1, len(stroke) + 4), np.ones(5) / 5, "valid")
        done[-1] += shake * tremor[:, None] * rng.normal(0, 1, 2)
    return done


def chance(rng: Rng, share: float) -> bool:
    """True in a share of the cases."""
    return bool(rng.random() < share)
