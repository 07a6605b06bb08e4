"""The routes that read: /v1/read, /v1/predict, /v1/models."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from pendigit import models
from pendigit.serving.digits import DigitJob
from pendigit.serving.house import House
from pendigit.serving.layers import layer_bytes
from pendigit.serving.pages import ReadPage
from pendigit.serving.schemas import Models, Prediction, PredictOptions, Reading, ReadOptions, Responses, responses
from pendigit.serving.uploads import BODY, picture_of

FLOATS: Responses = {
    200: {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        "description": "The weights.",
    }
}
ASKED = (413, 415, 422, 503)


def asking(house: House) -> APIRouter:
    """The routes around a house."""
    router = APIRouter(tags=["reading"])

    @router.post("/v1/read", responses=responses(Reading, *ASKED), openapi_extra=BODY)
    async def read(request: Request, options: Annotated[ReadOptions, Query()]) -> Response:
        """Read the numbers on a photo, a scan or one page of a document."""
        model = house.model_named(options.model)
        region = None if options.region is None else four(options.region)
        picture = await picture_of(request)
        how = options.page, region, options.keep, options.drawn, options.max_error, options.details
        return answer(await house.pages.do(ReadPage(picture, model, *how)))

    @router.post("/v1/predict", responses=responses(Prediction, *ASKED), openapi_extra=BODY)
    async def predict(request: Request, options: Annotated[PredictOptions, Query()]) -> Response:
        """Predict the digit in a picture of one digit."""
        model = house.model_named(options.model)
        picture = await picture_of(request)
        return answer(await house.digits.do(DigitJob(picture, model, options.max_error, options.frame)))

    @router.get("/v1/models", responses=responses(Models))
    async def list_models() -> Response:
        """List the models that ship: what each is for, how it was made, how it scores."""
        return answer({"serving": house.model.stem, "models": models.cards()})

    @router.get("/v1/layers", response_class=Response, responses=FLOATS | responses(None))
    async def show_layers() -> Response:
        """The weights of the tutorials' network: 784x128, 128, 128x10 and 10 float32, little end first."""
        return Response(await run_in_threadpool(layer_bytes), media_type="application/octet-stream")

    return router


def four(text: str) -> tuple[int, int, int, int]:
    """Four whole numbers with commas, as the schema has checked."""
    first, second, third, fourth = (int(number) for number in text.split(","))
    return first, second, third, fourth


def answer(body: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), status, media_type="application/json")
