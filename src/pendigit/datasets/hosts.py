"""Files from public hosts over HTTPS, without ever waiting long for a host that does not answer."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from pendigit.datasets.progress import FetchProgress

CONNECT = 3.0  # seconds for a host to accept the connection; a near one takes a tenth
SILENCE = 10.0  # seconds without a byte, over all hosts together, after which fetching goes on elsewhere
_CHUNK = 1 << 16  # bytes written, and shown, at a time
_TICK = 0.05  # seconds between two looks at the clock


class SourceError(Exception):
    """A source is out of reach. Its message is a short reason, fit for a list."""


class Patience:
    """The silence that is left for all the public hosts together, in seconds."""

    def __init__(self, seconds: float = SILENCE) -> None:
        self.left = seconds


class _Meter:
    """The part of tqdm's bar that pooch calls, which also notes when the last bytes came."""

    def __init__(self, progress: FetchProgress) -> None:
        self.total = 0
        self.last = time.monotonic()
        self._done = 0
        self._progress = progress

    def update(self, count: int) -> None:
        self._done += count
        self.last = time.monotonic()
        self._progress.received(self._done, self.total)

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        """Nothing to close: the bar outlives one file."""


def download(url: str, target: Path, patience: Patience, progress: FetchProgress) -> None:
    """Fetch `url` into `target`. Raises SourceError.

    The work is done in a thread that can be left behind, because no time limit reaches a name look-up that hangs.
    """
    if patience.left <= 0:
        raise SourceError("not tried, as hosts do not answer")
    meter = _Meter(progress)
    failure: list[Exception] = []

    def work() -> None:
        from pooch import HTTPDownloader

        try:
            HTTPDownloader(progressbar=meter, chunk_size=_CHUNK, timeout=(CONNECT, SILENCE))(url, str(target), None)
        except Exception as error:  # noqa: BLE001  (handed to the waiting thread)
            _close(error)
            failure.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_TICK)
        if time.monotonic() - meter.last > patience.left:
            waited, patience.left = patience.left, 0
            raise SourceError(f"nothing came for {waited:.1f} s")
    if failure:
        patience.left -= time.monotonic() - meter.last
        raise SourceError(_reason(failure[0])) from failure[0]


def _close(error: Exception) -> None:
    """Let go of the connection that an HTTP error still holds."""
    response = getattr(error, "response", None)
    if response is not None:
        response.close()


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy refuses"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return str(error)[:80] or type(error).__name__
