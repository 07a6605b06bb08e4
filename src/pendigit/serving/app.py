"""The application: which path answers what."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated, Any

import cv2
import orjson
from fastapi import FastAPI, Query, Request, Response
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool

from pendigit import models
from pendigit.classifier import Frames
from pendigit.errors import PendigitError, UsageError
from pendigit.frame import to_frame
from pendigit.reading.images import load_image
from pendigit.reading.reader import Reader, load_reader
from pendigit.results import Digit

PAGE = Path(__file__).parent / "page"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def make_app(model: str | None = None) -> FastAPI:
    """The application around one loaded model."""
    app = FastAPI(title="pendigit")
    reader = load_reader(model)

    @app.post("/v1/read")
    async def read(request: Request, region: str | None = None, keep: str = "") -> Response:
        """The numbers on a photo or scan."""
        content = await picture_of(request)
        part = tuple(int(number) for number in region.split(",")) if region else None
        reading = await run_in_threadpool(reader.read, content, part, keep)
        return answer(reading.to_dict())

    @app.post("/v1/predict")
    async def predict(request: Request, frame: Annotated[bool, Query()] = False) -> Response:
        """The digit in a picture of one digit."""
        content = await picture_of(request)
        return answer(await run_in_threadpool(predict_one, reader, content, frame))

    @app.get("/v1/models")
    async def list_models() -> Response:
        """The models that ship, and which one reads."""
        return answer({"serving": reader.classifier.name, "models": models.cards()})

    @app.get("/healthz")
    async def health() -> Response:
        """Whether the server is up."""
        return answer({"status": "ok"})

    @app.exception_handler(PendigitError)
    async def problem(_: Request, error: PendigitError) -> Response:
        body = {"title": type(error).__name__, "status": 422, "detail": str(error)}
        return Response(orjson.dumps(body), 422, media_type="application/problem+json")

    @app.middleware("http")
    async def guard(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers["Content-Security-Policy"] = PAGE_POLICY
        return response

    app.mount("/", StaticFiles(directory=PAGE, html=True))
    return app


async def picture_of(request: Request) -> bytes:
    """The picture of a request: its body, or the part `image` of a form."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await request.body()
    async with request.form() as form:
        part = form.get("image")
        if part is None or isinstance(part, str):
            raise UsageError("a form without a file `image`", "one picture", "send it as the part `image`")
        return await part.read()


def predict_one(reader: Reader, content: bytes, with_frame: bool) -> dict[str, Any]:
    """A picture's bytes -> its digit with everything known of it."""
    frame = to_frame(load_image(content))
    digit = Digit.of(reader.classifier.predict_proba(frame[None])[0])
    doubt = reader.classifier.digitness(frame[None])
    found = digit.to_dict() | {
        "digitness": None if doubt is None else float(doubt[0]),
        "runners_up": [list(pair) for pair in digit.runners_up],
    }
    return found | ({"frame": as_png(frame)} if with_frame else {})


def as_png(frame: Frames) -> str:
    """A frame (28, 28) -> a PNG, base64."""
    return base64.b64encode(cv2.imencode(".png", frame)[1].tobytes()).decode()


def answer(body: Any) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), media_type="application/json")
