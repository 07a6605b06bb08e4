"""Words beside numbers: few of their pieces of ink are digits, by which they are told and left out.

The row network knows no letters and takes all for digits, so it never gets to see them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from pendigit.reading.pieces import Piece
from pendigit.reading.recognise import LONG_TAIL, CutRow, row_height

ReadCut: TypeAlias = Callable[[list[list[Piece]]], Sequence[CutRow]]

APART = 0.8  # of the lower one's height: wider gaps part words and numbers
LOWEST = 0.6  # of the row's height: what is lower is a dot, a comma or a crumb
USUAL = 0.75  # how surely a number's characters are digits, at least
SHORT = 0.4  # characters: a number may lack so much of that in all; numbers with digits that touch lack less
PIECES = 3  # from which on each is asked by itself too: of fewer, all may be digits that touch
FEW = 2  # words: with as many on a page, every group may be one
SURE, SURER = 0.8, 0.95  # how surely a number's characters are digits there, and those of one of fewer pieces
LETTERS = 4  # pieces that a word has where it is the only one
TEXT = 10  # letters: a page with as many is no row of digits that was taken for several


class Numbers(NamedTuple):
    """Rows of pieces without words, as they were cut and read, and how many words and letters were left out."""

    rows: list[list[Piece]]
    read: Sequence[CutRow]
    words: int = 0
    letters: int = 0

    def left_out(self, of: list[list[Piece]]) -> int:
        """How many pieces of some rows the words had."""
        return sum(map(len, of)) - sum(map(len, self.rows))


class _Group(NamedTuple):
    """Pieces that stand together, how many characters they make, and how surely these are digits."""

    pieces: list[Piece]
    characters: int
    digitness: float
    is_whole: bool  # of characters so tall the row shows a part, which tells nothing

    def is_word(self, among_words: bool) -> bool:
        """Whether it is too unlike a number; of one character alone no more can be said."""
        lacking = self.characters * (USUAL - self.digitness)
        unlike = self.characters > 1 and lacking > SHORT
        enough = SURE if len(self.pieces) >= PIECES else SURER
        return self.is_whole and (unlike or (among_words and self.digitness < enough))


def find_numbers(rows: list[list[Piece]], read: ReadCut) -> Numbers:
    """Rows of pieces, and what cuts and reads them -> what of them may be numbers.

    Small print beside large writing tells how tall the row is, so that without it the rest is seen otherwise.
    """
    found = first = Numbers(rows, read(rows))
    while True:
        fewer = _without_words(found)
        if fewer.words == found.words:
            break
        found = fewer._replace(read=read(fewer.rows))
    if found.words < FEW and found.left_out(rows) < LETTERS:  # digits that touch
        return first._replace(read=read(rows)) if found.words else first
    return found


def _without_words(found: Numbers) -> Numbers:
    groups = [_groups(row, seen) for row, seen in zip(found.rows, found.read, strict=True)]
    every = [group for of_row in groups for group in of_row]
    many = found.words + sum(group.is_word(among_words=False) for group in every) >= FEW or _are_letters(every)
    words = [group for group in every if group.is_word(many)]
    rows = [[piece for group in of_row if group not in words for piece in group.pieces] for of_row in groups]
    letters = sum(group.characters for group in words)
    return Numbers([row for row in rows if row], found.read, found.words + len(words), found.letters + letters)


def _are_letters(groups: list[_Group]) -> bool:
    """Whether most characters are no digits, be they single ones: signs, or noise."""
    count = sum(group.characters for group in groups)
    return count >= TEXT and 2 * sum(group.characters * group.digitness for group in groups) < count


def _groups(row: list[Piece], read: CutRow) -> list[_Group]:
    height = row_height(row)
    groups: list[list[Piece]] = []
    right = -np.inf
    for piece in sorted(row, key=lambda piece: piece.left):
        lower = min(row_height(groups[-1]), piece.height) if groups else height
        if piece.left - right > APART * max(lower, LOWEST * height):
            groups.append([])
        groups[-1].append(piece)
        right = max(right, piece.right)
    return [_group(pieces, read, height) for pieces in groups]


def _group(pieces: list[Piece], read: CutRow, height: float) -> _Group:
    left, right = pieces[0].left, max(piece.right for piece in pieces)
    characters = [each for each in read.characters if left <= each.piece.middle[0] <= right]
    digitness = float(np.mean([each.digitness for each in characters])) if characters else 0.0
    if len(pieces) >= PIECES:
        digitness = (digitness + float(np.mean([read.digitness_of(piece) for piece in pieces]))) / 2
    is_whole = row_height(pieces) <= LONG_TAIL * height
    return _Group(pieces, max(1, len(characters)), digitness, is_whole)
