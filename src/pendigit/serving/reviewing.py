"""The routes of a review: the doubtful digits of a table, what they look like, and what somebody says about them.

The pictures are the user's own and were read before: they are cut in a thread, not in a process that can be ended.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

import cv2
from fastapi import APIRouter, Path, Query, Response
from starlette.concurrency import run_in_threadpool

from pendigit.batches.inputs import fetch
from pendigit.batches.review import Doubt, Review
from pendigit.errors import ImageError
from pendigit.reading.images import load_page
from pendigit.serving.asking import answer
from pendigit.serving.corrections import Box, Corrections
from pendigit.serving.export import training_crop
from pendigit.serving.house import House
from pendigit.serving.problems import UnknownError
from pendigit.serving.schemas import DigitValue

AROUND = (4.0, 1.0)  # of the digit's height: what is shown beside and above it, so that it is seen among its neighbours
SHOWN = 220  # pixels: the height of a crop as it is sent; small digits are enlarged
APART = 3  # pixels between the digit and its frame
MARK = (9, 65, 194)  # BGR: the frame around the digit
AT_ONCE = 50  # doubts in an answer
Number = Annotated[int, Path(ge=0, description="A doubt's number, from 0.")]


def surroundings(path: str, page: int, box: Box) -> bytes:
    """A digit and its neighbours, cut out of a page, the digit framed: a PNG. Raises ImageError."""
    picture, _ = load_page(fetch(path), page)
    left, top, right, bottom = box
    beside, above = (round(share * (bottom - top)) for share in AROUND)
    x, y = max(0, left - beside), max(0, top - above)
    part = picture[y : bottom + above, x : right + beside]
    if not part.size:
        raise ImageError(f"a digit's box outside {path}", "the picture that was read", "read it again")
    scale = SHOWN / part.shape[0]
    size = (max(1, round(part.shape[1] * scale)), SHOWN)
    drawn = cv2.resize(part, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    drawn = cv2.cvtColor(drawn, cv2.COLOR_GRAY2BGR if drawn.ndim == 2 else cv2.COLOR_RGB2BGR)
    corners = [
        (round((across - x) * scale) + apart, round((down - y) * scale) + apart)
        for across, down, apart in ((left, top, -APART), (right, bottom, APART))
    ]
    cv2.rectangle(drawn, corners[0], corners[1], MARK, 2, cv2.LINE_AA)
    return cv2.imencode(".png", drawn)[1].tobytes()


def reviewing(house: House, review: Review) -> APIRouter:
    """The routes around a review."""
    router = APIRouter(tags=["reviewing"])
    kept: dict[int, int] = {}  # a doubt's number -> that of the correction it led to

    def doubt_of(number: int) -> Doubt:
        if number >= len(review.doubts):
            raise UnknownError(f"no doubt {number}", f"one of {len(review.doubts)}", "see GET /v1/review")
        return review.doubts[number]

    def described(number: int) -> dict[str, Any]:
        doubt = review.doubts[number]
        is_decided, verdict = review.verdict(doubt)
        return {"number": number, **asdict(doubt), "decided": is_decided, "verdict": verdict}

    @router.get("/v1/review")
    async def some(start: Annotated[int, Query(ge=0)] = 0) -> Response:
        """The doubts from a number on, the largest doubt first, and how many of all are decided."""
        numbers = range(start, min(start + AT_ONCE, len(review.doubts)))
        return answer({
            "table": review.table.name, "corrected": review.corrected.name, "count": len(review.doubts),
            "decided": len(review.verdicts), "doubts": [described(number) for number in numbers],
        })  # fmt: skip

    @router.get("/v1/review/{number}/crop", response_class=Response)
    async def crop(number: Number) -> Response:
        """The digit among its neighbours, a PNG."""
        doubt = doubt_of(number)
        shown = await run_in_threadpool(surroundings, doubt.path, doubt.page, doubt.box)
        return Response(shown, media_type="image/png")

    @router.post("/v1/review/publish", status_code=200)
    async def publish() -> Response:
        """Write the corrected copy of the table."""
        return answer({"corrected": str(review.corrected), "decided": await run_in_threadpool(review.publish)})

    @router.post("/v1/review/{number}", status_code=200)
    async def decide(number: Number, digit: DigitValue | Literal["none"]) -> Response:
        """Say which digit it really is, or that there is none. Once it is answered it is on the disk."""
        doubt = doubt_of(number)
        await run_in_threadpool(review.decide, doubt, None if digit == "none" else digit)
        await forget(number)
        if house.store is not None and digit != "none":
            added = await run_in_threadpool(keep, doubt, digit, house.store)
            if added is not None:
                kept[number] = added
        return answer(described(number))

    @router.delete("/v1/review/{number}", status_code=200)
    async def undo(number: Number) -> Response:
        """Take it back."""
        await run_in_threadpool(review.undo, doubt_of(number))
        await forget(number)
        return answer(described(number))

    def keep(doubt: Doubt, digit: int, store: Corrections) -> int | None:
        """Store the correction, for training: its number. What is blank to the reader teaches nothing."""
        file = fetch(doubt.path)
        try:
            crop = training_crop(load_page(file, doubt.page)[0], doubt.box)
        except ImageError:
            return None
        return store.add(file, crop, digit, box=doubt.box, page=doubt.page, read=doubt.digit).id

    async def forget(number: int) -> None:
        """Take back what an earlier verdict of this session stored."""
        if house.store is not None and number in kept:
            await run_in_threadpool(house.store.delete, kept.pop(number))

    return router
