"""Corrections: one key, kept by the server, shown on a page of their own."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browsing import Pages, Serving, reads, serious
from hands import draw


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server that has kept nothing yet, nor does when a test has ended."""
    serving = Serving(tmp_path_factory.mktemp("own"))
    yield serving
    serving.kill()


def corrections(page: Page, own: Serving, count: int) -> list[Any]:
    """What the server keeps, once it is so many: the page shows a correction before the server has it."""
    for _ in range(100):
        kept = page.request.get(f"{own.address}/v1/corrections").json()
        if kept["count"] == count:
            break
        page.wait_for_timeout(50)
    assert kept["count"] == count
    return list(kept["corrections"])


def test_a_digit_is_corrected_kept_shown_and_forgotten(
    open_page: Pages, own: Serving, keep: Callable[[Page, str], None]
) -> None:
    page = open_page(at=own)
    draw(page, "217")
    reads(page, "217")
    page.keyboard.press("1")  # of the last digit, which is chosen
    reads(page, "211")
    page.locator("#number button").nth(0).click()
    page.locator(".bars button").nth(3).click()
    reads(page, "311")
    draw(page, "0", left=440)
    reads(page, "3110")  # what was corrected stays so while drawing goes on
    keep(page, "corrected")
    kept = corrections(page, own, 2)
    assert [(each["digit"], each["read"]) for each in kept] == [(1, 7), (3, 2)]

    page.click("text=Corrections")
    cards = page.locator(".cards li")
    expect(cards).to_have_count(2)
    for at in range(2):
        expect(cards.nth(at).locator("img")).to_have_attribute("src", re.compile("^blob:"))
    keep(page, "corrections")
    assert serious(page) == []
    page.click("#filter button:has-text('3')")
    expect(cards).to_have_count(1)
    with page.expect_download() as download:
        page.click("#export")
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as archive:
        assert sorted(name.split("/")[0] for name in archive.namelist()) == ["1", "3"]
    cards.nth(0).locator("button").click()
    expect(cards).to_have_count(0)
    page.click("#filter button:has-text('All')")
    expect(cards).to_have_count(1)
    cards.nth(0).locator("button").click()
    expect(cards).to_have_count(0)


def test_a_correction_is_taken_back(open_page: Pages, own: Serving) -> None:
    page = open_page(at=own)
    draw(page, "7")
    reads(page, "7")
    page.keyboard.press("4")
    reads(page, "4")
    page.keyboard.press("7")
    reads(page, "7")
    assert corrections(page, own, 0) == []
