"""The server as users start it, and what eyes see of the page."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

PATIENCE = 60_000  # milliseconds: on a busy machine a browser takes its time
Pages: TypeAlias = Callable[..., Page]  # a path, and options of the window -> the page, opened


class Serving:
    """`pendigit serve` as users start it, which can be killed and started again at its address."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._command = [sys.executable, "-c", "from pendigit.commands import main; main()", "serve"]
        self._options = [*options, "--store", str(folder / "corrections.sqlite")]
        self.address = ""
        self.start()

    def start(self) -> None:
        port = self.address.rpartition(":")[2] or "0"
        command = [*self._command, "--port", port, *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().removeprefix("Serving at ").partition(" ")[0]
        assert self.address.startswith("http://127.0.0.1:")

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


def reads(page: Page, text: str) -> None:
    """Wait until the page shows a number."""
    expect(page.locator("#number button")).to_have_count(len(text))
    expect(page.locator("#number")).to_have_text(text)


def serious(page: Page) -> list[str]:
    """What the accessibility check finds that keeps people out."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] in {"serious", "critical"}]


def complains(message: Any) -> bool:
    """Whether the console says what is wrong with the page; that a server is away or refuses is none of it."""
    return message.type in {"error", "warning"} and "Failed to load resource" not in message.text
