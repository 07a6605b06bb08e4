"""Numbers as one hand writes them in a row: digits that stand apart, touch, overlap or are joined, and signs between.

Ink is laid out on a canvas whose digits are about 64 pixels tall. The truth comes along: which signs stand where.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.rowframe import OTHER
from pendigit.writing.curves import Rng
from pendigit.writing.pens import HEIGHT, Ink

Glyphs = Callable[[Rng, str], Ink]  # chance and a character -> its ink (h, w) as one hand writes it
MOST_DIGITS = 12
LENGTHS = np.array([6, 10, 14, 16, 17, 13, 8, 5, 4, 3, 2, 2])  # shares of numbers of 1 to 12 digits: amounts are short
ROOM = HEIGHT // 2  # pixels above and below the digits, for what jumps and hangs
DEEPEST = 0.55  # of the narrower digit's width that neighbours may lie over one another
LARGEST = 1.5  # times the usual height: a larger digit is not written
WHOLE = 0.9  # of a line's width that its largest piece of ink takes where the line is one piece
FAR = 4 * HEIGHT  # pixels: further than any two profiles


@dataclass(frozen=True)
class Line:
    """A line of writing.

    Attributes:
        ink: (h, w) float32, 0 to 1; the digits' usual top and bottom are at `top` and `bottom`.
        signs: What stands there from left to right, 0 to 9 or OTHER.
        centres: The middle of each sign, pixels from the left.
        top, bottom: Pixels.
    """

    ink: Ink
    signs: tuple[int, ...]
    centres: tuple[float, ...]
    top: int
    bottom: int


@dataclass(frozen=True)
class Habit:
    """How one hand writes one digit.

    Attributes:
        size: Times the usual height.
        wide: Times the glyph's width.
        lift: Where a smaller or larger one stands: 0 on the line, 1 as high as the others.
    """

    size: float = 1.0
    wide: float = 1.0
    lift: float = 0.0


@dataclass(frozen=True)
class Hand:
    """How one hand spaces and shapes a line; lengths in digits' heights.

    Attributes:
        slant: Columns to the right by rows up.
        wide: Times as wide as the glyphs are.
        gap: Usual distance of neighbours' ink; negative where they overlap.
        uneven: Its standard deviation.
        jump: Standard deviation of a digit's place above or below the line.
        sizes: Standard deviation of a digit's size, as a share.
        rise: Rows up by columns to the right.
        joins: How often two digits are joined by a stroke.
        small_zeros: The size of zeros at the end.
        habits: What is particular to each of the ten digits, or nothing.
        zero_joins: How often two zeros are joined, at least.
    """

    slant: float
    wide: float
    gap: float
    uneven: float
    jump: float
    sizes: float
    rise: float
    joins: float
    small_zeros: float
    habits: tuple[Habit, ...] = ()
    zero_joins: float = 0.0

    def habit(self, character: str) -> Habit:
        """What is particular to a character."""
        return self.habits[int(character)] if self.habits and character.isdigit() else Habit()


def random_habits(rng: Rng) -> tuple[Habit, ...]:
    """A hand whose digits differ in size: small zeros in mid-air, long sevens and nines, flat or narrow ones."""
    size, wide = np.exp(rng.normal(0, 0.14, 10)), np.exp(rng.normal(0, 0.2, 10))
    if rng.random() < 0.5:
        size[0] = rng.uniform(0.4, 0.8)
    for digit in (4, 7, 9):
        size[digit] *= rng.uniform(1.0, 1.3) if rng.random() < 0.4 else 1.0
    lift = np.clip(rng.normal(rng.uniform(0, 1), 0.2, 10), 0, 1)
    return tuple(Habit(*each) for each in zip(size.tolist(), wide.tolist(), lift.tolist(), strict=True))


def random_hand(rng: Rng, touching: float = 0.35) -> Hand:
    """Some hand; `touching` is the share of those whose digits touch."""
    kind = rng.random()
    gap = rng.uniform(-0.14, 0.03) if kind < touching else rng.uniform(0.02, 0.22) if kind < 0.85 else rng.gamma(3, 0.2)
    return Hand(
        slant=rng.normal(0.08, 0.2),
        wide=float(np.exp(rng.normal(0.0, 0.2))),
        gap=gap,
        uneven=rng.uniform(0.01, 0.1),
        jump=rng.gamma(2.0, 0.02),
        sizes=rng.gamma(2.0, 0.035),
        rise=rng.normal(0, 0.025),
        joins=rng.uniform(0.1, 0.7) if rng.random() < 0.15 else 0.0,
        small_zeros=rng.uniform(0.45, 0.9) if rng.random() < 0.2 else 1.0,
    )


def random_number(rng: Rng) -> str:
    """Digits with the signs that people put between, before and after: `1.250,-`, `$ 300`, `##47##`, `5.000.-`."""
    count = int(rng.choice(MOST_DIGITS, p=LENGTHS / LENGTHS.sum())) + 1
    digits = "".join(map(str, rng.integers(0, 10, count)))
    if count > 2 and rng.random() < 0.25:  # round amounts
        zeros = int(rng.integers(1, min(count, 5)))
        digits = digits[:-zeros] + "0" * zeros
    elif count > 1 and rng.random() < 0.12:
        digits = digits[0] * count
    kind = rng.random()
    if kind < 0.3:
        mark = rng.choice([".", ",", "'", "-", " ", ". "], p=[0.5, 0.15, 0.05, 0.05, 0.15, 0.1])
        digits = mark.join(_in_threes(digits))
    elif kind < 0.4 and count > 2:
        digits = f"{digits[:-2]}{rng.choice(list('.,- '))}{digits[-2:]}"
    elif kind < 0.5 and count > 3:  # groups, as in dates and telephone numbers
        at = int(rng.integers(1, count - 1))
        digits = f"{digits[:at]}{rng.choice(list('-. '))}{digits[at:]}"
    if rng.random() < 0.25:
        digits += rng.choice(["-", ".", ",", "=", ".-", ",-", " -", " =", "--", "#", " .", "~", ". -", "%", "*"])
    if rng.random() < 0.1:
        before = rng.choice(["-", "$", "€", "£", "=", "#", "*", ".", "- ", "$ ", "R$", "Fr"])
        digits = f"{before}{digits}"
    if rng.random() < 0.04:
        digits = (
            f"##{digits}##" if rng.random() < 0.5 else f"{digits} {chr(int(rng.choice(list(b'acdefhkmnprtuwxk'))))}"
        )
    return digits


def write_line(rng: Rng, text: str, glyphs: Glyphs, hand: Hand, pen: float) -> Line:
    """Write `text` (digits, signs and spaces) with a pen `pen` pixels wide."""
    canvas = np.zeros((HEIGHT + 2 * ROOM, (len(text) + 2) * 2 * HEIGHT), np.float32)
    last = len(text.rstrip("0")) if text.endswith("00") else len(text)
    edge, used, before = np.full(len(canvas), -FAR), 0, None
    extra, signs, centres, pending = 0.0, [], [], False
    for index, character in enumerate(text):
        if character == " ":
            extra += rng.uniform(0.2, 0.6) * HEIGHT
            continue
        size = min(LARGEST, (hand.small_zeros if index >= last else 1.0) * float(np.exp(rng.normal(0, hand.sizes))))
        habit = hand.habit(character)
        size = min(LARGEST, size * habit.size)
        ink, top = _shaped(rng, character, glyphs, hand, pen, size)
        top = round(
            top
            - habit.lift * (HEIGHT - len(ink)) * bool(hand.habits)
            + rng.normal(0, hand.jump) * HEIGHT
            - hand.rise * used
        )
        top = min(max(0, top), len(canvas) - len(ink))
        rows = slice(top, top + len(ink))
        gap = (hand.gap + rng.normal(0, hand.uneven)) * HEIGHT + extra
        if not character.isdigit():
            gap = max(gap, rng.uniform(0.0, 0.15) * HEIGHT)
        left = _place(edge[rows], ink, gap, before)
        if left + ink.shape[1] >= canvas.shape[1]:
            break
        window = canvas[rows, left : left + ink.shape[1]]
        np.maximum(window, ink, out=window)
        joins = max(hand.joins, hand.zero_joins) if text[max(0, index - 1) : index + 1] == "00" else hand.joins
        if before is not None and joins and rng.random() < joins:
            _join(rng, canvas, before, (left, rows.start, left + ink.shape[1], rows.stop), pen)
        _move_edge(edge, rows, left, ink)
        before, used, extra = (left, rows.start, left + ink.shape[1], rows.stop), left + ink.shape[1], 0.0
        if character.isdigit():
            signs.append(int(character))
            centres.append(left + ink.shape[1] / 2)
            pending = False
        elif not pending:
            signs.append(OTHER)  # a run of them counts as one
            centres.append(left + ink.shape[1] / 2)
            pending = True
    return Line(canvas[:, : used + 1], tuple(signs), tuple(centres), ROOM, ROOM + HEIGHT)


def is_one_piece(line: Line) -> bool:
    """Whether its ink is one piece from side to side, but for small gaps that a broken digit has itself."""
    _, _, stats, _ = cv2.connectedComponentsWithStats((line.ink > 0.5).astype(np.uint8))
    return bool(stats[1:, cv2.CC_STAT_WIDTH].max(initial=0) > WHOLE * line.ink.shape[1])


def _in_threes(digits: str) -> list[str]:
    first = len(digits) % 3 or 3
    return [digits[:first], *(digits[at : at + 3] for at in range(first, len(digits), 3))]


def _shaped(rng: Rng, character: str, glyphs: Glyphs, hand: Hand, pen: float, size: float) -> tuple[Ink, float]:
    """A character's ink in its size and slant, and the row of its top."""
    if character in ".,'-=~":
        return _mark(rng, character, pen)
    ink = glyphs(rng, character)
    height = HEIGHT * size
    scale = height / len(ink)
    wide = max(2.0, min(ink.shape[1] * scale * hand.wide * hand.habit(character).wide, 1.4 * height))
    shift = hand.slant * height
    matrix = np.array([[wide / ink.shape[1], -hand.slant * scale, max(shift, 0)], [0, scale, 0]], np.float32)
    shape = (int(wide + abs(shift)) + 2, int(height) + 1)
    return _trimmed(cv2.warpAffine(ink, matrix, shape, flags=cv2.INTER_LINEAR)), ROOM + HEIGHT - height


