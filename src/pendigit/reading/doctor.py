"""Why a page was read as it was: what each stage found, in words and in one picture."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.ink import square
from pendigit.reading.light import GRAINY
from pendigit.reading.overlay import draw_overlay
from pendigit.reading.pieces import belonging
from pendigit.reading.recognise import Character
from pendigit.reading.stages import Stages

Pixels: TypeAlias = npt.NDArray[np.uint8]  # (H, W, 3) RGB

FAINT = 60  # of 255, contrast of the ink: a quarter of the paper's light
SMALL = 14  # pixels: the height of a digit in the photo below which its loops close
UNSURE = 0.7  # probability
PANEL = 640  # pixels: the longer side of one stage's picture
CAPTION = 40  # pixels above it
GAP = 12  # pixels between pictures
GROUND = (250, 250, 248)
WORDS = (40, 40, 40)
MARK = (213, 94, 0)  # RGB


def diagnose(stages: Stages) -> list[str]:
    """What was found on a page and what would help, the most important first. Never empty."""
    if stages.count == 0:
        return [_nothing(stages), *_about_page(stages)]
    rows = len(stages.reading.rows)
    head = f"{stages.count} digit{'s' * (stages.count > 1)} in {rows} row{'s' * (rows > 1)}"
    return [head, *_about_ink(stages), *_about_digits(stages), *_about_page(stages)]


def _nothing(stages: Stages) -> str:
    if not stages.pieces.pieces:
        return (
            "no digit here: nothing is written on the page; if something is, its ink is too faint: take a closer photo"
        )
    count = sum(map(len, stages.characters)) or len(stages.pieces.pieces)
    return f"no digit here: {count} pieces of ink were found, and none looks like a digit; crop to the writing"


def _about_ink(stages: Stages) -> list[str]:
    found = []
    ink = stages.ink.ink[stages.ink.mask > 0]
    if ink.size and np.median(ink) < FAINT:
        found.append("ink too faint: write with a darker pen, or photograph in better light")
    if stages.ink.noise > GRAINY:
        found.append("the photo is grainy: photograph in better light")
    heights = [digit.box[3] - digit.box[1] for row in stages.reading.rows for digit in row.digits]
    if np.median(heights) < SMALL:
        found.append(f"digits are small, {np.median(heights):.0f} pixels: take a closer photo")
    return found


def _about_digits(stages: Stages) -> list[str]:
    found = []
    touching = sum(_touch(one, other, stages) for row in stages.characters for one, other in pairwise(row))
    if touching:
        found.append(f"digits touch: {_counted(touching, 'pair')} cut apart; leave a gap between them")
    rejected = sum(not each.is_digit for row in stages.characters for each in row)
    if rejected:
        found.append(f"{_counted(rejected, 'piece')} of ink in the rows left out: like no digit")
    found += [
        f"row {number}, digit {place} is rejected: {digit.doubt}"
        for number, row in enumerate(stages.reading.rows, 1)
        for place, digit in enumerate(row.digits, 1)
        if digit.doubt is not None
    ]
    unsure = sum(digit.probability < UNSURE for row in stages.reading.rows for digit in row.digits)
    if unsure:
        found.append(f"{_counted(unsure, 'digit')} unsure: look again")
    return found


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _touch(one: Character, other: Character, stages: Stages) -> bool:
    """Whether two digits were one piece of ink before it was cut."""
    parts = (*one.piece.labels, *other.piece.labels)
    if not (one.is_digit and other.is_digit and max(parts, default=0) > stages.pieces.highest):
        return False
    both = one.piece.joined(other.piece)
    window = stages.pieces.labels[both.top : both.bottom, both.left : both.right]
    grown = cv2.dilate(belonging(window, one.piece.labels).astype(np.uint8), square(3)) > 0
    return bool((grown & belonging(window, other.piece.labels)).any())


def _about_page(stages: Stages) -> list[str]:
    found = []
    if stages.sheet is not None:
        found.append("a sheet was found on a desk and seen from above")
    if stages.turned:
        found.append(f"the page is {'upside down' if stages.turned == 2 else 'sideways'}: it was turned")
    if stages.skew:
        found.append(f"the page is askew by {abs(stages.skew):.1f} degrees: it was levelled")
    if stages.ink.light_on_dark:
        found.append("the writing is light on dark")
    if stages.lines.any():
        found.append("ruled lines or boxes were removed")
    return found


def draw_stages(stages: Stages) -> Pixels:
    """One picture (H, W, 3) RGB of all stages, two rows of three, each under its name."""
    panels = [
        ("photo", _with_sheet(stages)),
        ("flat page", _rgb(stages.page.grey)),
        ("ink", _rgb(255 - stages.ink.ink)),
        ("lines removed", _with_lines(stages)),
        ("pieces and rows", _with_pieces(stages)),
        ("reading", draw_overlay(stages.photo.shown(), stages.reading)),
    ]
    drawn = [_panel(name, picture) for name, picture in panels]
    return np.vstack([_beside(drawn[:3]), _beside(drawn[3:])])


def _beside(panels: list[Pixels]) -> Pixels:
    """Panels of different heights in one row."""
    tallest = max(len(panel) for panel in panels)
    ground = np.array(GROUND, np.uint8)
    below = [np.broadcast_to(ground, (tallest - len(panel), panel.shape[1], 3)) for panel in panels]
    return np.hstack([np.vstack(pair) for pair in zip(panels, below, strict=True)])


def _rgb(picture: npt.NDArray[np.uint8]) -> Pixels:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB), np.uint8) if picture.ndim == 2 else picture.copy()


def _with_sheet(stages: Stages) -> Pixels:
    picture = _rgb(stages.picture)
    if stages.sheet is not None:
        corners = stages.sheet.corners.round().astype(np.int32)
        cv2.polylines(picture, [corners], True, MARK, max(2, max(picture.shape) // 200), cv2.LINE_AA)
    return picture


def _with_lines(stages: Stages) -> Pixels:
    picture = _rgb(255 - stages.ink.mask)
    picture[stages.lines > 0] = MARK
    return picture


def _with_pieces(stages: Stages) -> Pixels:
    picture = _rgb(stages.page.grey)
    thick = max(1, max(picture.shape) // 500)
    for piece in stages.pieces.pieces:
        cv2.rectangle(picture, piece[:2], piece[2:4], (150, 150, 150), thick)
    for row in stages.characters:
        middles = np.array([each.piece.middle for each in row]).round().astype(np.int32)
        cv2.polylines(picture, [middles], False, (0, 114, 178), thick, cv2.LINE_AA)
        for each in row:
            cv2.rectangle(picture, each.piece[:2], each.piece[2:4], (0, 158, 115) if each.is_digit else MARK, thick)
    return picture


def _panel(name: str, picture: Pixels) -> Pixels:
    """A stage's picture under its name."""
    from PIL import Image, ImageDraw, ImageFont

    scale = PANEL / max(picture.shape[:2])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    fitted = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    canvas = Image.new("RGB", (PANEL + 2 * GAP, size[1] + CAPTION + 2 * GAP), GROUND)
    ImageDraw.Draw(canvas).text((GAP, GAP), name, WORDS, ImageFont.load_default(24))
    canvas.paste(Image.fromarray(np.asarray(fitted, np.uint8)), (GAP, GAP + CAPTION))
    return np.asarray(canvas)
