"""How a page is read, stage by stage, each stage's result kept so that it can be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pendigit.classifier import Classifier
from pendigit.errors import ImageError
from pendigit.ink import Grey
from pendigit.reading.light import Ink, find_ink
from pendigit.reading.lines import find_lines, without_lines
from pendigit.reading.page import Page, flat_page
from pendigit.reading.pieces import Piece, Pieces, find_pieces
from pendigit.reading.recognise import Character, read_rows, row_height
from pendigit.reading.rows import find_rows, groups_of
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


def read_stages(picture: npt.NDArray[np.uint8], classifier: Classifier, region: Region | None = None) -> Stages:
    """An upright picture (H, W) or (H, W, 3) RGB uint8 -> its reading, and all that led to it.

    Raises ImageError if the region lies outside the picture.
    """
    part = picture if region is None else _cut(picture, region)
    sheet = find_sheet(part)
    page = flat_page(part, sheet)
    if region is not None:
        page = page.moved(region[0], region[1], picture.shape)
    ink = find_ink(page.grey)
    skew = find_skew(ink.mask)
    if skew:
        page = page.levelled(skew)
        ink = find_ink(page.grey)
    lines = find_lines(ink.traces)
    height = find_pieces(without_lines(ink.mask, ink.ink, lines), ink.ink).height
    lines = find_lines(ink.traces, height)
    pieces = find_pieces(without_lines(ink.mask, ink.ink, lines), ink.ink)
    rows = find_rows(pieces.pieces, pieces.height)
    characters = read_rows(rows, ink.ink, pieces.labels, classifier)
    reading = Reading(tuple(row for row in (_row(row, page) for row in characters) if row is not None))
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


def _row(characters: list[Character], page: Page) -> Row | None:
    """A row of characters -> its digits, in groups; None where none is a digit."""
    digits = {character.piece: character for character in characters if character.is_digit}
    if not digits:
        return None
    placed = {
        piece: PlacedDigit.at(page.box_in_picture(piece[:4]), character.probabilities)
        for piece, character in digits.items()
    }
    groups = groups_of(list(digits), row_height(list(digits)))
    return Row(tuple("".join(str(placed[piece].digit) for piece in group) for group in groups), tuple(placed.values()))
