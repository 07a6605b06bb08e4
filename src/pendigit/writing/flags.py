"""Ones with a long flag, as much of Europe writes them: a roof that rises to the stem, where a seven's lies flat.

Only rows of digits hold them (datasets/strings.py): alone, where others write a seven so, no reader could tell them.
"""

from __future__ import annotations

import numpy as np

from pendigit.writing.curves import Rng, Strokes, by_hand, chance, joined, smooth
from pendigit.writing.ledger import write_in_ledger

FLAGGED = 0.6  # share of the ones
ROUND = 0.35  # share of flags that bend into the stem without a corner
FOOT = 0.1  # share of ones that stand on a line of their own


def write_with_flags(rng: Rng, digit: int) -> Strokes:
    """The strokes of one digit as a hand writes it once that mostly flags its ones."""
    if digit == 1 and chance(rng, FLAGGED):
        return by_hand(rng, _flagged_one(rng))
    return write_in_ledger(rng, digit)


def _flagged_one(rng: Rng) -> Strokes:
    length, off = rng.triangular(0.25, 0.5, 0.95), np.radians(rng.uniform(35, 64))  # of the stem's, and from it
    tip = (0.5 - length * np.sin(off), length * np.cos(off))
    bend = rng.normal(0, 0.05) * length
    flag = [tip, ((tip[0] + 0.5) / 2 + bend, tip[1] / 2 - bend)]
    foot = (0.5 + rng.normal(0, 0.06), 1.0)
    stem = [((0.5 + foot[0]) / 2 + rng.normal(0, 0.03), 0.5), foot]
    if chance(rng, ROUND):
        strokes = [smooth(rng, [*flag, (0.45, 0.02), (0.5, rng.uniform(0.08, 0.18)), *stem], 0.015)]
    else:
        strokes = [joined(smooth(rng, [*flag, (0.5, 0.0)], 0.015), smooth(rng, [(0.5, 0.0), *stem], 0.015))]
    if chance(rng, FOOT):
        half = rng.uniform(0.15, 0.4)
        strokes.append(smooth(rng, [(foot[0] - half, 1), (foot[0] + half, 1)]))
    return strokes
