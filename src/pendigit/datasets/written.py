"""`written`: MNIST's training digits and generated ones of other countries, pens and papers, and what is no digit.

For networks that have to read more than MNIST. Everything generated goes through a picture on paper and MNIST's frame,
as a user's pictures do. The test part is MNIST's. Made once, on all cores, and cached; the same on every run.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from pendigit.classifier import NO_DIGIT
from pendigit.datasets.checks import NO_FRAMES
from pendigit.datasets.dataset import Dataset, Pixels
from pendigit.datasets.fonts import fetch_fonts, listed
from pendigit.datasets.mnist import load_mnist
from pendigit.datasets.npz import read_npz, write_npz
from pendigit.datasets.progress import making
from pendigit.datasets.split import split
from pendigit.files import make_folder, publish
from pendigit.frame import SIDE, frame_ink, to_frames
from pendigit.home import cache_folder
from pendigit.writing import signs
from pendigit.writing.crops import on_grid, on_paper
from pendigit.writing.curves import Rng
from pendigit.writing.fluent import write_fluently
from pendigit.writing.fonts import draw_character
from pendigit.writing.pens import Ink, bend, draw, draw_digit, repen

VERSION = 7  # of what is below: a change of it is another set
ASIDE = 5_000  # of MNIST's training digits, the fixed split's: never in this set, so that calibration can be judged
MNIST_TIMES = 4  # that each of its digits stands in the set: of all kinds here they alone were written by people
CHUNK = 2_000  # frames that a process makes at a time
ENLARGED = 3  # times: MNIST's digits before their strokes change, so that the outline is smooth


def load_written(name: str = "written") -> Dataset:
    """The set: MNIST's digits from its own cache, the others from theirs or made now, which takes some minutes.

    By the name "schooled" it comes without the forms of practised hands (writing/fluent.py). Labels are 0 to 9, and 10
    for what is no digit. Raises DataError where MNIST or the fonts are out of reach.
    """
    mnist = load_mnist()
    real = [_training_digits()] * MNIST_TIMES
    path = cache_folder() / f"written-{VERSION}.npz"
    if not path.is_file():
        with making("Making digits of many hands, once, which takes some minutes") as progress:
            made = Dataset("written", *_make(progress), *NO_FRAMES)
        make_folder(path.parent)
        with publish(path) as draft:
            write_npz(made, draft)
    made = read_npz(path, classes=NO_DIGIT + 1)
    last = len(made.y_train) - (KINDS["fluent"][0] if name == "schooled" else 0)  # these come last
    frames, labels = zip(*real, (made.x_train[:last], made.y_train[:last]), strict=True)
    return Dataset(name, np.concatenate(frames), np.concatenate(labels), mnist.x_test, mnist.y_test)


def _make(progress: Callable[[int, int], None]) -> tuple[Pixels, Pixels]:
    """Generated frames (n, 28, 28) and their labels (n,)."""
    fetch_fonts(listed("hand", "print"))
    tasks = [
        (kind, start, min(CHUNK, count - start))
        for kind, (count, _) in KINDS.items()
        for start in range(0, count, CHUNK)
    ]
    total = sum(count for _, _, count in tasks)
    parts = []
    # Spawned, not forked: the process that trains has threads of its own.
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        for part in pool.map(make_chunk, *zip(*tasks, strict=True)):
            parts.append(part)
            progress(sum(len(labels) for _, labels in parts), total)
    frames, labels = zip(*parts, strict=True)
    return np.concatenate(frames), np.concatenate(labels)


def make_chunk(kind: str, start: int, count: int) -> tuple[Pixels, Pixels]:
    """Some frames of one kind, (count, 28, 28) uint8, and their labels (count,); what shows no ink is drawn again."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng((VERSION, list(KINDS).index(kind), start))
    frames, labels = np.empty((0, SIDE, SIDE), np.uint8), np.empty(0, np.uint8)
    while len(labels) < count:
        drawn = [KINDS[kind][1](rng) for _ in range(count - len(labels))]
        if kind in WHOLE:
            more = np.stack([frame_ink(_printed(rng, ink)) for ink, _ in drawn])
            found = more.any(axis=(1, 2))
        else:
            put = on_grid if kind == "coarse" else on_paper
            more, found = to_frames([put(rng, ink) for ink, _ in drawn])
        frames = np.concatenate([frames, more[found]])
        labels = np.concatenate([labels, np.array([label for _, label in drawn], np.uint8)[found]])
    return frames, labels


