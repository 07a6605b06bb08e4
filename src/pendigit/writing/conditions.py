"""What may stand in the way of reading a page, each with a strength from 0 (not at all) to 1 (a person still reads)."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class Conditions:
    """Strengths, 0 to 1.

    Attributes:
        slope: Light that falls off across the page.
        shadow: A hand's or a phone's shadow with a soft edge.
        grain: The noise of a dark room's camera, and rough paper.
        blur: Out of focus.
        compression: JPEG.
        faint: A pale pen or a hard pencil.
        texture: A dry pen: gaps in its strokes.
        ruled: Ruled lines.
        squared: Squared paper.
        boxed: A printed box around each digit.
        stains: Coffee, creases, specks.
        tilt: Rows that are neither level nor straight, digits that jump.
        skew: A page laid askew.
        perspective: A camera held askew.
        colour: Coloured paper and pens.
        spacing: Uneven gaps between digits.
        desk: The sheet lies on a desk; the more, the smaller in the picture.
        inverted: From a half on, light writing on a dark ground.
    """

    slope: float = 0.0
    shadow: float = 0.0
    grain: float = 0.0
    blur: float = 0.0
    compression: float = 0.0
    faint: float = 0.0
    texture: float = 0.0
    ruled: float = 0.0
    squared: float = 0.0
    boxed: float = 0.0
    stains: float = 0.0
    tilt: float = 0.0
    skew: float = 0.0
    perspective: float = 0.0
    colour: float = 0.0
    spacing: float = 0.0
    desk: float = 0.0
    inverted: float = 0.0


NAMES = tuple(field.name for field in fields(Conditions))
EXCLUSIVE = ("ruled", "squared", "boxed")  # a paper has one print
ALWAYS = ("slope", "grain", "blur", "compression", "tilt", "spacing")  # no photo is free of these
MILD = 0.35  # how strong they are at most on every page
CHANCE = 0.2  # that another condition is met, at any strength
RARE = {"inverted": 0.08, "desk": 0.15}  # as in the photos that people take


def random_conditions(rng: np.random.Generator) -> Conditions:
    """The conditions of a photo: a little of what all photos have, and some strong ones."""
    strengths = {name: float(rng.uniform(0, MILD)) for name in ALWAYS}
    for name in NAMES:
        if rng.random() < RARE.get(name, CHANCE):
            strengths[name] = float(rng.uniform(0.5, 1) if name == "inverted" else rng.uniform(0.1, 1))
    prints = [name for name in EXCLUSIVE if name in strengths]
    for name in prints[1:]:
        del strengths[name]
    return Conditions(**strengths)
