"""A server from its settings: listening, saying where, ending cleanly."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import uvicorn

from pendigit.errors import UsageError
from pendigit.serving.app import make_app
from pendigit.serving.connection import connections
from pendigit.serving.settings import Settings

if TYPE_CHECKING:
    from pendigit.batches.review import Review

WAITING_LINE = 128  # connections that the system accepts before they are looked at
CONNECTIONS = 1000  # at once: each costs some 50 KB; further ones are told to come back
IDLE = 75  # seconds: longer than clients keep a connection, so that none is closed while a request is on its way
UPLOAD = 30.0  # seconds for a request to come in whole: 20 MB over a phone's line


def serve(settings: Settings, ready: Callable[[str], None], review: Review | None = None) -> None:
    """Serve until a signal ends it; requests under way are finished. `ready` is told the address that answers.

    With a `review`, the server also asks about a table's doubtful digits.

    Raises:
        UsageError: The address cannot be listened on.
        PendigitError: See `make_app`.
    """
    listening = _listen(settings)
    with listening:
        config = uvicorn.Config(
            make_app(settings, review),
            http=connections(UPLOAD, CONNECTIONS),
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=IDLE,
            timeout_graceful_shutdown=round(settings.seconds) + 5,
        )
        gc.freeze()  # all that was imported stays; looking through it again and again is time lost
        _Server(config, lambda: ready(_address(settings, listening))).run([listening])


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


def _listen(settings: Settings) -> socket.socket:
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((settings.host, settings.port), family=family, backlog=WAITING_LINE)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {settings.host}, port {settings.port} ({error.strerror})",
            "an address of this machine and a free port",
            "choose another with --host or --port; --port 0 takes a free one",
        ) from error


def _address(settings: Settings, listening: socket.socket) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listening.getsockname()[1]}"
