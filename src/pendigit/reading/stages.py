"""How a page is read, stage by stage, each stage's result kept so that it can be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pendigit.classifier import Classifier
from pendigit.errors import ImageError, UsageError
from pendigit.ink import Grey
from pendigit.reading.light import Ink, find_ink
from pendigit.reading.lines import find_lines, without_lines
from pendigit.reading.page import Page, flat_page
from pendigit.reading.pieces import Piece, Pieces, find_pieces
from pendigit.reading.recognise import Character, read_rows, row_height
from pendigit.reading.rows import find_rows, groups_of
from pendigit.reading.separators import MARKS, find_separators
from pendigit.reading.sheet import Sheet, find_sheet
from pendigit.reading.skew import find_skew
from pendigit.results import PlacedDigit, Reading, Row

Region: TypeAlias = tuple[int, int, int, int]  # left, top, width, height in pixels of the upright picture


@dataclass(frozen=True)
class Stages:
    """Everything on the way from a picture to its reading; see the stage's own file for each."""

    picture: npt.NDArray[np.uint8]
    sheet: Sheet | None
    page: Page
    skew: float
    ink: Ink
    lines: Grey
    pieces: Pieces
    rows: list[list[Piece]]
    characters: list[list[Character]]
    reading: Reading


def read_stages(
    picture: npt.NDArray[np.uint8], classifier: Classifier, region: Region | None = None, keep: str = ""
) -> Stages:
    """An upright picture (H, W) or (H, W, 3) RGB uint8 -> its reading, and all that led to it.

    `keep` holds the separators that are reported, any of ".,-". Raises ImageError if the region lies outside the
    picture, UsageError for other characters to keep.
    """
    if set(keep) - set(MARKS):
        raise UsageError(f"separators {keep!r}", f"any of {MARKS}", "leave the others out")
    part = picture if region is None else _cut(picture, region)
    sheet = find_sheet(part)
    page = flat_page(part, sheet)
    if region is not None:
        page = page.moved(region[0], region[1], picture.shape)
    ink = find_ink(page.grey, page.enlarged)
    skew = find_skew(ink.mask)
    if skew:
        page = page.levelled(skew)
        ink = find_ink(page.grey, page.enlarged)
    lines = find_lines(ink.traces)
    height = find_pieces(without_lines(ink.mask, ink.ink, lines), ink.ink).height
    lines = find_lines(ink.traces, height)
    pieces = find_pieces(without_lines(ink.mask, ink.ink, lines), ink.ink)
    rows = find_rows(pieces.pieces, pieces.height)
    characters = read_rows(rows, ink.ink, pieces.labels, classifier)
    found = (_row(row, page, pieces.pieces, keep) for row in characters)
    reading = Reading(tuple(row for row in found if row is not None))
    return Stages(part, sheet, page, skew, ink, lines, pieces, rows, characters, reading)


def _cut(picture: npt.NDArray[np.uint8], region: Region) -> npt.NDArray[np.uint8]:
    left, top, width, height = region
    rows, columns = picture.shape[:2]
    if min(left, top) < 0 or min(width, height) < 2 or left + width > columns or top + height > rows:
        raise ImageError(
            f"the region {left},{top},{width},{height} of a picture of {columns}x{rows} pixels",
            "x,y,width,height inside the picture, at least 2x2",
            "measure it in the upright picture",
        )
    return picture[top : top + height, left : left + width]


def _row(characters: list[Character], page: Page, pieces: list[Piece], keep: str) -> Row | None:
    """A row of characters -> its digits, and the separators kept, in groups; None where none is a digit."""
    digits = [character for character in characters if character.is_digit]
    if not digits:
        return None
    placed = tuple(PlacedDigit.at(page.box_in_picture(digit.piece[:4]), digit.probabilities) for digit in digits)
    row = [digit.piece for digit in digits]
    height = row_height(row)
    texts = {piece: str(digit.digit) for piece, digit in zip(row, placed, strict=True)}
    texts |= dict(find_separators([character.piece for character in characters], pieces, height, keep))
    groups = groups_of(sorted(texts, key=lambda piece: piece.middle[0]), height)
    return Row(tuple("".join(texts[piece] for piece in group) for group in groups), placed)
