"""Pages read by a running `pendigit serve` instead of here."""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from pendigit.errors import ImageError, ModelError, PendigitError, ServerError, UsageError
from pendigit.reading.images import content_of
from pendigit.reading.stages import Region
from pendigit.results import Reading

PATIENCE = 60.0  # seconds for an answer: the server gives a page half as long
TRIES = 20  # while the server is busy: it asks to come back a second later
KINDS = {
    "picture": ImageError,
    "not-installed": ImageError,
    "option": UsageError,
    "model": ModelError,
}  # of its problems, as they are here


class RemoteReader:
    """Reads files by asking a server.

    Args:
        server: Its address, such as http://127.0.0.1:8000.
        token: What it asks for, if it does.
        model: The name of a model that ships; None for the server's own.

    Raises:
        UsageError: The address is none.
    """

    def __init__(self, server: str, token: str | None = None, model: str | None = None) -> None:
        if not server.startswith(("http://", "https://")):
            raise UsageError(f"--server {server}", "http://HOST:PORT or https://…", "see what pendigit serve prints")
        self._server, self._model = server.rstrip("/"), model
        self._headers = {"Content-Type": "application/octet-stream"} | (
            {"Authorization": f"Bearer {token}"} if token else {}
        )
        self._opener = build_opener(ProxyHandler({}))  # a proxy for the web knows no server of one's own network

    def read_file(
        self,
        path: str,
        region: Region | None = None,
        keep: str = "",
        drawn: bool = False,
        max_error: float | None = None,
    ) -> list[Reading]:
        """A file -> a reading for each of its pages; options as `Reader.read` has them.

        Raises:
            ImageError, UsageError: What the server says of the picture or the options.
            ServerError: It cannot be reached, stays busy, or refuses.
        """
        content = content_of(Path(path).expanduser())
        options = {"keep": keep, "drawn": str(drawn).lower()}
        if region is not None:
            options["region"] = ",".join(str(number) for number in region)
        if max_error is not None:
            options["max_error"] = str(max_error)
        if self._model is not None:
            options["model"] = self._model
        answers = [self._ask(content, options)]
        answers += [self._ask(content, options | {"page": str(page)}) for page in range(2, answers[0]["pages"] + 1)]
        return [Reading.from_dict(answer) for answer in answers]

    def _ask(self, content: bytes, options: dict[str, str]) -> dict[str, Any]:
        request = Request(f"{self._server}/v1/read?{urlencode(options)}", content, self._headers)  # noqa: S310 - checked
        for _ in range(TRIES):
            try:
                with self._opener.open(request, timeout=PATIENCE) as response:
                    answer: dict[str, Any] = json.load(response)
                    return answer
            except HTTPError as error:
                with error:
                    if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
                        raise _as_error(error) from error
                    time.sleep(float(error.headers.get("Retry-After", "1")))
            except (URLError, OSError, ValueError) as error:
                raise self._unreachable(error) from error
        raise ServerError(f"{self._server} stays busy", "an answer", "try again later")

    def _unreachable(self, error: Exception) -> ServerError:
        reason = getattr(error, "reason", None) or error
        return ServerError(
            f"cannot reach {self._server} ({reason})", "a running pendigit serve", "start it, or check the address"
        )


def _as_error(error: HTTPError) -> PendigitError:
    """A server's problem document -> the error that would be raised here."""
    try:
        problem = json.loads(error.read())
        kind = KINDS.get(str(problem["type"]).rpartition(":")[2], ServerError)
        return kind(problem["seen"], problem["expected"], problem["do"])
    except (ValueError, KeyError, TypeError):
        return ServerError(f"the server answered {error.code}", "an answer of pendigit serve", "check the address")
