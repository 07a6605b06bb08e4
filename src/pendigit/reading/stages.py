"""How a page is read, stage by stage, each stage's result kept so that it can be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from pendigit.errors import ImageError, UsageError
from pendigit.ink import Grey
from pendigit.reading.election import read_either
from pendigit.reading.light import Ink, find_ink, plain_ink
from pendigit.reading.lines import find_lines, without_lines
from pendigit.reading.networks import Networks
from pendigit.reading.obeying import Chosen, obey
from pendigit.reading.page import Page, flat_page, same_page
from pendigit.reading.pieces import Piece, Pieces, find_pieces
from pendigit.reading.recognise import Character, SeenRow, row_height
from pendigit.reading.rows import find_rows, groups_of
from pendigit.reading.rules import PageRules, Rules
from pendigit.reading.separators import MARKS, find_separators
from pendigit.reading.sheet import Sheet, find_sheet
from pendigit.reading.skew import find_skew
from pendigit.results import PlacedDigit, Reading, Row

CLEAR = 0.8  # mean clarity of a page's characters: a page so clear is not tried sideways
CLEARER = 0.2  # and one that is not must be as much clearer sideways: a wrong turn spoils all of it
FEWEST = 3  # digits that must be so clear
Region: TypeAlias = tuple[int, int, int, int]  # left, top, width, height in pixels of the upright picture


@dataclass(frozen=True)
class Stages:
    """Everything on the way from a picture to its reading; see the stage's own file for each.

    `turned` counts the quarters by which a page that lay sideways was turned clockwise.
    """

    picture: npt.NDArray[np.uint8]
    sheet: Sheet | None
    turned: int
    page: Page
    skew: float
    ink: Ink
    lines: Grey
    pieces: Pieces
    rows: list[list[Piece]]
    seen: Sequence[SeenRow]
    reading: Reading

    @property
    def characters(self) -> list[list[Character]]:
        """Each row's most likely characters."""
        return [row.characters for row in self.seen]

    @property
    def count(self) -> int:
        """How many digits were read."""
        return sum(len(row.digits) for row in self.reading.rows)

    @property
    def clarity(self) -> float:
        """How clearly the page's characters are digits: their mean probability times digitness, 0 to 1."""
        clear = [float(each.probabilities.max()) * each.digitness for row in self.characters for each in row]
        return float(np.mean(clear)) if clear else 0.0


class _Asked(NamedTuple):
    """How a page is read: by which networks, which separators are kept, whether it is known to have but one row."""

    networks: Networks
    keep: str
    single: bool


def read_stages(
    picture: npt.NDArray[np.uint8],
    networks: Networks,
    region: Region | None = None,
    keep: str = "",
    drawn: bool = False,
    rules: PageRules | None = None,
) -> Stages:
    """An upright picture (H, W) or (H, W, 3) RGB uint8 -> its reading, and all that led to it.

    `keep` holds the separators that are reported, any of ".,-". `drawn` says that it was drawn on a screen; `rules`
    what the numbers must obey. Raises ImageError if the region lies outside the picture, or there are fewer rows than
    the rules say; UsageError for other characters to keep.
    """
    stages = _read(picture, region, drawn, _Asked(networks, keep, rules is not None and rules.rows == 1))
    return stages if rules is None else _obeying(stages, rules)


def _obeying(stages: Stages, rules: PageRules) -> Stages:
    """The stages with a reading that obeys the rules."""
    rows = (
        row_of(chosen, stages.seen[chosen.row], stages.page, stages.pieces.pieces, rules.number)
        for chosen in obey(stages.seen, rules)
    )
    return replace(stages, reading=Reading(tuple(rows)))


def row_of(chosen: Chosen, seen: SeenRow, page: Page, pieces: list[Piece], rules: Rules) -> Row:
    """What rules chose for a row of a page -> the row that is reported."""
    if chosen.path is None:
        return Row((), (), chosen.ruled)
    groups, placed = _placed(seen.along(chosen.path), page, pieces, "")
    return Row((rules.dress(chosen.path.text),) if rules.pattern else groups, placed, chosen.ruled)


