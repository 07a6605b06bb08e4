"""The page to draw on, as hands use it: mouse, finger, keys and photos."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import pytest
from playwright.sync_api import Page, expect

from browsing import Pages, Serving, reads, serious
from hands import draw, touch
from written_pages import page as written_page

Keep = Callable[[Page, str], None]
PROMPT = 100  # milliseconds from the pen's lifting to the number
BARE = 3  # milliseconds that the barest request takes where the machine has no other work


@cache
def photo() -> bytes:
    """A photographed page with two rows of digits, which the shipped network reads surely."""
    picture = written_page(1, rows=("3141", "2718")).picture
    small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR))[1].tobytes()


def give(page: Page, content: bytes = b"") -> None:
    """Choose a photo."""
    page.set_input_files("#file", {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": content or photo()})


def test_207_drawn_with_the_mouse(open_page: Pages, keep: Keep) -> None:
    page = open_page()
    keep(page, "empty")
    draw(page, "207")
    reads(page, "207")
    expect(page.locator(".boxes .box")).to_have_count(3)
    expect(page.locator(".bars .best b")).to_have_text("7")
    shares = page.locator("#number button").nth(0).locator(".ten i")
    assert shares.count() == 10
    assert sum(
        float(share.get_attribute("style").split(":")[1].strip(" ;")) for share in shares.all()
    ) == pytest.approx(1, abs=1e-3)
    keep(page, "drawn")
    assert serious(page) == []
    page.click("#undo")
    reads(page, "20")
    page.click("#clear")
    reads(page, "")
    page.keyboard.press("Control+z")
    reads(page, "20")


def test_a_scribble_is_no_digit(open_page: Pages) -> None:
    page = open_page()
    draw(page, "2x7")
    reads(page, "27")
    expect(page.locator(".boxes .other")).to_have_text("no digit")
    page.click("#clear")
    draw(page, "x")
    expect(page.locator(".result .none")).to_have_text("No digit")


BARE_REQUESTS = """async () => {
    const times = [];
    for (let at = 0; at < 10; at++) {
        const began = performance.now();
        await fetch("healthz");
        times.push(performance.now() - began);
    }
    return times;
}"""


def test_the_number_comes_promptly(open_page: Pages) -> None:
    page = open_page()
    page.evaluate(
        """() => {
            window.delays = [];
            let lifted = null;
            addEventListener("pointerup", ({ timeStamp }) => (lifted = timeStamp), true);
            new MutationObserver(() => lifted && delays.push(performance.now() - lifted) && (lifted = null))
              .observe(document.querySelector("#number"), { childList: true });
        }"""
    )
    for at in range(6):
        draw(page, "1", left=20 + 130 * at)
        reads(page, "1" * (at + 1))
    busy = max(1.0, min(page.evaluate(BARE_REQUESTS)) / BARE)
    assert min(page.evaluate("delays")) < PROMPT * busy


def test_a_finger_on_a_phone(open_page: Pages, keep: Keep) -> None:
    page = open_page(width=390, height=780, has_touch=True, is_mobile=True, color_scheme="dark")
    touch(page, "207")
    reads(page, "207")
    keep(page, "phone")
    assert serious(page) == []
    for view in ("#read", "#inside", "corrections.html"):
        page.goto(page.url.partition("#")[0].removesuffix("corrections.html") + view)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, view


def test_dark_mode_is_dark_and_reads_alike(open_page: Pages, keep: Keep) -> None:
    page = open_page(color_scheme="dark")
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(part) for part in colour.strip("rgb()").split(",")) < 60
    draw(page, "420")
    reads(page, "420")
    keep(page, "dark")
    assert serious(page) == []


def test_a_photo_is_read_box_by_box(open_page: Pages, keep: Keep, tmp_path: Path) -> None:
    page = open_page(permissions=("clipboard-read", "clipboard-write"))
    give(page)
    reads(page, "31412718")
    page.locator(".boxes .box").nth(4).click()
    expect(page.locator("#number [aria-pressed='true'] b")).to_have_text("2")
    assert page.locator(".frame").get_attribute("src").startswith("data:image/png;base64,")
    keep(page, "photo")
    assert serious(page) == []
    page.click("#copy")
    expect(page.locator(".notice")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "3141\n2718"
    saved = {}
    for name in ("csv", "json"):
        with page.expect_download() as download:
            page.click(f"#{name}")
        saved[name] = Path(download.value.path()).read_text()
    assert [line.split(",")[:2] for line in saved["csv"].splitlines()] == [
        ["row", "number"],
        ["1", "3141"],
        ["2", "2718"],
    ]
    assert json.loads(saved["json"])["text"] == "3141\n2718"
    page.click("#draw")
    reads(page, "")


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_a_photo_is_pasted_or_dropped(way: str, open_page: Pages) -> None:
    page = open_page()
    page.evaluate(
        """([way, content]) => {
            const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], "photo.jpg", { type: "image/jpeg" }));
            document.body.dispatchEvent(way === "paste"
              ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true })
              : new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
        }""",
        [way, base64.b64encode(photo()).decode()],
    )
    reads(page, "31412718")


def test_a_photo_is_taken(open_page: Pages) -> None:
    page = open_page()
    page.click("#camera")
    page.click(".shutter")
    expect(page.locator("#draw")).to_be_visible()  # which it is while a photo is shown
    assert page.locator(".photo img").evaluate("(image) => image.naturalWidth") > 0


def test_what_cannot_be_read_is_said(open_page: Pages) -> None:
    page = open_page()
    give(page, b"no photo at all")
    expect(page.locator(".notice")).to_contain_text("cannot show that file")
    draw(page, "4")
    reads(page, "4")


def test_keys_alone(open_page: Pages) -> None:
    page = open_page()
    for _ in range(9):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "pad":
            break
    for keys in ("Space", *["ArrowRight"] * 5, *["ArrowDown"] * 11, "Space"):
        page.keyboard.press(keys)
    reads(page, "7")
    while page.evaluate("document.activeElement.closest('#number') === null"):
        page.keyboard.press("Tab")
    page.keyboard.press("1")
    reads(page, "1")
    page.keyboard.press("7")  # it was right
    reads(page, "7")


def test_the_server_goes_away_and_comes_back(open_page: Pages, tmp_path: Path) -> None:
    serving = Serving(tmp_path)
    page = open_page(at=serving)
    draw(page, "2")
    reads(page, "2")
    serving.kill()
    draw(page, "0", left=180)
    expect(page.locator(".notice")).to_contain_text("The server is away")
    serving.start()
    reads(page, "20")
    expect(page.locator(".notice")).to_be_hidden()
    serving.kill()


def test_a_token_is_asked_for(open_page: Pages, tmp_path: Path) -> None:
    token = "quite-a-long-secret"
    serving = Serving(tmp_path, "--token", token)
    page = open_page(at=serving)
    draw(page, "7")
    page.fill("#door input", token)
    page.keyboard.press("Enter")
    reads(page, "7")
    serving.kill()
