"""The routes of corrections: /v1/corrections and what is below it, /v1/corrections.zip."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from pendigit.serving import schemas
from pendigit.serving.asking import answer, four
from pendigit.serving.export import zipped
from pendigit.serving.house import House
from pendigit.serving.pages import CutDigit
from pendigit.serving.problems import UnknownError
from pendigit.serving.schemas import CorrectionOptions, ListOptions, Responses, responses
from pendigit.serving.uploads import BODY, picture_of

PNG: Responses = {
    200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}, "description": "The picture."}
}
ZIP: Responses = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}, "description": "The zip."}
}
Number = Annotated[int, Path(ge=1, le=schemas.LAST, description="A correction's number.")]


def keeping(house: House) -> APIRouter:
    """The routes around a house."""
    router = APIRouter(tags=["corrections"])

    @router.post(
        "/v1/corrections",
        status_code=201,
        responses=responses(schemas.Correction, 404, 413, 415, 422, 503, 507, status=201),
        openapi_extra=BODY,
    )
    async def add(request: Request, options: Annotated[CorrectionOptions, Query()]) -> Response:
        """Keep a picture with the digit that it really shows. Once it is answered it is on the disk."""
        store = house.corrections
        picture = await picture_of(request)
        box = None if options.box is None else four(options.box)
        crop = await house.pages.do(CutDigit(picture, options.page, box))
        kept = await run_in_threadpool(
            store.add, picture, crop, options.digit, box=box, page=options.page, read=options.read
        )
        return answer(kept.to_dict(), 201)

    @router.get("/v1/corrections", responses=responses(schemas.CorrectionList, 404, 422))
    async def some(options: Annotated[ListOptions, Query()]) -> Response:
        """List corrections in the order of their numbers."""
        store = house.corrections
        found = await run_in_threadpool(store.some, options.digit, options.after, options.limit)
        count = await run_in_threadpool(store.count, options.digit)
        return answer({"count": count, "corrections": [each.to_dict() for each in found]})

    @router.get("/v1/corrections.zip", response_class=StreamingResponse, responses=ZIP | responses(None, 404))
    async def export() -> Response:
        """All corrections as class folders: unpacked, `pendigit train --data FOLDER` reads them."""
        headers = {"Content-Disposition": 'attachment; filename="corrections.zip"'}
        return StreamingResponse(zipped(house.corrections), headers=headers, media_type="application/zip")

    @router.get("/v1/corrections/{number}", responses=responses(schemas.Correction, 404, 422))
    async def one(number: Number) -> Response:
        """One correction."""
        found = await run_in_threadpool(house.corrections.one, number)
        if found is None:
            raise _unknown(number)
        return answer(found.to_dict())

    @router.get("/v1/corrections/{number}/crop", response_class=Response, responses=PNG | responses(None, 404, 422))
    async def crop(number: Number) -> Response:
        """The part of the picture that shows the digit, as it is exported."""
        found = await run_in_threadpool(house.corrections.crop, number)
        if found is None:
            raise _unknown(number)
        return Response(found, media_type="image/png")

    @router.delete("/v1/corrections/{number}", status_code=204, responses=responses(None, 404, 422, 507))
    async def delete(number: Number) -> Response:
        """Forget one, and its picture with the last correction of it."""
        if not await run_in_threadpool(house.corrections.delete, number):
            raise _unknown(number)
        return Response(status_code=204)

    return router


def _unknown(number: int) -> UnknownError:
    return UnknownError(f"no correction {number}", "the number of one", "see GET /v1/corrections")
