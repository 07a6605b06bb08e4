"""Rows of written numbers whose signs and places are known: what a network that reads rows is trained on.

Digits come from a bank (`bank.py`), all with one pen in a row. Rows go through a slip of paper and the row's frame, as
a reader's crops do. There are three sets, GENERAL, CROWDED and FLAGGED, made in chunks on any number of processes; the
same on every run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.datasets.bank import PENS, Bank, Hand, Shares, fill_bank, hand_glyphs
from pendigit.files import make_folder, publish
from pendigit.home import cache_folder
from pendigit.ink import Grey
from pendigit.rowframe import ROW_HEIGHT, to_row, writing_band
from pendigit.writing.curves import Rng
from pendigit.writing.flags import write_with_flags
from pendigit.writing.ledger import write_in_ledger
from pendigit.writing.pens import HEIGHT, Ink
from pendigit.writing.slips import Slip, on_slip
from pendigit.writing.strings import Line, is_one_piece, random_habits, random_hand, random_number, write_line

CHUNK = 2_000  # rows
GLYPHS = 2_500  # digits drawn for a chunk; each is written about four times, never twice alike
HABITS = 0.5  # share of hands whose digits differ in size and place
TOUCHING, JOINING = 0.45, 0.08  # shares of hands whose digits touch, and that hardly lift the pen
ZEROS_JOINED = 0.15  # share of hands that write zeros in one go
TIGHT = 0.3  # share of slips cut out at the writing's very ends, as fields of a form are
RESTS = 0.15  # share of slips that show rests of another row
CROWD = np.array([0.05, 0.35, 0.35, 0.15, 0.1])  # shares of crowds of 1 to 5 digits
CROWDED_HABITS, CROWDED_TIGHT = 0.3, 0.2  # HABITS and TIGHT of crowds
LOOSE = 0.2  # share of crowds kept that are not one piece of ink
FLAGGED_LOOSE = 0.5  # LOOSE of hands that flag their ones, which are told from sevens where nothing touches too
EASY, EASE = 0.6, 0.3  # share of crowds on plain paper, and how hard that is
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


@dataclass(frozen=True)
class RowSet:
    """A kind of rows.

    Attributes:
        name: Of its folder in the cache.
        seed: Of its chunks.
        shares: Of drawn forms, MNIST and fonts among the digits.
        write: How its forms are drawn.
        banded: Share of slips cut to the writing's height, as a reader cuts a picture of one row.
        slip: (chance, a bank, the shares, another line's ink or None) -> a slip and the line on it.
    """

    name: str
    seed: int
    shares: Shares
    write: Hand
    banded: float
    slip: Callable[[Rng, Bank, Shares, Ink | None], tuple[Slip, Line]]


def numbers(rng: Rng, bank: Bank, shares: Shares, neighbour: Ink | None) -> tuple[Slip, Line]:
    """A random number by a random hand with a random pen on a random slip."""
    pen = int(rng.integers(len(PENS)))
    text, glyphs = random_number(rng), hand_glyphs(rng, bank, pen, shares)
    hand = random_hand(rng, TOUCHING)
    if rng.random() < HABITS:
        hand = replace(hand, habits=random_habits(rng))
    if rng.random() < JOINING:
        hand = replace(hand, joins=rng.uniform(0.3, 0.9))
    if rng.random() < ZEROS_JOINED:
        hand = replace(hand, zero_joins=rng.uniform(0.5, 1.0))
    line = write_line(rng, text, glyphs, hand, PENS[pen] * HEIGHT)
    return on_slip(rng, line, neighbour, tight=TIGHT), line


def crowds(rng: Rng, bank: Bank, shares: Shares, neighbour: Ink | None, loose: float = LOOSE) -> tuple[Slip, Line]:
    """A few digits that touch or overlap, in one piece but for a share of those that are not."""
    while True:
        pen = int(rng.integers(len(PENS)))
        text = "".join(map(str, rng.integers(0, 10, 1 + int(rng.choice(len(CROWD), p=CROWD)))))
        glyphs, hand = hand_glyphs(rng, bank, pen, shares), random_hand(rng, touching=1.0)
        if rng.random() < CROWDED_HABITS:
            hand = replace(hand, habits=random_habits(rng))
        line = write_line(rng, text, glyphs, hand, PENS[pen] * HEIGHT)
        if is_one_piece(line) or rng.random() < loose:
            hard = EASE if rng.random() < EASY else 1.0
            return on_slip(rng, line, neighbour, hard, CROWDED_TIGHT), line


# A change of what one is made of is another set, with another name and seed.
GENERAL = RowSet("strings-4", 4, (0.5, 0.35, 0.15), write_in_ledger, 0.4, numbers)
CROWDED = RowSet("crowds-1", 1001, (0.3, 0.55, 0.15), write_in_ledger, 0.8, crowds)
FLAGGED = RowSet("flags-1", 2001, (0.6, 0.3, 0.1), write_with_flags, 0.8, partial(crowds, loose=FLAGGED_LOOSE))


def load_chunk(number: int, kind: RowSet = GENERAL) -> Rows:
    """A chunk from the cache, or made now, which takes some twenty seconds."""
    path = chunk_path(number, kind)
    if not path.is_file():
        make_folder(path.parent)
        with publish(path) as draft:
            _save(make_rows(number, CHUNK, kind), draft)
    with np.load(path) as file:
        widths, counts = file["widths"], file["counts"]
        ends = np.cumsum(widths * ROW_HEIGHT)[:-1]
        parts = np.split(file["pixels"], ends)
        frames = [part.reshape(ROW_HEIGHT, width) for part, width in zip(parts, widths, strict=True)]
        ends = np.cumsum(counts)[:-1]
        return Rows(frames, np.split(file["signs"], ends), np.split(file["centres"], ends))


def chunk_path(number: int, kind: RowSet = GENERAL) -> Path:
    """Where a chunk is kept."""
    return cache_folder() / kind.name / f"{number:05}.npz"


def _save(rows: Rows, path: Path) -> None:
    np.savez(
        path,
        pixels=np.concatenate([frame.ravel() for frame in rows.frames]),
        widths=np.array([frame.shape[1] for frame in rows.frames], np.int32),
        counts=np.array([len(signs) for signs in rows.signs], np.int32),
        signs=np.concatenate(rows.signs),
        centres=np.concatenate(rows.centres),
    )


def make_rows(number: int, count: int, kind: RowSet = GENERAL) -> Rows:
    """Some rows of one chunk."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng((kind.seed, number))
    bank = fill_bank(rng, min(GLYPHS, 2 * count), kind.shares, kind.write)
    rows = Rows([], [], [])
    neighbour = None
    while len(rows.frames) < count:
        slip, line = kind.slip(rng, bank, kind.shares, neighbour if rng.random() < RESTS else None)
        neighbour = line.ink
        top, bottom = writing_band(slip.grey) if rng.random() < kind.banded else (0, len(slip.grey))
        frame = to_row(slip.grey[top:bottom])
        if frame.shape[1] > WIDEST or not 0 < len(slip.signs) <= MOST_SIGNS:
            continue
        rows.frames.append(frame)
        rows.signs.append(np.array(slip.signs, np.uint8))
        scale = slip.grey.shape[1] * ROW_HEIGHT / (bottom - top)
        rows.centres.append(np.array(slip.centres, np.float32) * np.float32(scale))
    return rows
