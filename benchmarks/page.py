"""How promptly the page answers a pen: from its lifting to the number, and how smoothly it draws.

    python benchmarks/page.py

Chromium and the server run on this machine. Printed on 2 cores: see docs/benchmarks.md.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from browsing import Serving
from hands import draw

STROKES = 40
WATCH = """() => {
    window.delays = [];
    window.frames = [];
    window.work = [];
    let lifted = null;
    addEventListener("pointerup", ({ timeStamp }) => (lifted = timeStamp), true);
    new MutationObserver(() => lifted && delays.push(performance.now() - lifted) && (lifted = null))
      .observe(document.querySelector("#number"), { childList: true });
    let down = false;
    addEventListener("pointerdown", () => (down = true), true);
    addEventListener("pointerup", () => (down = false), true);
    let last = performance.now();
    const tick = (now) => { if (down) frames.push(now - last); last = now; requestAnimationFrame(tick); };
    requestAnimationFrame(tick);
    let began = 0;
    addEventListener("pointermove", () => (began = performance.now()), true);
    addEventListener("pointermove", () => down && work.push(performance.now() - began));
}"""


def measure(page: Page) -> None:
    """Draw sevens, six on a sheet, and print what the page measured."""
    page.evaluate(WATCH)
    for at in range(STROKES):
        if at % 6 == 0 and at:
            page.click("#clear")
        draw(page, "7", left=10 + 130 * (at % 6))
        page.wait_for_timeout(300)
    delays, frames, work = (np.array(page.evaluate(name)) for name in ("delays", "frames", "work"))
    print(f"pen lifts to number, ms: {spread(delays)} of {len(delays)}")
    print(f"one pointer event, ms: {spread(work)} of {len(work)}")
    print(f"frames while drawing, ms: {spread(frames)}; {np.mean(frames < 17.5):.0%} within a 60th of a second")


def spread(values: np.ndarray) -> str:
    """The least, the median and the 95th percentile."""
    return f"least {values.min():.1f}, median {np.median(values):.1f}, p95 {np.percentile(values, 95):.1f}"


def main() -> None:
    """Start both, measure, end both."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        serving = Serving(Path(folder))
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--disable-gpu"])
        page = chromium.new_page(viewport={"width": 1280, "height": 720})
        page.set_default_timeout(120_000)
        page.goto(serving.address)
        draw(page, "1")
        page.wait_for_selector("#number button")
        page.click("#clear")
        measure(page)
        chromium.close()
        serving.kill()


if __name__ == "__main__":
    main()
