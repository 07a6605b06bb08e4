"""A real server, a real browser, and a page in it that talks to nobody else."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from browsing import PATIENCE, Pages, Serving, complains

PICTURES = Path(__file__).parents[2] / "build" / "screenshots"  # kept to be looked at
# A camera that needs no permission, and drawing without a graphics card.
ARGUMENTS = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--disable-gpu"]


@pytest.fixture(scope="module")  # its event loop must not outlive the browser's tests: others run loops of their own
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium")  # the root conftest says so at the end, and how to install it
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    started = Serving(tmp_path_factory.mktemp("served"))
    yield started
    started.kill()


@pytest.fixture(scope="module")
def context(browser: Browser) -> Callable[..., BrowserContext]:
    """A context for each kind of window, as each starts a process; what a page keeps, it keeps for itself."""

    @cache
    def made(width: int, height: int, **options: Any) -> BrowserContext:
        return browser.new_context(viewport={"width": width, "height": height}, **options)

    return made


@pytest.fixture
def open_page(context: Callable[..., BrowserContext], server: Serving) -> Iterator[Pages]:
    """Opens pages of a server; at the end none of them may have complained or called another machine."""
    pages: list[Page] = []
    heard: list[str] = []

    def opened(path: str = "", at: Serving = server, width: int = 1280, height: int = 720, **options: Any) -> Page:
        page = context(width, height, **options).new_page()
        pages.append(page)
        page.set_default_timeout(PATIENCE)
        page.on(
            "request",
            lambda request: request.url.startswith((at.address, "blob:", "data:")) or heard.append(request.url),
        )
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("console", lambda message: complains(message) and heard.append(message.text))
        page.goto(f"{at.address}/{path}")
        return page

    yield opened
    for page in pages:
        page.close()
    assert heard == []


@pytest.fixture
def keep() -> Callable[[Page, str], None]:
    """Keeps a picture of a page, to be looked at."""

    def kept(page: Page, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    return kept