def _form(rng: Rng) -> tuple[Ink, int]:
    digit = int(rng.integers(10))
    return draw_digit(rng, digit), digit


def _fluent(rng: Rng) -> tuple[Ink, int]:
    """A digit of a practised hand; few enough that what is a riddle alone does not decide how others are read."""
    digit = int(rng.integers(10))
    return draw(rng, write_fluently(rng, digit)), digit


def _repenned(rng: Rng) -> tuple[Ink, int]:
    """A digit of MNIST, bent, with another pen."""
    frames, labels = _training_digits()
    index = int(rng.integers(len(labels)))
    return repen(rng, bend(rng, _enlarged(frames[index]))), int(labels[index])


def _lettered(rng: Rng) -> tuple[Ink, int]:
    """A digit of a font that imitates handwriting."""
    while True:
        digit = int(rng.integers(10))
        ink = draw_character(_choice(rng, _fonts("hand")), str(digit))
        if ink is not None:
            return repen(rng, bend(rng, ink)), digit


def _coarse(rng: Rng) -> tuple[Ink, int]:
    """A digit of any kind, for few pixels."""
    return [_form, _repenned, _lettered][rng.choice(3, p=[0.4, 0.4, 0.2])](rng)


def _letter(rng: Rng) -> tuple[Ink, int]:
    """A character that is no digit, printed or by hand."""
    while True:
        role = "hand" if rng.random() < 0.4 else "print"
        characters = signs.WRITTEN if role == "hand" else signs.PRINTED
        ink = draw_character(_choice(rng, _fonts(role)), characters[rng.integers(len(characters))])
        if ink is not None:
            ink = bend(rng, ink)
            return (repen(rng, ink) if rng.random() < 0.3 else ink), NO_DIGIT


def _any_digit(rng: Rng, digit: int) -> Ink:
    """A digit from MNIST or drawn."""
    if rng.random() < 0.5:
        return draw_digit(rng, digit)
    frames, labels = _training_digits()
    while True:  # a tenth of them are right
        index = int(rng.integers(len(labels)))
        if labels[index] == digit:
            return _enlarged(frames[index])


def _sign(make: Callable[[Rng], Ink]) -> Callable[[Rng], tuple[Ink, int]]:
    return lambda rng: (make(rng), NO_DIGIT)


KINDS: dict[str, tuple[int, Callable[[Rng], tuple[Ink, int]]]] = {
    "form": (120_000, _form),
    "repenned": (60_000, _repenned),
    "lettered": (40_000, _lettered),
    "coarse": (45_000, _coarse),
    "letter": (50_000, _letter),
    "scribble": (8_000, _sign(signs.scribble)),
    "marks": (6_000, _sign(signs.marks)),
    "blot": (4_000, _sign(signs.blot)),
    "part": (6_000, _sign(lambda rng: signs.part(rng, _any_digit))),
    "together": (24_000, _sign(lambda rng: signs.together(rng, _any_digit))),
    "crowd": (4_000, _sign(signs.crowd)),
    "fluent": (36_000, _fluent),
}
WHOLE = {"together", "crowd"}  # framed without looking for one digit, which would be found in them


def _printed(rng: Rng, ink: Ink) -> Pixels:
    """Ink (h, w) in 0 to 255, with edges as soft as those of small pictures."""
    soft = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.3, 3))
    return np.asarray(soft * (255 / max(float(soft.max()), 1e-3)), np.uint8)


def _enlarged(frame: Pixels) -> Ink:
    """An MNIST frame's digit, smooth and larger: ink (h, w), cropped."""
    x, y, width, height = cv2.boundingRect(frame)
    ink = np.pad(frame[y : y + height, x : x + width], 1).astype(np.float32) / 255
    larger = cv2.resize(ink, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(larger, 0, 1), np.float32)


@cache
def _training_digits() -> tuple[Pixels, Pixels]:
    mnist = load_mnist()
    training, _ = split(mnist, ASIDE)
    return mnist.x_train[training], mnist.y_train[training]


@cache
def _fonts(role: str) -> list[Path]:
    return [font.path for font in listed(role)]


def _choice(rng: Rng, paths: list[Path]) -> Path:
    return paths[int(rng.integers(len(paths)))]
