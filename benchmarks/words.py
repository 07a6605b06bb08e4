"""Words beside numbers: lines of text in fonts that no training saw, each before or after a handwritten number.

    python benchmarks/words.py [--model NAME] [--pages 10] [--fonts FILE ...]

Digits are MNIST's test images. CER and rows are counted as by `reading.py`; a row too many says only words. Of pages
without a number, the digits that are read are counted. Fonts are those of `fonts.csv` that are for judging alone,
fetched from npm, or any font files. The limits were chosen with other fonts and digits.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import pendigit
from bench import machine
from pendigit.datasets.fonts import fetch_fonts, listed
from pendigit.writing.fonts import open_font
from pendigit.writing.glyphs import Glyph
from reading import Pixels, Score, test_glyphs

SEED = 2026
TEXT = (
    "account address amount and balance bank box by city code comments customer date delivery due electricity entry "
    "for from gas gross hours in invoice items kept kilometres Madrid March meter Mr name net north note number of on "
    "or order Oslo our paid page paper part phone please price quantity reading received room school signature street "
    "sum tax the time to total train unit until value water weight well when with write year your zone"
)
SIZES = (26, 40, 60)  # pixels: of the text's capitals, about
HEIGHT, PITCH = (44, 56), (0.85, 1.1)  # pixels of a digit, and its heights from one to the next
BETWEEN = 0.9  # of the larger one's height: between text and number
LINES = 5
INK = 0.88  # how well the pen covers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a model's name or path; the default reader's")
    parser.add_argument("--pages", type=int, default=10, help="of each font and kind")
    parser.add_argument("--fonts", type=Path, nargs="+", help="other font files")
    options = parser.parse_args()
    fonts = options.fonts or fetch_fonts(listed("unseen"))
    reader, glyph = pendigit.load_reader(options.model), test_glyphs()
    print(machine())
    for name, lines in (("five lines", LINES), ("one line", 1)):
        score, many = Score(), 0
        for picture, rows in _pages(fonts, options.pages, lines, glyph):
            read = [row.text for row in reader.read(picture).rows]
            score.add(read, rows)
            many += max(0, len(read) - len(rows))
        print(f"  {name + ', a number each':28} {score}   rows too many {many}", flush=True)
    pages = list(_pages(fonts, options.pages, LINES, None))
    digits = sum(reader.read(picture).count for picture, _ in pages)
    print(f"  {'five lines, no number':28} {digits / len(pages):.2f} digits read on each of {len(pages)} pages")


def _pages(fonts: list[Path], count: int, lines: int, glyph: Glyph | None) -> list[tuple[Pixels, list[str]]]:
    return [
        _page(np.random.default_rng([SEED, place, index, lines]), path, lines, glyph)
        for place, path in enumerate(fonts)
        for index in range(count)
    ]


def _page(rng: np.random.Generator, path: Path, lines: int, glyph: Glyph | None) -> tuple[Pixels, list[str]]:
    """Lines of text and, with glyphs, a number in each: the page, dark on light, and its numbers."""
    font, size = open_font(path), float(rng.choice(SIZES))
    drawn, rows = [], []
    for _ in range(lines):
        text = " ".join(rng.choice(TEXT.split(), int(rng.integers(1, 4))))
        parts = [_text(text.title() if rng.random() < 0.5 else text, font, size)]
        if glyph is not None:
            rows.append("".join(map(str, rng.integers(0, 10, int(rng.integers(1, 7))))))
            parts.append(_number(rng, rows[-1], glyph))
        drawn.append(parts if rng.random() < 0.5 else parts[::-1])
    tall = max(part.shape[0] for parts in drawn for part in parts)
    bands = [_line(parts, tall) for parts in drawn]
    wide = max(band.shape[1] for band in bands)
    ink = np.concatenate([np.pad(band, ((0, 0), (0, wide - band.shape[1]))) for band in bands])
    return np.rint(255 * (1 - np.pad(ink, tall // 2))).astype(np.uint8), rows


def _text(text: str, font: Any, size: float) -> NDArray[np.float32]:
    """Ink (h, w) of some words whose capitals are `size` pixels tall."""
    mask = font.getmask(text, mode="L")
    ink = np.asarray(mask, np.float32).reshape(mask.size[::-1]) / np.float32(255)
    capital = font.getmask("E", mode="L").size[1]
    return np.asarray(cv2.resize(ink, None, fx=size / capital, fy=size / capital, interpolation=cv2.INTER_AREA))


def _number(rng: np.random.Generator, digits: str, glyph: Glyph) -> NDArray[np.float32]:
    height, pitch = rng.uniform(*HEIGHT), rng.uniform(*PITCH)
    ink = np.zeros((round(1.4 * height), round(height * (pitch * len(digits) + 1))), np.float32)
    for place, digit in enumerate(digits):
        shape = glyph(rng, int(digit))
        scale = height / max(shape.shape)
        small = cv2.resize(shape, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        top = round(0.2 * height + rng.normal(0, 0.04) * height)
        left = round((place * pitch + 0.6) * height - small.shape[1] / 2)
        part = ink[top : top + small.shape[0], left : left + small.shape[1]]
        np.maximum(part, INK * small, out=part)
    return ink


def _line(parts: list[NDArray[np.float32]], tall: int) -> NDArray[np.float32]:
    """Parts side by side, their middles on one line, in a band twice as tall."""
    between = np.zeros((2 * tall, round(BETWEEN * tall / 2)), np.float32)
    bands = [between]
    for part in parts:
        above = (2 * tall - part.shape[0]) // 2
        bands += [np.pad(part, ((above, 2 * tall - part.shape[0] - above), (0, 0))), between]
    return np.concatenate(bands, axis=1)


if __name__ == "__main__":
    main()
