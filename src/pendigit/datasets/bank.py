"""Digits drawn beforehand, and the characters that one hand takes from them.

Digits come from MNIST's training part, drawn forms and fonts that imitate handwriting, each with every pen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TypeAlias

import numpy as np

from pendigit.datasets.fonts import listed
from pendigit.datasets.mnist import load_mnist
from pendigit.datasets.split import split
from pendigit.datasets.written import ASIDE
from pendigit.writing.curves import Rng, Strokes
from pendigit.writing.fonts import draw_character
from pendigit.writing.glyphs import Glyph, glyphs_of
from pendigit.writing.pens import BROAD, FINE, HEIGHT, Ink, bend, draw, repen

PENS = np.exp(np.linspace(np.log(FINE), np.log(BROAD), 9))  # shares of a digit's height
KINDS = ("form", "mnist", "font")
MIXED = 0.25  # share of lines whose digits come from all kinds
SAME = 0.5  # how often a hand writes a digit in the form it had before in the line

Bank: TypeAlias = dict[tuple[str, int, int], list[Ink]]  # kind, digit, pen -> inks
Shares: TypeAlias = Sequence[float]  # of the kinds
Hand: TypeAlias = Callable[[Rng, int], Strokes]  # draws a digit's form


def fill_bank(rng: Rng, count: int, shares: Shares, write: Hand) -> Bank:
    """Digits of every kind with every pen."""
    bank: Bank = {}
    for index in range(count):
        kind, digit, pen = _kind(rng, shares), index % 10, index // 10 % len(PENS)
        bank.setdefault((kind, digit, pen), []).append(_draw(rng, kind, digit, float(PENS[pen]), write))
    return bank


def hand_glyphs(rng: Rng, bank: Bank, pen: int, shares: Shares) -> Callable[[Rng, str], Ink]:
    """The characters of one hand: of one kind for most lines, and digits often in the form they had before."""
    kinds = list(KINDS) if rng.random() < MIXED else [_kind(rng, shares)]
    before: dict[str, Ink] = {}

    def glyph(rng: Rng, character: str) -> Ink:
        if character in before and rng.random() < SAME:
            return before[character]
        before[character] = _from_bank(rng, bank, kinds, character, pen)
        return before[character]

    return glyph


def _kind(rng: Rng, shares: Shares) -> str:
    return KINDS[int(rng.choice(len(KINDS), p=shares))]


def _draw(rng: Rng, kind: str, digit: int, pen: float, write: Hand) -> Ink:
    if kind == "form":
        return draw(rng, write(rng, digit), pen)
    if kind == "mnist":
        return repen(rng, bend(rng, _mnist()(rng, digit)), pen)
    ink = None
    while ink is None:
        ink = draw_character(_font(rng, "hand"), str(digit))
    return repen(rng, bend(rng, ink), pen)


def _from_bank(rng: Rng, bank: Bank, kinds: list[str], character: str, pen: int) -> Ink:
    if not character.isdigit():
        return _sign(rng, character, float(PENS[pen]))
    inks = [ink for kind in kinds for ink in bank.get((kind, int(character), pen), [])]
    if not inks:
        inks = [ink for kind in KINDS for ink in bank.get((kind, int(character), pen), [])]
    return inks[int(rng.integers(len(inks)))]


def _sign(rng: Rng, character: str, pen: float) -> Ink:
    """A character that is no digit, from a font that has it."""
    for _ in range(20):
        ink = draw_character(_font(rng, "hand" if rng.random() < 0.7 else "print"), character)
        if ink is not None:
            return repen(rng, bend(rng, ink), pen)
    return np.ones((HEIGHT // 2, HEIGHT // 2), np.float32)


@cache
def _mnist() -> Glyph:
    mnist = load_mnist()
    training, _ = split(mnist, ASIDE)
    return glyphs_of(mnist.x_train[training], mnist.y_train[training])


@cache
def _fonts(role: str) -> list[Path]:
    return [font.path for font in listed(role)]


def _font(rng: Rng, role: str) -> Path:
    paths = _fonts(role)
    return paths[int(rng.integers(len(paths)))]
