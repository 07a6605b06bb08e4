"""Digits that touch, and numbers on cheques, lists and scans: ours beside RapidOCR's line recogniser.

    python benchmarks/rows.py [--count 2000] [--data FOLDER] [--peers] [--speed]

Every picture is one row. The pairs and triples are generated with a fixed seed from MNIST's test digits, their ink in
one piece: bent and drawn anew with one pen, on paper as scanners deliver it; and as their writers left them, on smooth
paper. Exact: pictures whose digits are all right. CER: edit distance over the number of true digits. `rows` is the row
network alone on the whole picture, `reader` is `pendigit read`. RapidOCR 3.10 reads the same pictures, its answers
restricted to digits.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

import pendigit
from bench import CACHE, PEERS, environment, machine, measure
from pendigit.ink import is_dark_on_light, to_grey
from pendigit.reading.columns import read_columns
from pendigit.reading.images import load_image
from pendigit.reading.networks import load_row_network
from pendigit.reading.strips import whole_strip
from pendigit.writing.curves import Rng
from pendigit.writing.glyphs import Glyph, glyphs_of
from pendigit.writing.pens import HEIGHT, Ink, bend, random_pen, repen
from pendigit.writing.slips import on_slip
from pendigit.writing.strings import Line, is_one_piece, random_hand, write_line
from sets import DATA

SEED = 2027  # of the pairs and triples; the network was trained on rows of other seeds and other digits
PHOTOS = ("cheques_dev", "price_list_dev")
STRINGS = "numbers_0_15_dev"
ROUGH = 0.3  # how hard the paper of pairs and triples is
ROUNDS = 50

Pixels = NDArray[np.uint8]
Read = Callable[[list[Pixels]], list[str]]


@dataclass(frozen=True)
class Picture:
    """One row and what it says."""

    pixels: Pixels
    truth: str


def touching(count: int, as_written: bool = False) -> Iterator[Picture]:
    """Pairs and triples in turn: bent, with one pen, on rough paper; or as their writers left them, on smooth paper."""
    _, (frames, labels) = pendigit.load_data("mini")
    glyph = glyphs_of(frames, labels)
    for index in range(count):
        rng = np.random.default_rng((SEED, index))
        text = "".join(map(str, rng.integers(0, 10, 2 + index % 2)))
        line = _touching_line(rng, text, glyph, as_written)
        yield Picture(on_slip(rng, line, hard=0 if as_written else ROUGH).grey, text)


def _touching_line(rng: Rng, text: str, glyph: Glyph, as_written: bool) -> Line:
    """Digits whose ink is one piece."""
    while True:
        pen = random_pen(rng)

        def digit(rng: Rng, character: str, pen: float = pen) -> Ink:
            ink = glyph(rng, int(character))
            return ink if as_written else repen(rng, bend(rng, ink), pen)

        line = write_line(rng, text, digit, random_hand(rng, touching=1.0), pen * HEIGHT)
        if len(line.signs) == len(text) and is_one_piece(line):
            return line


def photos(folder: Path) -> Iterator[Picture]:
    with (folder / "truth.csv").open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            yield Picture(load_image(folder / line["file"]), line["truth"])


def strings(path: Path) -> Iterator[Picture]:
    with np.load(path) as file:
        pixels, shapes, offsets = file["pixels"], file["shapes"], file["offsets"]
        for start, stop, shape, label in zip(offsets[:-1], offsets[1:], shapes, file["labels"], strict=True):
            yield Picture(pixels[start:stop].reshape(shape), str(label))


def by_rows() -> Read:
    network = load_row_network()

    def read(pictures: list[Pixels]) -> list[str]:
        frames = [whole_strip(_dark(picture)).frame for picture in pictures]
        return ["".join(map(str, read_columns(network.judge(frame)).digits)) for frame in frames]

    return read


def _dark(picture: Pixels) -> Pixels:
    grey = to_grey(picture)
    return grey if is_dark_on_light(grey.astype(np.float32)) else 255 - grey


def by_reader() -> Read:
    reader = pendigit.load_reader()
    return lambda pictures: ["".join(row.text for row in reader.read(picture).rows) for picture in pictures]


def by_rapidocr(pictures: list[Pixels]) -> list[str]:
    python = environment("rapidocr-pages", "rapidocr==3.10.*", "onnxruntime")
    path = CACHE / "rows.npz"
    CACHE.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{f"picture_{index}": picture for index, picture in enumerate(pictures)})
    texts: list[str] = measure([python, PEERS / "rapidocr_digits.py", path, "line"]).json["texts"]
    return texts


def table(sets: dict[str, list[Picture]], readers: dict[str, Read]) -> None:
    for name, pictures in sets.items():
        print(f"{name}: {len(pictures)} pictures")
        truths = [picture.truth for picture in pictures]
        for reader, read in readers.items():
            texts = read([picture.pixels for picture in pictures])
            exact = sum(text == truth for text, truth in zip(texts, truths, strict=True))
            edits = sum(Levenshtein.distance(text, truth) for text, truth in zip(texts, truths, strict=True))
            share, cer = exact / len(truths), edits / sum(map(len, truths))
            print(f"  {reader:<10} exact {share:6.1%} ({exact})   CER {cer:6.2%}", flush=True)


def speed() -> None:
    """A row of ten digits on one thread: framing, network and decoding; the median of some rounds."""
    _, (frames, labels) = pendigit.load_data("mini")
    glyph, rng = glyphs_of(frames, labels), np.random.default_rng(SEED)
    slip = on_slip(
        rng, write_line(rng, "3141592653", lambda rng, c: glyph(rng, int(c)), random_hand(rng, 0), 6), hard=0
    )
    network, taken = load_row_network(), []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        read_columns(network.judge(whole_strip(slip.grey).frame))
        taken.append(time.perf_counter() - began)
    print(f"ten digits, {whole_strip(slip.grey).frame.shape[1]} pixels: {np.median(taken) * 1e3:.1f} ms on one thread")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="pairs and triples")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of sets that are not ours")
    parser.add_argument("--peers", action="store_true", help="also run RapidOCR")
    parser.add_argument("--speed", action="store_true", help="only time one row")
    options = parser.parse_args()
    print(machine())
    if options.speed:
        speed()
        return
    sets = {}
    if options.count:
        sets["touching pairs and triples"] = list(touching(options.count))
        sets["touching pairs and triples, as written"] = list(touching(options.count, as_written=True))
    sets |= {name: list(photos(options.data / name)) for name in PHOTOS if (options.data / name).is_dir()}
    if (options.data / f"{STRINGS}.npz").exists():
        sets[STRINGS] = list(strings(options.data / f"{STRINGS}.npz"))
    readers = {"rows": by_rows(), "reader": by_reader()}
    table(sets, readers | {"RapidOCR": by_rapidocr} if options.peers else readers)


if __name__ == "__main__":
    main()
