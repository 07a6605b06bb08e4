"""Rows read in several ways, whole and cut into digits: which reading is taken, and what all of them say together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pendigit.classifier import DIGITS
from pendigit.ink import Grey
from pendigit.reading.lattice import Lattice, Path
from pendigit.reading.networks import Networks
from pendigit.reading.pieces import Labels, Piece
from pendigit.reading.recognise import LEAST, Character, CutRow, SeenRow, read_rows, text_of
from pendigit.reading.sequences import read_strips
from pendigit.reading.strips import cut_strips, whole_strip
from pendigit.reading.words import TEXT, Numbers, find_numbers
from pendigit.rownet import RowNetwork

CLEAR = 0.9  # so clear are digits beside words in a row alone
STRIP, CUT = 0.8, 0.2  # of the reading from side to side, on a picture of one row: it alone needs no pieces to be found
LONGEST = 24  # times the height of a row that is read from side to side: twice as long as the network was taught
ASTRAY = -15.0  # nats: a reading that finds another's text less likely has gone astray, and says no more against it
AMONG_THREE = -5.0  # the same where two others are there to tell
# So many of the numbers that stand alone have first digits of which each is as likely; those of the others, amounts
# and counts, are distributed as Benford found (1938, "The law of anomalous numbers"), a third of them 1.
CODES = 0.5
FIRST = np.log(CODES + (1 - CODES) * 10 * np.array([0.0, *np.log10(1 + 1 / np.arange(1, 10))]))  # nats, 0 is usual
RUNNER_UP = 0.02  # probability from which another first digit is considered


class Seen(NamedTuple):
    """What is seen in a page's numbers, a row of pieces each; and how many characters its words have, left out."""

    rows: list[list[Piece]]
    seen: Sequence[SeenRow]
    letters: int = 0


def read_either(
    rows: list[list[Piece]], dark: Grey, ink: Grey, lines: Grey, labels: Labels, networks: Networks
) -> Seen:
    """Rows of pieces on a page (H, W) -> what is seen in them. `labels` is written to.

    A picture may also be one row cut out, on paper whose print breaks the row's pieces up: then it is read from side to
    side too.
    """
    if networks.rows is None or not rows:
        return Seen(rows, read_rows(rows, ink, labels, networks.digits))
    uncut = labels.copy()  # cut pieces get other labels, and strips need whole ones

    def read_cut(rows: list[list[Piece]]) -> Sequence[CutRow]:
        np.copyto(labels, uncut)
        return read_rows(rows, ink, labels, networks.digits)

    numbers = find_numbers(rows, read_cut)
    alone = len(rows) == 1 and dark.shape[1] <= LONGEST * len(dark)
    if alone and not _is_beside_words(rows[0], numbers):
        (cut,) = read_cut(rows) if numbers.letters else numbers.read
        return Seen(rows, [_read_alone(rows[0], cut, dark, lines, uncut, networks.rows)])
    rows, cuts, _, letters = numbers
    strips = cut_strips(rows, dark, uncut, lines)
    if alone or letters >= TEXT:
        return Seen(rows, _elected(read_strips(rows, strips, uncut, networks.rows), cuts, alone), letters)
    every = sorted((piece for row in rows for piece in row), key=lambda piece: piece.left)
    *read, whole = read_strips([*rows, every], [*strips, whole_strip(dark)], uncut, networks.rows)
    is_one_row = clarity([whole]) > max(clarity(read), clarity(cuts))
    return Seen(rows, [whole] if is_one_row else _elected(read, cuts), letters)


def _is_beside_words(row: list[Piece], numbers: Numbers) -> bool:
    """Whether a row that is all of a picture has words: without them the rest is clear, or nothing is left of many.

    Patterned paper makes digits look like letters too, but then little is left, and that is not clear.
    """
    if not numbers.rows:
        return numbers.left_out([row]) >= TEXT
    return numbers.letters > 0 and clarity(numbers.read) >= CLEAR


def _read_alone(row: list[Piece], cut: CutRow, dark: Grey, lines: Grey, labels: Labels, network: RowNetwork) -> SeenRow:
    every = sorted(row, key=lambda piece: piece.left)
    strips = [*cut_strips([row], dark, labels, lines), whole_strip(dark)]
    read, whole = read_strips([row, every], strips, labels, network)
    across = [(1.0, whole)] if whole.characters or not read.characters else []  # else it does not see the row
    return Elected([(STRIP, read), *across, (CUT, cut)], AMONG_THREE, alone=True)


