"""The picture that a request brings: its whole body, or the part `image` of a form."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from pendigit.errors import ImageError, UsageError
from pendigit.serving.problems import ContentError

FORM = "multipart/form-data"
PART = "image"
# Neither a picture nor a form. Anything else is tried: programs send pictures under many types, or under none.
REFUSED = ("application/json", "application/x-www-form-urlencoded", "text/")
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
# What the OpenAPI document says of a body: FastAPI has no words for "this or that".
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A picture's file (PNG, JPEG, WebP, TIFF, …) as it is, or in a form.",
        "content": {
            "image/*": _BINARY,
            "application/pdf": _BINARY,
            "application/octet-stream": _BINARY,
            FORM: {
                "schema": {
                    "type": "object",
                    "required": [PART],
                    "properties": {PART: {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


async def picture_of(request: Request) -> bytes:
    """A request -> its picture's bytes. Raises ImageError, UsageError, ContentError."""
    kind = request.headers.get("content-type", "").lower()
    if kind.startswith(REFUSED):
        raise ContentError(f"a body of {kind}", "a picture or a form", f"send the file itself, or as {FORM}")
    content = await _from_form(request) if kind.startswith(FORM) else await request.body()
    if not content:
        raise ImageError("an empty body", "a picture", "send the file itself, or as the part `image` of a form")
    return content


async def _from_form(request: Request) -> bytes:
    try:
        async with request.form(max_files=1, max_fields=0) as form:
            part = form.get(PART)
            if part is not None and not isinstance(part, str):
                return await part.read()
    except HTTPException as error:  # what Starlette makes of a form that cannot be parsed
        raise UsageError(f"a broken form ({error.detail})", "one part, a file", _HOW) from error
    raise UsageError("a form without a file of the name `image`", "one part, a file", _HOW)


_HOW = "send it as curl -F image=@FILE does"
