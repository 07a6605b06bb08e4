"""What a hand does at the page: digits as strokes, drawn with a mouse or a finger."""

from __future__ import annotations

from collections.abc import Iterable
from math import cos, sin

from playwright.sync_api import Page

Point = tuple[float, float]
WIDE, TALL = 100, 160  # pixels: the box in which the strokes below are drawn
STROKES: dict[str, list[list[Point]]] = {
    "0": [[(50 + 42 * cos(-1.5 + step / 3), 80 + 75 * sin(-1.5 + step / 3)) for step in range(20)]],
    "1": [[(25, 40), (60, 5), (58, 80), (56, 155)]],
    "2": [[(8, 45), (20, 18), (50, 5), (80, 20), (82, 50), (60, 90), (10, 152), (55, 150), (95, 150)]],
    "4": [[(65, 5), (35, 50), (5, 100), (50, 100), (95, 98)], [(72, 55), (70, 100), (68, 158)]],
    "7": [[(10, 10), (50, 9), (95, 8), (75, 50), (55, 100), (40, 155)]],
    "x": [[(5, 5), (95, 155), (15, 150), (85, 10), (5, 80), (98, 70), (25, 20), (75, 158)]],  # a scribble
}


def places(page: Page, text: str, left: float = 30, top: float = 40, scale: float = 1.0) -> list[list[Point]]:
    """The strokes of a text on the sheet, in the window's pixels."""
    sheet = page.locator(".pad").bounding_box()
    assert sheet is not None
    return [
        [
            (sheet["x"] + left + scale * (x + 1.35 * WIDE * at), sheet["y"] + top + scale * y)
            for x, y in stroke
        ]
        for at, sign in enumerate(text)
        for stroke in STROKES[sign]
    ]  # fmt: skip


def draw(page: Page, text: str, left: float = 30, top: float = 40, scale: float = 1.0) -> None:
    """Draw with the mouse."""
    pull(page, places(page, text, left, top, scale))


def pull(page: Page, strokes: Iterable[Iterable[Point]]) -> None:
    """Pull the mouse along strokes, in the window's pixels."""
    for first, *rest in strokes:
        page.mouse.move(*first)
        page.mouse.down()
        for point in rest:
            page.mouse.move(*point)
        page.mouse.up()


def touch(page: Page, text: str, left: float = 20, top: float = 40, scale: float = 0.8) -> None:
    """Draw with a finger."""
    screen = page.context.new_cdp_session(page)
    for stroke in places(page, text, left, top, scale):
        for kind, points in [("touchStart", stroke[:1]), *(("touchMove", [point]) for point in stroke[1:])]:
            screen.send(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
            )
        screen.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
