"""Rows whose digits are known and touch."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pendigit.writing.forms import write
from pendigit.writing.pens import draw
from pendigit.writing.slips import on_slip
from pendigit.writing.strings import random_hand, write_line


@cache
def touching_numbers(count: int) -> list[tuple[str, NDArray[np.uint8]]]:
    """Numbers of four digits, and each on a slip."""
    found = []
    for index in range(count):
        rng = np.random.default_rng((5, index))
        text = "".join(map(str, rng.integers(0, 10, 4)))
        hand = replace(random_hand(rng), slant=0.1, gap=-0.03, uneven=0.02, joins=0.0, small_zeros=1.0)
        line = write_line(rng, text, lambda rng, digit: draw(rng, write(rng, int(digit)), 0.08), hand, 5.0)
        found.append((text, on_slip(rng, line, hard=0.0).grey))
    return found
