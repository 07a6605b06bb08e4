"""Filled forms: laid onto their template, print taken away, and each field read by its rules."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.errors import ImageError
from pendigit.ink import Grey, square, to_grey, uint8
from pendigit.reading.align import PRESENT, Aligned, align, find_print
from pendigit.reading.election import read_found
from pendigit.reading.light import Ink, find_ink
from pendigit.reading.lines import find_lines, without_lines
from pendigit.reading.networks import Networks
from pendigit.reading.obeying import add_up, choose
from pendigit.reading.page import Page, flat_page
from pendigit.reading.pieces import Piece, Pieces, find_pieces
from pendigit.reading.placing import row_of
from pendigit.reading.recognise import SeenRow
from pendigit.reading.rows import find_rows
from pendigit.reading.sheet import Matrix
from pendigit.reading.template import Field, Template
from pendigit.results import Form, Row, Ruled

EMPTY = Row((), (), Ruled("", obeys=False))  # a field in which nothing is written
SPREAD = 5  # pixels: the square by which print is widened before it is taken away; scan and form agree to 2 pixels


class _Filled(NamedTuple):
    """A filled form: its page in the reference's place, its ink, all its print, its handwriting."""

    page: Page
    ink: Ink
    print_: Grey
    pieces: Pieces


def read_form(template: Template, picture: npt.NDArray[np.uint8], networks: Networks) -> Form:
    """A template and an upright picture (H, W) or (H, W, 3) RGB uint8 of the form filled -> its numbers.

    Raises ImageError if the picture shows another form, or not all of its fields.
    """
    aligned = _aligned(template, picture)
    filled = _filled(template, picture, aligned.to_scan)
    written = {field.name: _own(field, filled, template) for field in template.fields}
    names = [name for name, pieces in written.items() if pieces]
    dark = filled.page.dark(filled.ink.light_on_dark)
    rows = [written[name] for name in names]
    seen = read_found(rows, dark, filled.ink.ink, filled.print_, filled.pieces.labels, networks)
    found = _obeying(template.fields, dict(zip(names, seen, strict=True)), filled)
    return Form({field.name: found.get(field.name, EMPTY) for field in template.fields}, aligned.present)


def _aligned(template: Template, picture: npt.NDArray[np.uint8]) -> Aligned:
    aligned = align(find_print(to_grey(template.picture)), to_grey(picture), [each.region for each in template.fields])
    if aligned is None:
        raise ImageError(
            f"the scan does not match {template.name}",
            f"the same form, {PRESENT:.0%} of its print to be seen, in all and around each field",
            "check which form it is, or scan it again, flat and whole",
        )
    rows, columns = picture.shape[:2]
    for field in template.fields:
        left, top, width, height = field.region
        corners = [[left, top], [left + width, top], [left + width, top + height], [left, top + height]]
        mapped = cv2.perspectiveTransform(np.array([corners], np.float32), aligned.to_scan)[0]
        if mapped.min() < -1 or (mapped > (columns + 1, rows + 1)).any():
            raise ImageError(f"the scan cuts off the field {field.name}", "all fields on it", "scan the whole form")
    return aligned


def _filled(template: Template, picture: npt.NDArray[np.uint8], to_scan: Matrix) -> _Filled:
    """The scan as if it lay where the reference does, and its ink without the print."""
    blank = flat_page(template.picture, None)
    page = _laid(picture, to_scan @ blank.to_picture, blank.grey.shape)
    ink = find_ink(page.grey, page.enlarged)
    print_ = cv2.bitwise_and(cv2.dilate(find_ink(blank.grey, blank.enlarged).traces, square(SPREAD)), ink.mask)
    lines = uint8(cv2.bitwise_or(find_lines(ink.traces), print_))
    return _Filled(page, ink, lines, find_pieces(without_lines(ink.mask, ink.ink, lines), ink.ink))


def _laid(picture: npt.NDArray[np.uint8], matrix: Matrix, shape: tuple[int, ...]) -> Page:
    """The page whose pixels a matrix maps to the picture's."""
    grey = to_grey(picture)
    step = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))  # the picture's pixels to one of the page's
    if step > 2:  # sampling between few pixels would let grain through
        grey = uint8(cv2.blur(grey, (round(step),) * 2))
    flags = (cv2.INTER_LINEAR if step > 1 else cv2.INTER_CUBIC) | cv2.WARP_INVERSE_MAP
    flat = cv2.warpPerspective(grey, matrix, shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return Page(uint8(flat), matrix, (picture.shape[1], picture.shape[0]))


def _own(field: Field, filled: _Filled, template: Template) -> list[Piece]:
    """A field's characters from left to right: those whose middle lies in its region."""
    scale = filled.page.grey.shape[1] / template.picture.shape[1]
    left, top, width, height = (side * scale for side in field.region)
    inside = [
        piece
        for piece in filled.pieces.pieces
        if left <= piece.middle[0] < left + width and top <= piece.middle[1] < top + height
    ]
    rows = find_rows(inside, filled.pieces.height, single=True)
    return rows[0] if rows else []


def _obeying(fields: tuple[Field, ...], seen: dict[str, SeenRow], filled: _Filled) -> dict[str, Row]:
    """The rows of the fields that say something, sums and what they add chosen together."""
    rules = {field.name: field.rules for field in fields}
    chosen = {name: choose(0, row, rules[name]) for name, row in seen.items()}
    chosen = {name: found for name, found in chosen.items() if found.ruled.unruled}
    for field in fields:
        names = [*field.sum_of, field.name]
        if field.sum_of and all(name in chosen for name in names):
            found = add_up([(0, seen[name], rules[name]) for name in names])
            chosen |= dict(zip(names, found, strict=True))
    pieces = filled.pieces.pieces
    return {name: row_of(found, seen[name], filled.page, pieces, rules[name]) for name, found in chosen.items()}
