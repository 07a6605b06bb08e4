"""Draw the pictures of docs/reading.md: a written page, read, and all the stages on the way."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import pendigit
from pendigit.reading.doctor import draw_stages
from pendigit.reading.overlay import draw_overlay
from pendigit.reading.stages import read_stages
from pendigit.writing.conditions import Conditions
from pendigit.writing.glyphs import glyphs_of
from pendigit.writing.pages import write_page

IMAGES = Path(__file__).parents[1] / "docs" / "images"
CONDITIONS = Conditions(slope=0.4, shadow=0.5, grain=0.2, squared=0.5, tilt=0.3, colour=0.8, desk=0.5)
WIDTH = 900  # pixels: of the overlay in the page

COLOURS = 96  # of the pictures' palettes: a quarter of the bytes


def save(path, picture):
    """Write a picture with a palette."""
    Image.fromarray(picture).quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


_, (frames, labels) = pendigit.load_data("mini")
page = write_page(np.random.default_rng(4), glyphs_of(frames, labels), CONDITIONS, ("31415926", "2718", "16180339"))
stages = read_stages(page.picture, pendigit.load_reader().networks)
overlay = draw_overlay(page.picture, stages.reading)
height = round(len(overlay) * WIDTH / overlay.shape[1])
save(IMAGES / "reading-overlay.png", cv2.resize(overlay, (WIDTH, height), interpolation=cv2.INTER_AREA))
drawn = draw_stages(stages)
small = cv2.resize(drawn, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
save(IMAGES / "reading-stages.png", small)
print(stages.reading.text)
