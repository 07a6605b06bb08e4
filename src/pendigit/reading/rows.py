"""Rows of writing: characters joined from pieces, and characters linked from left to right."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pendigit.reading.pieces import Piece

Floats: TypeAlias = npt.NDArray[np.float64]

TALL = 0.25  # of the writing's height: what is lower is a part of a digit, a dot or a dash
SOLID = 0.65  # of a box filled with ink: dots are, and small digits are not
SMALL = 0.5  # of the writing's height: what is lower and solid is a dot or a dash
STACKED = 0.5  # of the narrower piece's width that two parts of one digit share
BROKEN = 0.17  # of the writing's height: the gap between the halves of a broken digit
HIGHEST = 1.3  # times as tall as the taller half, or as the writing, is what they make
NEAR = 0.3  # of the writing's height: the gap between a digit and its loose part
LOWEST_ROW = 0.55  # of the writing's height
FAR = 5.0  # writing's heights: columns further apart are linked by their line
SHARED = 0.35  # of the smaller height that neighbours in a row share
SLOPE = 0.35  # a row rises by less than this, about 20 degrees
LEVEL = 0.6  # writing's heights: how far the parts of one row may lie off its line
GROUP = 2.0  # times the usual pitch of the row: a wider gap starts a group
LEAST_GROUP = 1.2  # writing's heights: and a gap narrower than this never does


def find_rows(pieces: list[Piece], height: float, single: bool = False) -> list[list[Piece]]:
    """Pieces, and the height of writing -> rows from top to bottom, characters from left to right.

    Where it is known that there is but one row, all characters are in it.
    """
    tall = [piece for piece in pieces if _is_tall(piece, height)]
    small = [piece for piece in pieces if not _is_tall(piece, height)]
    characters = _join_small(_join_stacked(tall, height), small, height)
    if single:
        return [sorted(characters, key=lambda piece: piece.middle[0])] if characters else []
    rows = [row for row in _merge_columns(_chains(characters, height), height) if _is_writing(row, height)]
    return sorted(rows, key=lambda row: float(np.mean([piece.middle[1] for piece in row])))


def _is_writing(row: list[Piece], height: float) -> bool:
    """Whether a row is as tall as the page's writing; lower ones are stains, creases and remains of lines."""
    return max(piece.height for piece in row) >= LOWEST_ROW * height


def groups_of(row: list[Piece], height: float) -> list[list[Piece]]:
    """A row's characters in groups, parted by gaps much wider than the row's others."""
    if len(row) < 2:
        return [row]
    gaps = [right.left - left.right for left, right in pairwise(row)]
    pitches = [right.middle[0] - left.middle[0] for left, right in pairwise(row)]
    usual = float(np.median(pitches))
    groups = [[row[0]]]
    for piece, gap, pitch in zip(row[1:], gaps, pitches, strict=True):
        if pitch > GROUP * usual and gap > LEAST_GROUP * height:
            groups.append([])
        groups[-1].append(piece)
    return groups


def _is_tall(piece: Piece, height: float) -> bool:
    """Whether a piece may be a digit by its size alone."""
    if piece.height < TALL * height:
        return False
    return piece.height >= SMALL * height or piece.area < SOLID * piece.width * piece.height


def _join_stacked(tall: list[Piece], height: float) -> list[Piece]:
    """Join pieces that nearly touch above one another, such as the halves of a broken 3."""
    joined: list[Piece] = []
    for piece in sorted(tall, key=lambda piece: -piece.area):
        for index, other in enumerate(joined):
            both = other.joined(piece)
            near = _shared(piece, other) >= STACKED and _gap(piece, other) <= BROKEN * height
            if near and both.height <= HIGHEST * max(height, other.height, piece.height):
                joined[index] = both
                break
        else:
            joined.append(piece)
    return joined


