"""What a server is asked to be."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from pendigit.errors import UsageError

MEGABYTE = 1_000_000  # bytes
# Half of the cores answer digits and half read pages, so that neither waits for a queue of the other.
WORKERS = max(1, (os.cpu_count() or 2) // 2)


@dataclass(frozen=True)
class Settings:
    """One server.

    Attributes:
        host: The address it listens on.
        port: The port; 0 takes a free one.
        model: The model that answers when a request names none: a name, a file or a run folder; None for the default.
        token: What a request must bring to be answered; None asks for none.
        open: Listen beyond this machine without a token.
        origins: Web origins, other than the server's own, whose scripts may use it.
        names: Host names, other than localhost and addresses, by which it is called.
        store: The SQLite file of corrections; None keeps nothing.
        body_bytes: The longest body that is taken.
        seconds: How long a request waits for its answer.
        page_seconds: How long a page may be worked on.
        digits_waiting: Requests for single digits that wait or are worked on at once; more are refused.
        pages_waiting: The same for pages, which take longer.
        held_bytes: What the bodies of all requests together may take.
        workers: Threads for digits, and as many for pages.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    model: str | None = None
    token: str | None = None
    open: bool = False
    origins: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    store: Path | None = None
    body_bytes: int = 20 * MEGABYTE
    seconds: float = 30.0
    page_seconds: float = 15.0
    digits_waiting: int = 128
    pages_waiting: int = 16
    held_bytes: int = 200 * MEGABYTE
    workers: int = WORKERS

    def __post_init__(self) -> None:
        if self.token is not None and len(self.token) < SHORTEST_TOKEN:
            raise UsageError(
                f"a token of {len(self.token)} characters",
                f"at least {SHORTEST_TOKEN}",
                "make one with: python -c 'import secrets; print(secrets.token_urlsafe())'",
            )
        if not self.is_local and self.token is None and not self.open:
            raise UsageError(
                f"--host {self.host} without a token",
                "--token, as everyone who reaches this address could use the server and see what it keeps",
                "set PENDIGIT_TOKEN, listen on 127.0.0.1, or pass --open if that is meant",
            )

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


SHORTEST_TOKEN = 16  # characters: 96 random bits as base64; less can be guessed