def _trimmed(ink: Ink) -> Ink:
    """Without the empty columns at the sides."""
    columns = np.flatnonzero(ink.max(axis=0) > 0.1)
    return ink[:, columns[0] : columns[-1] + 1] if columns.size else ink


def _mark(rng: Rng, character: str, pen: float) -> tuple[Ink, float]:
    """A dot, comma or dash as the pen makes it, and the row of its top."""
    pen = max(3.0, pen)
    if character in ".,'":
        tall = pen * (rng.uniform(1.6, 3.0) if character in ",'" else rng.uniform(0.8, 1.5))
        points = [(0.0, 0.0), (-rng.uniform(0, 0.7) * (tall - pen), tall - pen)]
        y = rng.normal(0.25, 0.08) if character == "'" else rng.normal(0.97, 0.07)
        if character == "." and rng.random() < 0.2:  # a short dash
            points[1] = (rng.uniform(0, 2) * pen, rng.uniform(-1, 1) * pen)
        return _drawn(rng, [points], pen * rng.uniform(1.0, 1.5)), ROOM + y * HEIGHT - tall / 2
    long = rng.uniform(0.2, 0.9) * HEIGHT
    rise = rng.normal(0, 0.08) * long
    lines = [[(0.0, 0.0), (long / 2, -rise / 2 + rng.normal(0, 0.04) * long), (long, -rise)]]
    if character == "~":
        lines = [[(0.0, 0.0), (long / 3, -0.12 * long), (2 * long / 3, 0.08 * long), (long, -0.05 * long)]]
    if character == "=":
        lines.append([(x + rng.normal(0, 2), y + rng.uniform(0.12, 0.3) * HEIGHT) for x, y in lines[0]])
    return _drawn(rng, lines, pen), ROOM + rng.uniform(0.3, 0.8) * HEIGHT


