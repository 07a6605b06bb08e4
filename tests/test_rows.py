"""Whole rows: the row's frame, generated strings, reading along columns, and what is read."""

from __future__ import annotations

import itertools
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pendigit.reading.columns import read_columns, stretches
from pendigit.reading.election import ASTRAY, Elected, clarity
from pendigit.reading.lattice import paths, weight
from pendigit.reading.pieces import Piece
from pendigit.reading.reader import load_reader
from pendigit.reading.recognise import Character, text_of
from pendigit.reading.sequences import StripRow
from pendigit.reading.stages import read_stages
from pendigit.reading.strips import Strip
from pendigit.rowframe import BLANK, CLASSES, COLUMN, OTHER, ROW_HEIGHT, to_row, writing_band
from pendigit.writing.forms import write
from pendigit.writing.pens import HEIGHT, Ink, draw
from pendigit.writing.slips import on_slip
from pendigit.writing.strings import random_hand, random_number, write_line
from written_rows import touching_numbers


def bar(rng: np.random.Generator, character: str) -> Ink:
    """A glyph that every test can make: a bar as wide as its digit says."""
    return np.ones((HEIGHT, 6 + 4 * "0123456789".find(character)), np.float32)


@settings(max_examples=30)
@given(height=st.integers(8, 120), width=st.integers(4, 600), light=st.floats(0.4, 1.0))
def test_a_rows_frame_has_one_height_and_does_not_see_the_light(height: int, width: int, light: float) -> None:
    grey = np.full((height, width), 230, np.uint8)
    cv2.rectangle(grey, (width // 3, height // 4), (width // 3 + max(1, width // 40), 3 * height // 4), 30, -1)
    frame, darker = to_row(grey), to_row((grey * light).astype(np.uint8))
    assert frame.shape[0] == ROW_HEIGHT
    assert frame.shape[1] % 4 == 0
    assert abs(frame.shape[1] - width * ROW_HEIGHT / height) <= 4
    assert np.abs(frame.astype(int) - darker).max() <= 16
    assert not to_row(np.full((height, width), 200, np.uint8)).any()


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_a_lines_truth_is_in_order_and_on_its_ink(seed: int) -> None:
    rng = np.random.default_rng(seed)
    text = "".join(filter(lambda c: c.isdigit() or c in " .,-=", random_number(rng)))
    line = write_line(rng, text, bar, random_hand(rng), 4.0)
    digits = [sign for sign in line.signs if sign != OTHER]
    assert digits == [int(c) for c in text if c.isdigit()]
    assert list(line.centres) == sorted(line.centres)
    assert all(
        line.ink[:, int(centre)].any() for centre, sign in zip(line.centres, line.signs, strict=True) if sign < 10
    )
    assert not any(a == b == OTHER for a, b in itertools.pairwise(line.signs))
    slip = on_slip(rng, line, line.ink)
    assert slip.grey.dtype == np.uint8
    assert len(slip.signs) == len(slip.centres)
    assert all(0 <= centre <= 1 for centre in slip.centres)


def scores(seed: int, columns: int) -> np.ndarray:
    """Log probabilities in which 0, 1, 2, another sign and nothing alone are likely."""
    values = np.random.default_rng(seed).normal(0, 2, (columns, CLASSES))
    values[:, 3:10] = -40
    return np.asarray(values - np.log(np.exp(values).sum(axis=1, keepdims=True)), np.float32)


def all_numbers(columns: np.ndarray) -> dict[tuple[int, ...], float]:
    """Every number's probability, by adding up every way through the columns."""
    found: dict[tuple[int, ...], float] = {}
    for way in itertools.product((0, 1, 2, OTHER, BLANK), repeat=len(columns)):
        merged = [BLANK if sign == OTHER else sign for sign in way]
        number = tuple(sign for sign, _ in itertools.groupby(merged) if sign != BLANK)
        chance = float(np.exp(sum(columns[at, sign] for at, sign in enumerate(way))))
        found[number] = found.get(number, 0.0) + chance
    return found


@pytest.mark.parametrize("seed", range(8))
def test_reading_along_columns_finds_what_all_ways_together_say(seed: int) -> None:
    columns = scores(seed, 5)
    chances = all_numbers(columns)
    read = read_columns(columns)
    best = max(chances, key=lambda number: chances[number])
    assert chances[read.digits] >= 0.7 * chances[best]  # each digit's own best may differ from the best number
    for index in range(len(read.digits)):
        before, after = read.digits[:index], read.digits[index + 1 :]
        if read.digits != best:
            continue
        others = np.array([chances.get((*before, digit, *after), 0.0) for digit in range(10)])
        assert np.allclose(read.probabilities[index], others / others.sum(), atol=1e-4)
        there = others.sum() / (others.sum() + chances.get((*before, *after), 0.0))
        assert read.digitness[index] == pytest.approx(there, abs=1e-4)


def test_stretches_tell_apart_what_is_surely_parted() -> None:
    columns = scores(3, 9)
    columns[4] = np.log(1e-9)
    columns[4, BLANK] = 0.0
    found = stretches(columns)
    assert [(each.first, each.end) for each in found] == [(0, 4), (5, 9)]
    for each in found:
        chances = all_numbers(columns[each.first : each.end])
        for number in [(), (0,), (1,), (2,), max(chances, key=lambda number: chances[number])]:
            assert np.exp(each.numbers[number]) == pytest.approx(chances[number], rel=0.02)


def test_stretches_are_judged_together_as_they_are_alone() -> None:
    empty = np.full((1, CLASSES), np.log(1e-9), np.float32)
    empty[0, BLANK] = 0.0
    parts = [scores(seed, columns) for seed, columns in enumerate((3, 7, 1, 4, 5, 7))]
    together = read_columns(np.concatenate([each for part in parts for each in (part, empty)]))
    starts = np.cumsum([0, *(len(part) + 1 for part in parts[:-1])])
    alone = [read_columns(part) for part in parts]
    assert len({len(each.digits) for each in alone}) > 1
    for index, expected in enumerate(zip(*alone, strict=True)):
        shifted = [part + (COLUMN * start if index == 2 else 0) for part, start in zip(expected, starts, strict=True)]
        np.testing.assert_allclose(together[index], np.concatenate(shifted), atol=1e-5)


def test_equal_neighbours_need_something_between() -> None:
    columns = np.full((9, CLASSES), -20.0, np.float32)
    columns[:, BLANK] = -1e-6
    for at in (1, 2, 5):
        columns[at, BLANK], columns[at, 8] = -20, -1e-6
    read = read_columns(columns)
    assert read.digits == (8, 8)
    assert read.middles == pytest.approx([2 * COLUMN, 5.5 * COLUMN], abs=0.5)
    assert (read.digitness > 0.99).all()
    columns[3:5, BLANK], columns[3:5, 8] = -20, -1e-6
    assert read_columns(columns).digits == (8,)


def test_nothing_is_read_where_nothing_stands() -> None:
    columns = np.full((9, CLASSES), -20.0, np.float32)
    columns[:, OTHER] = -1e-6
    assert read_columns(columns).digits == ()


def test_digits_that_touch_are_read_where_they_stand() -> None:
    numbers, reader = touching_numbers(12), load_reader()
    right = 0
    for text, picture in numbers:
        rows = reader.read(picture).rows
        right += [row.text for row in rows] == [text]
        for row in rows:
            lefts = [digit.box[0] for digit in row.digits]
            assert lefts == sorted(lefts)
            assert all(left < right and top < bottom for left, top, right, bottom in (d.box for d in row.digits))
    assert right >= 9


def field(seed: int) -> tuple[str, np.ndarray]:
    """A number in the field of a form, cut out so close that it runs into the field's upper and lower line."""
    rng = np.random.default_rng((9, seed))
    text = "".join(map(str, rng.integers(0, 10, 5)))
    even = {"uneven": 0.02, "jump": 0.0, "sizes": 0.02, "joins": 0.0, "small_zeros": 1.0}
    hand = replace(random_hand(rng, touching=0), slant=0.1, gap=0.12, **even)
    line = write_line(rng, text, lambda rng, digit: draw(rng, write(rng, int(digit)), 0.09), hand, 5.0)
    ink = line.ink[line.top + 3 : line.bottom - 3].copy()
    ink[:3] = ink[-3:] = 1
    return text, np.rint(230 - 170 * ink).astype(np.uint8)


def test_a_row_that_hangs_together_with_its_fields_lines_is_read_from_side_to_side() -> None:
    reader, right, alone, lost = load_reader(), 0, 0, 0
    for text, picture in map(field, range(12)):
        stages = read_stages(picture, reader.networks)
        alone += [row.text for row in reader.read(picture, rows=1).rows] == [text]
        right += [row.text for row in stages.reading.rows] == [text]
        lost += not stages.reading.rows
        assert all(digit.box[2] <= picture.shape[1] for row in stages.reading.rows for digit in row.digits)
    assert right >= 7  # of which pieces of ink alone give four
    assert alone >= 7  # also where it is known that there is one row
    assert not lost
    blank = cv2.copyMakeBorder(np.full((52, 220), 230, np.uint8), 3, 3, 0, 0, cv2.BORDER_CONSTANT, value=60)
    assert not reader.read(blank).rows


def seen_row(text: str, beliefs: dict[str, float], clear: float = 1.0) -> Any:
    """A row read as a text, that finds others as likely as told."""
    chances = np.full((len(text), 10), (1 - clear) / 9, np.float32)
    chances[np.arange(len(text)), [int(digit) for digit in text]] = clear
    characters = [Character(Piece(0, 0, 1, 1, 1, ()), each, 1.0) for each in chances]
    return SimpleNamespace(
        characters=characters, log_probability=lambda other: beliefs.get(other, -np.inf), lattice=text, along=list
    )


def test_of_several_readings_of_a_row_the_one_that_all_believe_is_taken() -> None:
    def taken(*readings: tuple[float, Any]) -> str:
        chances = [each.probabilities.argmax() for each in Elected(readings).characters]
        return "".join(map(str, chances))

    cut = seen_row("120", {"120": -0.1, "12": -9.0})
    left_out = seen_row("12", {"12": -0.01, "120": -4.0})  # each digit that it did read is clear
    assert taken((1, left_out), (1, cut)) == "120"
    surer = seen_row("12", {"12": -0.01, "120": -12.0})
    assert taken((1, surer), (1, cut)) == "12"
    assert taken((1, surer), (2, cut)) == "120"  # by its weight
    joined = seen_row("7120", {"7120": -0.1, "120": -5.0})  # no way of cutting gives it
    assert taken((1, joined), (1, cut)) == "120"
    astray = seen_row("5", {"5": -0.1, "12": -500.0, "120": -600.0})  # tells them apart no more
    assert taken((1, surer), (1, cut), (1, astray)) == taken((1, surer), (1, cut))


def test_a_row_that_was_elected_answers_for_all_its_readings() -> None:
    whole, cut = seen_row("12", {"12": -0.2, "72": -2.0}), seen_row("12", {"12": -0.6})
    row = Elected([(1.0, whole), (0.5, cut)])
    assert row.characters is cut.characters  # with the tighter boxes
    assert row.lattice is whole.lattice  # in which rules search
    assert row.log_probability("12") == pytest.approx((-0.2 - 0.3) / 1.5)
    assert row.log_probability("72") == pytest.approx((-2.0 + 0.5 * ASTRAY) / 1.5)


def test_the_first_digit_of_a_number_that_stands_alone_is_rather_low() -> None:
    def taken(beliefs: dict[str, float], text: str, alone: bool = True) -> tuple[str, float]:
        row = seen_row(text, beliefs, 0.6)
        row.characters[0].probabilities[[1, 7]] += 0.05  # seen as possible
        elected = Elected([(1.0, row)], alone=alone)
        return text_of(elected), float(elected.characters[0].probabilities.max())

    near = {"72": -0.5, "12": -1.0}
    assert taken(near, "72")[0] == "12"
    assert taken(near, "72")[1] == pytest.approx(1 / (1 + np.exp(0.5) * 0.790 / 2.005), rel=1e-3)  # by Benford's law
    assert taken(near, "72", alone=False)[0] == "72"  # in a column of numbers any digit may be first
    assert taken({"72": -0.1, "12": -3.0}, "72")[0] == "72"
    assert taken({"7": -0.5, "1": -0.6}, "7")[0] == "7"  # a lone digit may be any
    assert taken({"27": -0.5, "21": -0.6}, "27")[0] == "27"
    assert taken({"02": -0.5, "12": -0.6}, "02")[0] == "12"


def test_clarity_is_the_mean_over_digits() -> None:
    assert clarity([seen_row("12", {}, 0.9)]) == pytest.approx(0.9)
    assert clarity([]) == 0


def test_a_row_read_whole_is_searched_by_rules() -> None:
    columns = scores(1, 12)
    columns[5] = np.log(1e-9)
    columns[5, BLANK] = 0.0
    piece = Piece(0, 0, 24, 30, 700, (1,))
    strip = Strip(np.zeros((ROW_HEIGHT, 24), np.uint8), 0, 1.0, 0.0, 32.0, 0.0, 20.0)
    row = StripRow(columns, [piece], strip, np.ones((40, 40), np.int32))
    chances = {text: weight(row.lattice, text) for text in ("", "0", "12", "1021")}
    first, second = all_numbers(columns[:5]), all_numbers(columns[6:])
    for text, log in chances.items():
        digits = tuple(map(int, text))
        parts = [(digits[:at], digits[at:]) for at in range(len(digits) + 1)]
        expected = sum(first.get(one, 0.0) * second.get(two, 0.0) for one, two in parts)
        assert np.exp(log) <= expected * 1.001
        assert len(text) > 1 or np.exp(log) == pytest.approx(expected, rel=0.01)  # unlikely pairs are left out
    best = next(paths(row.lattice))
    characters = row.along(best)
    assert "".join(str(each.ruled) for each in characters) == best.text
    assert all(each.piece.width > 0 for each in characters)


def test_the_band_of_writing_is_found_in_a_roomy_crop() -> None:
    rng = np.random.default_rng(1)
    digits = {str(digit): draw(rng, write(rng, digit), 0.09) for digit in range(10)}
    line = write_line(rng, "40718", lambda rng, c: digits[c], random_hand(rng, touching=0), 6)
    grey = np.rint(230 - 180 * line.ink).astype(np.uint8)
    roomy = np.pad(grey, ((40, 120), (10, 10)), constant_values=230)
    top, bottom = writing_band(roomy)
    inked = np.flatnonzero((roomy < 150).any(axis=1))
    assert abs(top - inked[0]) < 0.15 * HEIGHT
    assert abs(bottom - inked[-1]) < 0.15 * HEIGHT
    assert writing_band(np.full((50, 90), 220, np.uint8)) == (0, 50)  # nothing is written
