"""Pages whose numbers are known, and the reader that ships."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

import pendigit
from pendigit.reading.reader import Reader
from pendigit.writing.conditions import Conditions
from pendigit.writing.glyphs import Glyph, glyphs_of
from pendigit.writing.pages import WrittenPage, write_page

Pixels = NDArray[np.uint8]
PLAIN = Conditions()
ROWS = ("31415926", "2718", "16180")


@cache
def reader() -> Reader:
    return pendigit.load_reader()


@cache
def sure_glyphs() -> Glyph:
    """Digits of the sample that the shipped network reads surely, so that a misread page is the page's fault."""
    _, (frames, labels) = pendigit.load_data("mini")
    probabilities = pendigit.load_classifier().predict_proba(frames)
    sure = (probabilities.argmax(axis=1) == labels) & (probabilities.max(axis=1) > 0.99)
    return glyphs_of(frames[sure], labels[sure])


@cache
def page(seed: int, conditions: Conditions = PLAIN, rows: tuple[str, ...] = ROWS) -> WrittenPage:
    return write_page(np.random.default_rng(seed), sure_glyphs(), conditions, rows)


def errors(read: list[str], true: tuple[str, ...]) -> int:
    """Characters in which two pages of as many rows differ; 99 where a row or a digit is missing or too many."""
    if [len(row) for row in read] != [len(row) for row in true]:
        return 99
    return sum(a != b for a, b in zip("".join(read), "".join(true), strict=True))


def texts(picture: Pixels) -> list[str]:
    return [row.text for row in reader().read(picture).rows]
