"""One client's connection: a request must have come in time, with a head of some size, or the line is cut.

uvicorn waits for a request's end as long as the client likes, and keeps whatever headers it sends. Its own limit on
connections refuses requests of those that are served already, without saying when to come back.
"""

from __future__ import annotations

from asyncio import TimerHandle
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pendigit.serving.problems import BusyError, as_problem

HEAD = 32_768  # bytes: of the request line and the headers; browsers send less than 4,000


def connections(seconds: float, most: int) -> type[HttpToolsProtocol]:
    """The protocol of connections whose requests must be whole within some seconds of their first byte.

    Those beyond `most` at once get one answer: that they should come back.
    """

    class Connection(HttpToolsProtocol):
        _head = 0
        _limit: TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > most:
                self.app = _full
            self._start()

        def on_message_begin(self) -> None:
            self._head = 0
            self._start()
            super().on_message_begin()

        def on_url(self, url: bytes) -> None:
            if self._fits(len(url)):
                super().on_url(url)

        def on_header(self, name: bytes, value: bytes) -> None:
            if self._fits(len(name) + len(value)):
                super().on_header(name, value)

        def on_message_complete(self) -> None:
            self._stop()
            super().on_message_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop()
            super().connection_lost(exc)

        def _fits(self, size: int) -> bool:
            self._head += size
            if self._head > HEAD:
                self.transport.abort()
            return self._head <= HEAD

        def _start(self) -> None:
            self._stop()
            self._limit = self.loop.call_later(seconds, self.transport.abort)

        def _stop(self) -> None:
            if self._limit is not None:
                self._limit.cancel()
                self._limit = None

    return Connection


async def _full(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a request and its connection, once it is whole: a line that is cut before loses the answer too."""
    while (await receive()).get("more_body", False):
        pass
    response = as_problem(BusyError("all connections that are served at once", "fewer", "try again in a second"))
    response.headers["Connection"] = "close"
    await response(scope, receive, send)
