"""Rows of written numbers whose signs and places are known: what a network that reads rows is trained on.

Digits come from MNIST's training part, drawn forms and fonts that imitate handwriting, all with one pen in a row. Rows
go through a slip of paper and the row's frame, as a reader's crops do. Made in chunks, on any number of processes; the
same on every run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.datasets.fonts import listed
from pendigit.datasets.mnist import load_mnist
from pendigit.datasets.split import split
from pendigit.datasets.written import ASIDE
from pendigit.files import make_folder, publish
from pendigit.home import cache_folder
from pendigit.ink import Grey
from pendigit.rowframe import ROW_HEIGHT, to_row, writing_band
from pendigit.writing.curves import Rng
from pendigit.writing.fonts import draw_character
from pendigit.writing.glyphs import Glyph, glyphs_of
from pendigit.writing.ledger import write_in_ledger
from pendigit.writing.pens import BROAD, FINE, HEIGHT, Ink, bend, draw, repen
from pendigit.writing.slips import Slip, on_slip
from pendigit.writing.strings import Line, random_habits, random_hand, random_number, write_line

VERSION = 4  # of what is below: a change of it is another set
CHUNK = 2_000  # rows
GLYPHS = 2_500  # digits drawn for a chunk; each is written about four times, never twice alike
PENS = np.exp(np.linspace(np.log(FINE), np.log(BROAD), 9))  # shares of a digit's height
KINDS = ("form", "mnist", "font")
SHARES = np.array([0.5, 0.35, 0.15])  # of the kinds among the digits
HABITS = 0.5  # share of hands whose digits differ in size and place
TOUCHING, JOINING = 0.45, 0.08  # shares of hands whose digits touch, and that hardly lift the pen
ZEROS_JOINED = 0.15  # share of hands that write zeros in one go
TIGHT = 0.3  # share of slips cut out at the writing's very ends, as fields of a form are
BANDED = 0.4  # share of slips cut to the writing's height, as a reader cuts a picture of one row
MIXED = 0.25  # share of lines whose digits come from all kinds
SAME = 0.5  # how often a hand writes a digit in the form it had before in the line
WIDEST = 384  # pixels: longer rows are written anew
MOST_SIGNS = 20


@dataclass(frozen=True)
class Rows:
    """Rows and what is written on them.

    Attributes:
        frames: n arrays (32, W) uint8.
        signs: n arrays of 0 to 9, and 10 for other signs.
        centres: n arrays, pixels from the frame's left.
    """

    frames: list[Grey]
    signs: list[npt.NDArray[np.uint8]]
    centres: list[npt.NDArray[np.float32]]


def load_chunk(number: int) -> Rows:
    """A chunk from the cache, or made now, which takes some twenty seconds."""
    path = chunk_path(number)
    if not path.is_file():
        make_folder(path.parent)
        with publish(path) as draft:
            _save(make_rows(number, CHUNK), draft)
    with np.load(path) as file:
        widths, counts = file["widths"], file["counts"]
        ends = np.cumsum(widths * ROW_HEIGHT)[:-1]
        parts = np.split(file["pixels"], ends)
        frames = [part.reshape(ROW_HEIGHT, width) for part, width in zip(parts, widths, strict=True)]
        ends = np.cumsum(counts)[:-1]
        return Rows(frames, np.split(file["signs"], ends), np.split(file["centres"], ends))


def chunk_path(number: int) -> Path:
    """Where a chunk is kept."""
    return cache_folder() / f"strings-{VERSION}" / f"{number:05}.npz"


def _save(rows: Rows, path: Path) -> None:
    np.savez(
        path,
        pixels=np.concatenate([frame.ravel() for frame in rows.frames]),
        widths=np.array([frame.shape[1] for frame in rows.frames], np.int32),
        counts=np.array([len(signs) for signs in rows.signs], np.int32),
        signs=np.concatenate(rows.signs),
        centres=np.concatenate(rows.centres),
    )


def make_rows(number: int, count: int) -> Rows:
    """Some rows of one chunk."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng((VERSION, number))
    bank = _bank(rng, min(GLYPHS, 2 * count))
    rows = Rows([], [], [])
    neighbour = None
    while len(rows.frames) < count:
        slip, line = make_slip(rng, bank, neighbour if rng.random() < 0.15 else None)
        neighbour = line.ink
        top, bottom = writing_band(slip.grey) if rng.random() < BANDED else (0, len(slip.grey))
        frame = to_row(slip.grey[top:bottom])
        if frame.shape[1] > WIDEST or not 0 < len(slip.signs) <= MOST_SIGNS:
            continue
        rows.frames.append(frame)
        rows.signs.append(np.array(slip.signs, np.uint8))
        scale = slip.grey.shape[1] * ROW_HEIGHT / (bottom - top)
        rows.centres.append(np.array(slip.centres, np.float32) * np.float32(scale))
    return rows


Bank = dict[tuple[str, int, int], list[Ink]]  # kind, digit, pen -> inks


def make_slip(rng: Rng, bank: Bank, neighbour: Ink | None = None) -> tuple[Slip, Line]:
    """A random number by a random hand with a random pen on a random slip."""
    pen = int(rng.integers(len(PENS)))
    text, glyphs, hand = random_number(rng), _hand_glyphs(rng, bank, pen), random_hand(rng, TOUCHING)
    if rng.random() < HABITS:
        hand = replace(hand, habits=random_habits(rng))
    if rng.random() < JOINING:
        hand = replace(hand, joins=rng.uniform(0.3, 0.9))
    if rng.random() < ZEROS_JOINED:
        hand = replace(hand, zero_joins=rng.uniform(0.5, 1.0))
    line = write_line(rng, text, glyphs, hand, PENS[pen] * HEIGHT)
    return on_slip(rng, line, neighbour, tight=TIGHT), line


def _bank(rng: Rng, count: int) -> Bank:
    """Digits of every kind with every pen."""
    bank: Bank = {}
    for index in range(count):
        kind, digit, pen = KINDS[int(rng.choice(3, p=SHARES))], index % 10, index // 10 % len(PENS)
        bank.setdefault((kind, digit, pen), []).append(_draw(rng, kind, digit, float(PENS[pen])))
    return bank


def _draw(rng: Rng, kind: str, digit: int, pen: float) -> Ink:
    if kind == "form":
        return draw(rng, write_in_ledger(rng, digit), pen)
    if kind == "mnist":
        return repen(rng, bend(rng, _mnist()(rng, digit)), pen)
    ink = None
    while ink is None:
        ink = draw_character(_font(rng, "hand"), str(digit))
    return repen(rng, bend(rng, ink), pen)


def _hand_glyphs(rng: Rng, bank: Bank, pen: int) -> Callable[[Rng, str], Ink]:
    """The characters of one hand: of one kind for most lines, and digits often in the form they had before."""
    kinds = list(KINDS) if rng.random() < MIXED else [KINDS[int(rng.choice(3, p=SHARES))]]
    before: dict[str, Ink] = {}

    def glyph(rng: Rng, character: str) -> Ink:
        if character in before and rng.random() < SAME:
            return before[character]
        before[character] = _from_bank(rng, bank, kinds, character, pen)
        return before[character]

    return glyph


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
