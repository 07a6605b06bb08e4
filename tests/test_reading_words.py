"""Words beside numbers are left out; numbers whose digits touch are no words."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pendigit.reading.stages import read_stages
from pendigit.writing.conditions import Conditions
from written_pages import page, reader, sure_glyphs, texts

Pixels = NDArray[np.uint8]
LABELS = ("Customer number", "Date of reading", "Water", "Amount paid", "Telephone")
NUMBERS = ("87383119", "27118", "5", "20495", "638")


def lines(labels: tuple[str, ...], numbers: tuple[str, ...], after: bool = False, size: int = 48) -> Pixels:
    """Printed words, each with a handwritten number before it or after it, dark on light."""
    font, height = ImageFont.load_default(size), 140
    canvas = Image.new("L", (1500, height * len(labels) + 60), 250)
    draw = ImageDraw.Draw(canvas)
    for row, (label, number) in enumerate(zip(labels, numbers, strict=True)):
        written = _written(row, number) if number else None
        width = written.width if written else 0
        draw.text((60 + (0 if after else width + 40), 50 + row * height), label, fill=30, font=font)
        if written:
            left = 60 + (round(draw.textlength(label, font=font)) + 40 if after else 0)
            canvas.paste(written, (left, 80 + row * height - written.height // 2))
    return np.asarray(canvas)


def _written(seed: int, number: str) -> Image.Image:
    """A number as it is written on a page of its own, 56 pixels tall."""
    made = page(seed, Conditions(), (number,))
    left, top, right, bottom = np.array(made.boxes[0]).T
    part = Image.fromarray(made.picture).convert("L").crop((left.min(), top.min(), right.max(), bottom.max()))
    return part.resize((round(part.width * 56 / part.height), 56)).point(lambda grey: min(grey * 2, 250))


def touching(seed: int) -> Pixels:
    """A row of digits, and a row of two that touch."""
    rng, glyph = np.random.default_rng(seed), sure_glyphs()
    canvas = np.zeros((330, 620), np.float32)
    for row, places in ((40, range(60, 560, 100)), (190, (200, 240))):
        for left in places:
            shape = glyph(rng, int(rng.integers(10)))
            part = canvas[row : row + shape.shape[0], left : left + shape.shape[1]]
            np.maximum(part, shape, out=part)
    return np.rint(250 * (1 - canvas)).astype(np.uint8)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_numbers_are_read_without_the_words_beside_them(after: bool) -> None:
    assert texts(lines(LABELS, NUMBERS, after)) == list(NUMBERS)


def test_a_line_alone_is_read_without_its_words() -> None:
    for row, (label, number) in enumerate(zip(LABELS[1:], NUMBERS[1:], strict=True)):
        assert texts(lines((label,), (number,), after=row % 2 > 0)) == [number]


def test_a_page_of_words_has_hardly_any_digit() -> None:
    stages = read_stages(lines(LABELS * 2, ("",) * 10), reader().networks)
    assert stages.is_text
    assert stages.count <= 5
    alone = lines(("Please write clearly in black ink",), ("",))
    assert texts(alone) == []


@pytest.mark.parametrize(("seed", "pair"), [(3, "36"), (16, "42"), (56, "34")])
def test_digits_that_touch_are_no_word(seed: int, pair: str) -> None:
    read = texts(touching(seed))
    assert [len(row) for row in read] == [5, 2]
    assert read[1] == pair


def test_letters_that_lie_on_a_side_are_turned_only_where_their_lines_do() -> None:
    """Turned, letters may be more like digits than upright."""
    page = lines(LABELS * 2, ("",) * 10)
    sideways = read_stages(np.ascontiguousarray(np.rot90(lines(LABELS, NUMBERS))), reader().networks)
    assert read_stages(page, reader().networks).turned == 0
    assert [row.text for row in sideways.reading.rows] == list(NUMBERS)