def _drawn(rng: Rng, lines: list[list[tuple[float, float]]], pen: float) -> Ink:
    points = [np.asarray(line) for line in lines]
    every = np.concatenate(points)
    room = pen / 2 + 1
    low, high = every.min(axis=0) - room, every.max(axis=0) + room
    canvas = np.zeros(np.ceil(high - low).astype(int)[::-1] + 1, np.uint8)
    for line in points:
        fixed = np.rint((line - low) * 16).astype(np.int32)
        cv2.polylines(canvas, [fixed[:, None]], False, 255, max(1, round(pen)), cv2.LINE_AA, 4)
    return _trimmed(np.asarray(canvas.astype(np.float32) / np.float32(255), np.float32))


def _place(edge: npt.NDArray[np.float64], ink: Ink, gap: float, before: tuple[int, int, int, int] | None) -> int:
    """The left column at which `ink` comes within `gap` of the ink that stands already, row by row."""
    solid = ink > 0.3
    first = np.where(solid.any(axis=1), solid.argmax(axis=1), FAR)
    if before is None:
        return 2
    near = cv2.dilate(edge.reshape(-1, 1).astype(np.float32), np.ones((9, 1), np.uint8)).ravel()  # also aslant
    left = float((near - first).max()) + 1 + gap
    least = before[0] + (before[2] - before[0]) * (1 - DEEPEST)
    if left < -FAR / 2:  # no row in common
        left = before[2] + gap
    return max(2, round(max(left, least)))


def _move_edge(edge: npt.NDArray[np.float64], rows: slice, left: int, ink: Ink) -> None:
    solid = ink > 0.3
    last = np.where(solid.any(axis=1), left + ink.shape[1] - 1 - solid[:, ::-1].argmax(axis=1), -FAR)
    edge[rows] = np.maximum(edge[rows], last)


def _join(rng: Rng, canvas: Ink, left: tuple[int, int, int, int], right: tuple[int, int, int, int], pen: float) -> None:
    """A stroke from the right part of one digit to the left part of the next, as a pen that is not lifted leaves."""
    at = rng.choice([rng.uniform(0.0, 0.3), rng.uniform(0.7, 1.0)])
    ends = []
    for box, share in ((left, rng.uniform(0.6, 0.95)), (right, rng.uniform(0.05, 0.4))):
        column = round(box[0] + share * (box[2] - box[0]))
        rows = np.flatnonzero(canvas[box[1] : box[3], min(column, canvas.shape[1] - 1)] > 0.5)
        y = box[1] + (rows[round(at * (len(rows) - 1))] if rows.size else at * (box[3] - box[1]))
        ends.append((int(column), int(y)))
    cv2.line(canvas, ends[0], ends[1], 1.0, max(1, round(pen)), cv2.LINE_AA)
