"""Characters of fonts as ink, for signs that are no digits and for digits as handwriting fonts have them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from pendigit.writing.pens import HEIGHT, Ink, cropped


@lru_cache(maxsize=256)
def open_font(path: Path) -> Any:
    """A font file (TTF, OTF, WOFF, WOFF2) at the size in which capitals are about 64 pixels tall."""
    from PIL import ImageFont

    return ImageFont.truetype(str(path), round(HEIGHT * 1.4))


def draw_character(path: Path, character: str) -> Ink | None:
    """One character of a font: ink (h, w), cropped; None where the font has no such character or only an empty one."""
    font = open_font(path)
    mask = font.getmask(character, mode="L")
    ink = np.asarray(np.asarray(mask).reshape(mask.size[::-1]) / 255, np.float32)
    missing = font.getmask("\uffff", mode="L")
    if not ink.size or ink.max() < 0.5 or (mask.size == missing.size and bytes(mask) == bytes(missing)):
        return None
    return cropped(ink)