def _elected(read: Sequence[SeenRow], cuts: Sequence[SeenRow], alone: bool = False) -> list[SeenRow]:
    return [Elected([(1.0, one), (1.0, other)], alone=alone) for one, other in zip(read, cuts, strict=True)]


def read_across(pieces: list[Piece], dark: Grey, labels: Labels, rows: RowNetwork) -> SeenRow:
    """A page (H, W) that may be one row cut out, read from side to side; its pieces only tell where digits are."""
    every = sorted(pieces, key=lambda piece: piece.left)
    return Elected([(1.0, read_strips([every], [whole_strip(dark)], labels, rows)[0])], alone=True)


def read_found(
    rows: list[list[Piece]], dark: Grey, ink: Grey, lines: Grey, labels: Labels, networks: Networks
) -> Sequence[SeenRow]:
    """Rows of pieces that are surely rows -> what is seen in each. `labels` is written to."""
    if networks.rows is None or not rows:
        return read_rows(rows, ink, labels, networks.digits)
    read = read_strips(rows, cut_strips(rows, dark, labels, lines), labels, networks.rows)
    cut = read_rows(rows, ink, labels, networks.digits)
    return _elected(read, cut)


class Elected:
    """A row read in several ways: the text of one of them that is the most probable by all together.

    How clear its digits are tells nothing of those that a reading has left out; how probable the others' texts are to
    it does.

    Args:
        readings: Each with its weight. Where several say what is taken, rules search the weightiest, and the characters
            are the last one's: those that were cut out have the tighter boxes.
        astray: The least log-probability that counts against a text.
        alone: Whether the row stands alone, as numbers do in fields and on slips: then its first digit is more often
            low than high, which tells a 1 with a roof from a 7.

    Attributes:
        characters: The most likely reading, from left to right.
        is_cut: Whether these are characters that were cut out and seen by the digit network.
    """

    def __init__(self, readings: Sequence[tuple[float, SeenRow]], astray: float = ASTRAY, alone: bool = False) -> None:
        self._readings, self._astray, self._alone = readings, astray, alone
        texts = [text_of(reading) for _, reading in readings]
        best = max(dict.fromkeys(texts), key=self.log_probability)
        says = [reading for reading, text in zip(readings, texts, strict=True) if text == best]
        self._searched, self.characters = max(says, key=lambda reading: reading[0])[1], says[-1][1].characters
        self.is_cut = isinstance(says[-1][1], CutRow)
        if alone and len(best) > 1:
            self.characters = self._with_first(best)

    def _with_first(self, text: str) -> list[Character]:
        """The characters with the first digit that is the most probable before the others, in all readings."""
        firsts = [_first(reading).probabilities for _, reading in self._readings if len(text_of(reading)) == len(text)]
        likely = np.flatnonzero(np.max(firsts, axis=0) >= RUNNER_UP)
        beliefs = np.array([self.log_probability(f"{digit}{text[1:]}") for digit in likely])
        if likely[beliefs.argmax()] == int(text[0]):
            return self.characters
        chances, first = np.zeros(DIGITS, np.float32), _first(self)
        chances[likely] = np.exp(beliefs - np.logaddexp.reduce(beliefs))
        return [each._replace(probabilities=chances) if each is first else each for each in self.characters]

    @property
    def lattice(self) -> Lattice:
        """All that the searched reading may say."""
        return self._searched.lattice

    def log_probability(self, text: str) -> float:
        """That the row says just this, against other texts: the readings' mean, by their weights."""
        beliefs = [weight * max(self._astray, reading.log_probability(text)) for weight, reading in self._readings]
        before = float(FIRST[int(text[0])]) if self._alone and len(text) > 1 else 0.0
        return before + sum(beliefs) / sum(weight for weight, _ in self._readings)

    def along(self, path: Path) -> list[Character]:
        """The characters of another reading, a way through the lattice."""
        return self._searched.along(path)


def clarity(reading: Sequence[SeenRow]) -> float:
    """How clearly its characters are digits: the geometric mean of their probability times digitness, 0 to 1."""
    digits = [each for row in reading for each in row.characters if each.is_digit]
    clear = [float(each.probabilities.max()) * each.digitness for each in digits]
    return float(np.exp(np.log(np.maximum(clear, LEAST)).mean())) if clear else 0.0


def _first(row: Elected | SeenRow) -> Character:
    return next(each for each in row.characters if each.is_digit)
