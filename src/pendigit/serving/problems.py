"""What is said when a request is refused: problem documents (RFC 9457) with the command line's words."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

from pendigit.errors import ImageError, MissingExtraError, ModelError, OutputError, PendigitError, UsageError

MEDIA_TYPE = "application/problem+json"
SPACE = "urn:pendigit:problem:"


class RefusalError(PendigitError):
    """A request that is refused for what it is, not for its picture."""


class NoTokenError(RefusalError):
    """The server asks for a token, and the request brings none or another."""


class ForeignError(RefusalError):
    """A request that another web site made a browser send, or that calls the server by a name not its own."""


class UnknownError(RefusalError):
    """There is nothing of this name."""


class TooLargeError(RefusalError):
    """More bytes than are taken."""


class ContentError(RefusalError):
    """A body that is neither a picture nor a form."""


class BusyError(RefusalError):
    """More work than the server takes at once, or than fits the time of one request."""


# An error's type, status and title as a problem; the first that fits. Its detail says what and why.
KINDS: tuple[tuple[type[PendigitError], str, HTTPStatus, str], ...] = (
    (NoTokenError, "no-token", HTTPStatus.UNAUTHORIZED, "A token is needed"),
    (ForeignError, "foreign", HTTPStatus.FORBIDDEN, "Not from here"),
    (UnknownError, "unknown", HTTPStatus.NOT_FOUND, "There is no such thing"),
    (TooLargeError, "too-large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too many bytes"),
    (ContentError, "content", HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "No picture and no form"),
    (BusyError, "busy", HTTPStatus.SERVICE_UNAVAILABLE, "Too busy"),
    (UsageError, "option", HTTPStatus.UNPROCESSABLE_ENTITY, "An option cannot be understood"),
    (ImageError, "picture", HTTPStatus.UNPROCESSABLE_ENTITY, "The picture cannot be read"),
    (MissingExtraError, "not-installed", HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "This server lacks a package"),
    (ModelError, "model", HTTPStatus.UNPROCESSABLE_ENTITY, "The model cannot do that"),
    (OutputError, "full", HTTPStatus.INSUFFICIENT_STORAGE, "It cannot be kept"),
    (PendigitError, "error", HTTPStatus.INTERNAL_SERVER_ERROR, "It went wrong"),
)
HEADERS = {"no-token": {"WWW-Authenticate": "Bearer"}, "busy": {"Retry-After": "1"}}


def as_problem(error: PendigitError) -> Response:
    """An error -> its problem document."""
    kind, status, title = next(known[1:] for known in KINDS if isinstance(error, known[0]))
    words = {"seen": error.seen, "expected": error.expected, "do": error.do}
    return problem(kind, status, title, str(error), words, HEADERS.get(kind))


def problem(
    kind: str,
    status: int,
    title: str,
    detail: str,
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document: its type, HTTP status, title and what happened, with further members."""
    body = {"type": SPACE + kind if kind else "about:blank", "title": title, "status": int(status), "detail": detail}
    return Response(orjson.dumps(body | dict(more or {})), int(status), headers, MEDIA_TYPE)