def _read(picture: npt.NDArray[np.uint8], region: Region | None, drawn: bool, asked: _Asked) -> Stages:
    if set(asked.keep) - set(MARKS):
        raise UsageError(f"separators {asked.keep!r}", f"any of {MARKS}", "leave the others out")
    part = picture if region is None else _cut(picture, region)
    sheet = None if drawn else find_sheet(part)
    page = same_page(part) if drawn else flat_page(part, sheet)
    if region is not None:
        page = page.moved(region[0], region[1], picture.shape)
    if drawn:
        return _read_drawing(part, page, asked)
    upright = _read_page(part, sheet, page, asked)
    if upright.clarity >= CLEAR:
        return upright
    turned = (_read_page(part, sheet, page.turned(quarters), asked, quarters) for quarters in (1, 3))
    best = max(turned, key=lambda stages: stages.clarity)
    return best if best.clarity >= upright.clarity + CLEARER and best.count >= FEWEST else upright


def _read_page(
    picture: npt.NDArray[np.uint8], sheet: Sheet | None, page: Page, asked: _Asked, turned: int = 0
) -> Stages:
    """Read a flat page as it stands."""
    ink = find_ink(page.grey, page.enlarged)
    skew = find_skew(ink.mask)
    if skew:
        page = page.levelled(skew)
        ink = find_ink(page.grey, page.enlarged)
    lines = find_lines(ink.traces)
    height = find_pieces(without_lines(ink.mask, ink.ink, lines), ink.ink).height
    lines = find_lines(ink.traces, height)
    pieces = find_pieces(without_lines(ink.mask, ink.ink, lines), ink.ink)
    rows, seen, reading = _read_pieces(pieces, page, ink, lines, asked)
    return Stages(picture, sheet, turned, page, skew, ink, lines, pieces, rows, seen, reading)


def _read_drawing(picture: npt.NDArray[np.uint8], page: Page, asked: _Asked) -> Stages:
    """Read what was drawn on a screen: on plain paper all ink is writing, so that no light or lines are looked for."""
    ink = plain_ink(page.grey)
    pieces = find_pieces(ink.mask, ink.ink)
    lines = np.zeros_like(ink.mask)
    rows, seen, reading = _read_pieces(pieces, page, ink, lines, asked)
    return Stages(picture, None, 0, page, 0.0, ink, lines, pieces, rows, seen, reading)


def _read_pieces(
    pieces: Pieces, page: Page, ink: Ink, lines: Grey, asked: _Asked
) -> tuple[list[list[Piece]], Sequence[SeenRow], Reading]:
    """Pieces of ink -> their rows, what was seen in these, and the reading."""
    rows = find_rows(pieces.pieces, pieces.height, asked.single)
    dark = page.dark(ink.light_on_dark)
    seen = read_either(rows, dark, ink.ink, lines, pieces.labels, asked.networks)
    found = (_row(row.characters, page, pieces.pieces, asked.keep) for row in seen)
    return rows, seen, Reading(tuple(row for row in found if row is not None))


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
    return Row(*_placed(characters, page, pieces, keep)) if any(each.is_digit for each in characters) else None


def _placed(
    characters: list[Character], page: Page, pieces: list[Piece], keep: str
) -> tuple[tuple[str, ...], tuple[PlacedDigit, ...]]:
    """Characters of which at least one is a digit -> the row's groups of text, and its digits in the picture."""
    digits = [character for character in characters if character.is_digit]
    placed = tuple(
        PlacedDigit.at(page.box_in_picture(each.piece[:4]), each.probabilities, each.ruled) for each in digits
    )
    row = [digit.piece for digit in digits]
    height = row_height(row)
    texts = {piece: str(digit.digit) for piece, digit in zip(row, placed, strict=True)}
    texts |= dict(find_separators([character.piece for character in characters], pieces, height, keep))
    groups = groups_of(sorted(texts, key=lambda piece: piece.middle[0]), height)
    return tuple("".join(texts[piece] for piece in group) for group in groups), placed
