"""Printed forms, empty and filled: a title, labelled fields with lines or boxes, and numbers written into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.writing.conditions import Conditions
from pendigit.writing.glyphs import Glyph, Layer
from pendigit.writing.pages import INKS, photograph, sized, view

Region: TypeAlias = tuple[int, int, int, int]  # left, top, width, height in pixels

WIDTH, HEIGHT = 850, 1100  # pixels: a letter-size sheet at 100 dots an inch
MARGIN, TOP, PITCH = 70, 230, 110  # pixels: of the sheet's left, of the first field, from field to field
FIELD = 60  # pixels: a field's height
DIGIT = 38  # pixels: the height of digits in it
PLACE = 46  # pixels: the width of one digit's place
LABEL = 0.8  # size of the labels' print
PRINT = 0.75  # of the paper's light that print takes


@dataclass(frozen=True)
class PrintedForm:
    """An empty form.

    Attributes:
        print_: (H, W) float32, where there is print: 0 to 1.
        regions: Name -> the region of its field.
    """

    print_: Layer
    regions: dict[str, Region]

    @property
    def picture(self) -> npt.NDArray[np.uint8]:
        """The empty form as its printer sees it, (H, W) uint8."""
        return np.asarray(np.rint(255 * (1 - PRINT * self.print_)), np.uint8)


def print_form(title: str, places: Mapping[str, int], boxed: bool = False) -> PrintedForm:
    """A title, and each field's name and number of places -> the empty form; fields have a line, or a box a digit."""
    print_ = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.putText(print_, title, (MARGIN, 120), cv2.FONT_HERSHEY_COMPLEX, 1.6, 255, 3, cv2.LINE_AA)
    cv2.rectangle(print_, (30, 30), (WIDTH - 30, HEIGHT - 30), 255, 2)
    regions = {}
    for index, (name, count) in enumerate(places.items()):
        left, top = MARGIN + 260, TOP + index * PITCH
        cv2.putText(print_, name, (MARGIN, top + 42), cv2.FONT_HERSHEY_SIMPLEX, LABEL, 255, 2, cv2.LINE_AA)
        for place in range(count) if boxed else ():
            corner = (left + place * PLACE, top)
            cv2.rectangle(print_, corner, (corner[0] + PLACE, top + FIELD), 255, 2)
        cv2.line(print_, (left, top + FIELD), (left + count * PLACE, top + FIELD), 255, 2)
        regions[name] = (left - 6, top - 6, count * PLACE + 12, FIELD + 12)
    return PrintedForm((print_ / 255).astype(np.float32), regions)


def fill_form(
    rng: np.random.Generator, glyph: Glyph, form: PrintedForm, values: Mapping[str, str], conditions: Conditions
) -> npt.NDArray[np.uint8]:
    """Write numbers into fields, and photograph the form under `conditions` -> (H, W, 3) RGB uint8."""
    ink = np.zeros_like(form.print_)
    for name, value in values.items():
        left, top, _, _ = form.regions[name]
        for place, character in enumerate(value):
            shape = sized(rng, glyph(rng, int(character)), DIGIT, conditions)
            x = left + 6 + place * PLACE + round((PLACE - shape.shape[1]) / 2)
            y = top + FIELD - shape.shape[0] + int(rng.integers(-4, 3))
            part = ink[y : y + shape.shape[0], x : x + shape.shape[1]]
            np.maximum(part, shape[: part.shape[0], : part.shape[1]], out=part)
    paper = np.ones((*form.print_.shape, 3), np.float32) * np.float32(0.95)
    paper *= (1 - PRINT * form.print_)[:, :, None]
    pen = np.array(INKS[rng.integers(len(INKS))], np.float32)
    sheet = paper + (pen - paper) * ink[:, :, None]
    matrix, size = view(rng, (form.print_.shape[1], form.print_.shape[0]), conditions)
    return photograph(rng, np.asarray(sheet, np.float32), matrix, size, conditions)
