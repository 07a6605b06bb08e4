"""From characters to the row that is reported: digits with their places in the picture, groups, separators."""

from __future__ import annotations

from pendigit.reading.obeying import Chosen
from pendigit.reading.page import Page
from pendigit.reading.pieces import Piece
from pendigit.reading.recognise import Character, SeenRow, row_height
from pendigit.reading.rows import groups_of
from pendigit.reading.rules import Rules
from pendigit.reading.separators import find_separators
from pendigit.results import PlacedDigit, Row


def row_of(chosen: Chosen, seen: SeenRow, page: Page, pieces: list[Piece], rules: Rules) -> Row:
    """What rules chose for a row of a page -> the row that is reported."""
    if chosen.path is None:
        return Row((), (), chosen.ruled)
    groups, placed = _placed(seen.along(chosen.path), page, pieces, "")
    return Row((rules.dress(chosen.path.text),) if rules.pattern else groups, placed, chosen.ruled)


def row_from(characters: list[Character], page: Page, pieces: list[Piece], keep: str) -> Row | None:
    """A row of characters -> its digits, and the separators kept, in groups; None where none is a digit."""
    return Row(*_placed(characters, page, pieces, keep)) if any(each.is_digit for each in characters) else None


def _placed(
    characters: list[Character], page: Page, pieces: list[Piece], keep: str
) -> tuple[tuple[str, ...], tuple[PlacedDigit, ...]]:
    """Characters of which at least one is a digit -> the row's groups of text, and its digits in the picture."""
    found = (character for character in characters if character.is_digit)
    digits = sorted(found, key=lambda character: character.piece.middle[0])
    placed = tuple(
        PlacedDigit.at(page.box_in_picture(each.piece[:4]), each.probabilities, each.digitness, each.ruled)
        for each in digits
    )
    row = [digit.piece for digit in digits]
    height = row_height(row)
    texts = {piece: str(digit.digit) for piece, digit in zip(row, placed, strict=True)}
    texts |= dict(find_separators([character.piece for character in characters], pieces, height, keep))
    groups = groups_of(sorted(texts, key=lambda piece: piece.middle[0]), height)
    return tuple("".join(texts[piece] for piece in group) for group in groups), placed
