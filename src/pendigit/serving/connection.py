"""One client's connection: a request must have come in time, with a head of some size, or the line is cut.

uvicorn waits for a request's end as long as the client likes, and keeps whatever headers it sends.
"""

from __future__ import annotations

from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD = 32_768  # bytes: of the request line and the headers; browsers send less than 4,000


def connections(seconds: float) -> type[HttpToolsProtocol]:
    """The protocol of connections whose requests must be whole within some seconds of their first byte."""

    class Connection(HttpToolsProtocol):
        _head = 0
        _limit: TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
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