def _join_small(tall: list[Piece], small: list[Piece], height: float) -> list[Piece]:
    """Join loose parts, such as the bar of a 5, to the character they overhang."""
    characters = list(tall)
    for part in sorted(small, key=lambda piece: -piece.area):
        best = min(range(len(characters)), key=lambda index: _gap(part, characters[index]), default=None)
        if best is not None and _gap(part, characters[best]) <= NEAR * height:
            other = characters[best]
            both = other.joined(part)
            if _shared(part, other) >= STACKED / 2 and both.height <= 1.4 * max(height, other.height):
                characters[best] = both
    return characters


def _shared(one: Piece, other: Piece) -> float:
    """The width that two pieces share, of the narrower one's."""
    shared = min(one.right, other.right) - max(one.left, other.left)
    return shared / max(1, min(one.width, other.width))


def _gap(one: Piece, other: Piece) -> float:
    """The distance of two boxes."""
    across = max(0, max(one.left, other.left) - min(one.right, other.right))
    down = max(0, max(one.top, other.top) - min(one.bottom, other.bottom))
    return float(np.hypot(across, down))


def _chains(characters: list[Piece], height: float) -> list[list[Piece]]:
    """Link each character with the next one on its right, the nearest pairs first."""
    boxes = np.array([character[:4] for character in characters], np.float64).reshape(-1, 4)
    links: list[tuple[float, int, int]] = []
    for i in range(len(characters)):
        costs = _link_costs(i, boxes, height)
        links.extend((float(costs[j]), i, int(j)) for j in np.flatnonzero(np.isfinite(costs)))
    after: dict[int, int] = {}
    before: dict[int, int] = {}
    for _, i, j in sorted(links):
        if i not in after and j not in before:
            after[i], before[j] = j, i
    chains = []
    for start in range(len(characters)):
        if start not in before:
            chain = [start]
            while chain[-1] in after:
                chain.append(after[chain[-1]])
            chains.append([characters[index] for index in chain])
    return chains


def _link_costs(one: int, boxes: Floats, height: float) -> Floats:
    """How unlike a neighbour on its right each box (n, 4) is of one of them, in writing's heights; else infinite.

    What lies off the line counts twice: the next digit of a row is nearer than the one below it.
    """
    left, top, right, bottom = boxes.T
    away = (left + right - left[one] - right[one]) / 2
    off = np.abs([(top + bottom - top[one] - bottom[one]) / 2, top - top[one], bottom - bottom[one]])
    down = off.min(axis=0)  # tails hang down, some stand
    gap = np.maximum(0, left - right[one])
    shared = np.minimum(bottom, bottom[one]) - np.maximum(top, top[one])
    least = SHARED * np.minimum(bottom - top, bottom[one] - top[one]) - SLOPE * gap
    linked = (away > 0) & (away <= FAR * height) & (down <= SLOPE * away + 0.3 * height) & (shared >= least)
    return np.asarray(np.where(linked, (gap + 0.5 * away + 2 * down) / height, np.inf))


def _merge_columns(chains: list[list[Piece]], height: float) -> list[list[Piece]]:
    """Merge chains that continue one another's line across a gap, such as two columns of numbers."""
    rows = sorted(chains, key=lambda row: -len(row))
    while True:
        merged: list[list[Piece]] = []
        lines: list[tuple[float, float]] = []
        for row in rows:
            x, y = np.mean([piece.middle for piece in row], axis=0)
            for index, other in enumerate(merged):
                slope, at = lines[index]
                if _beside(other, row) and abs(slope * x + at - y) <= LEVEL * height:
                    merged[index] = sorted(other + row, key=lambda piece: piece.middle[0])
                    lines[index] = _line(merged[index])
                    break
            else:
                merged.append(row)
                lines.append(_line(row))
        if len(merged) == len(rows):
            return merged
        rows = merged


def _beside(row: list[Piece], other: list[Piece]) -> bool:
    return row[-1].middle[0] < other[0].left or other[-1].middle[0] < row[0].left


def _line(row: list[Piece]) -> tuple[float, float]:
    """The line through a row's middles: slope and height at x = 0; level for fewer than four characters."""
    x, y = np.array([piece.middle for piece in row]).T
    if len(row) < 4:
        return 0.0, float(y.mean())
    slope, at = np.polyfit(x, y, 1)
    return float(slope), float(at)
