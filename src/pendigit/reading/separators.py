"""Dots, commas and dashes in a row: no digits, but some numbers need them."""

from __future__ import annotations

import numpy as np

from pendigit.reading.pieces import Piece

MARKS = ".,-"
DOT = 0.3  # of the row's height: a dot's size at most
LEAST_DOT = 0.06  # of the row's height: less is a speck
LOW = 0.25  # of the row's height around its baseline, where dots stand and commas begin
LONGER = 1.4  # times: a comma is taller than wide, a dash wider than tall
NEIGHBOURS = 3  # characters, whose feet are the baseline there
DASH = (0.2, 1.2)  # of the row's height: a dash's length
MIDDLE = (0.2, 0.85)  # of the row's height from its top: where dashes are


def find_separators(row: list[Piece], pieces: list[Piece], height: float, keep: str) -> list[tuple[Piece, str]]:
    """The marks of `keep` (any of ".,-") among the pieces beside and between a row's characters, from left to right."""
    if not keep:
        return []
    taken = {label for character in row for label in character.labels}
    found = []
    for piece in pieces:
        mark = None if taken & set(piece.labels) else _mark(piece, row, height)
        if mark is not None and mark in keep:
            found.append((piece, mark))
    return sorted(found, key=lambda pair: pair[0].left)


def _mark(piece: Piece, row: list[Piece], height: float) -> str | None:
    x, y = piece.middle
    nearest = min(row, key=lambda character: abs(character.middle[0] - x))
    if abs(nearest.middle[0] - x) > 1.5 * height:
        return None
    tall = [character for character in row if character.height >= height / 2]
    near = sorted(tall or row, key=lambda character: abs(character.middle[0] - x))[:NEIGHBOURS]
    bottom = float(np.median([character.bottom for character in near]))
    top = bottom - height
    if piece.width >= LONGER * piece.height and DASH[0] * height <= piece.width <= DASH[1] * height:
        return "-" if MIDDLE[0] * height <= y - top <= MIDDLE[1] * height else None
    if not LEAST_DOT * height <= max(piece.width, piece.height) <= 1.5 * DOT * height:
        return None
    if abs(piece.top - bottom) > LOW * height and abs(piece.bottom - bottom) > LOW * height:
        return None
    if piece.height >= LONGER * piece.width:
        return ","
    return "." if max(piece.width, piece.height) <= DOT * height else None
