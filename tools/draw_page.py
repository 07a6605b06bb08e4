"""Draw the figures of the page to draw on: a written number, and the look inside the network that reads it."""

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from pendigit.writing.forms import write

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "browser"))
from browsing import Serving, reads  # noqa: E402 - the tests' hands and eyes
from hands import pull  # noqa: E402

FIGURES = ROOT / "docs" / "figures"
NUMBER = "20749"
SIZE = {"width": 1200, "height": 720}
TALL = 190  # pixels: of a digit
WIDE = 110  # pixels: at most
PITCH = 148  # pixels: from a digit to the next
COLOURS = 128  # of the pictures' palettes: a quarter of the bytes


def keep(page, name):
    """Publish what the page shows."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    path = FIGURES / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def strokes(page, left, top):
    """The number as one hand writes it, in the window's pixels."""
    rng = np.random.default_rng(11)
    sheet = page.locator(".pad").bounding_box()
    for at, digit in enumerate(NUMBER):
        curves = write(rng, int(digit))
        low, high = (edge(np.concatenate(curves), axis=0) for edge in (np.min, np.max))
        scale = min(TALL / (high[1] - low[1]), WIDE / (high[0] - low[0]))
        corner = (sheet["x"] + left + PITCH * at, sheet["y"] + top)
        yield from (((curve - low) * scale + corner).tolist() for curve in curves)


with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
    serving = Serving(Path(folder))
    chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--disable-gpu"])
    page = chromium.new_page(viewport=SIZE)
    page.set_default_timeout(120_000)
    expect.set_options(timeout=120_000)
    page.goto(serving.address)
    pull(page, strokes(page, left=70, top=120))
    reads(page, NUMBER)
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)
    keep(page, "page")
    page.locator("#number button").nth(2).click()
    page.click("text=Look inside")
    expect(page.locator(".sums .best b")).to_have_text(NUMBER[2])
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)
    keep(page, "inside")
    chromium.close()
    serving.kill()
