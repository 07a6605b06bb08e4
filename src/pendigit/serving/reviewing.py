"""The routes of a review: the doubtful digits of a table, what they look like, and what somebody says about them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

import cv2
from fastapi import APIRouter, Path, Query, Response
from starlette.concurrency import run_in_threadpool

from pendigit.batches.inputs import fetch
from pendigit.batches.review import Doubt, Review
from pendigit.errors import ImageError
from pendigit.reading.images import load_page
from pendigit.serving.asking import answer
from pendigit.serving.corrections import Box
from pendigit.serving.house import House
from pendigit.serving.pages import CutDigit
from pendigit.serving.problems import UnknownError
from pendigit.serving.schemas import DigitValue

AROUND = (4.0, 1.0)  # of the digit's height: what is shown beside and above it, so that it is seen among its neighbours
SHOWN = 220  # pixels: the height of a crop as it is sent; small digits are enlarged
MARK = (9, 65, 194)  # BGR: the frame around the digit
AT_ONCE = 50  # doubts in an answer
Number = Annotated[int, Path(ge=0, description="A doubt's number, from 0.")]


@dataclass(frozen=True)
class CutSurroundings:
    """Cut a digit and its neighbours out of a page, the digit framed."""

    file: bytes
    page: int
    box: Box

    def __call__(self) -> bytes:
        """A PNG. Raises ImageError."""
        picture, _ = load_page(self.file, self.page)
        left, top, right, bottom = self.box
        height = max(bottom - top, 1)
        beside, above = (round(share * height) for share in AROUND)
        x, y = max(0, left - beside), max(0, top - above)
        part = picture[y : bottom + above, x : right + beside]
        if not part.size:
            raise ImageError("a digit's box outside its picture", "the picture that was read", "read it again")
        scale = SHOWN / part.shape[0]
        size = (max(1, round(part.shape[1] * scale)), SHOWN)
        drawn = cv2.resize(part, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
        drawn = cv2.cvtColor(drawn, cv2.COLOR_GRAY2BGR if drawn.ndim == 2 else cv2.COLOR_RGB2BGR)
        corners = [
            (round((u - x) * scale) + d, round((v - y) * scale) + d)
            for u, v, d in ((left, top, -3), (right, bottom, 3))
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
        file = await run_in_threadpool(fetch, doubt.path)
        return Response(await house.pages.do(CutSurroundings(file, doubt.page, doubt.box)), media_type="image/png")

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
            await keep(number, doubt, digit)
        return answer(described(number))

    @router.delete("/v1/review/{number}", status_code=200)
    async def undo(number: Number) -> Response:
        """Take it back."""
        await run_in_threadpool(review.undo, doubt_of(number))
        await forget(number)
        return answer(described(number))

    async def keep(number: int, doubt: Doubt, digit: int) -> None:
        """Store the correction, for training; what is blank to the reader teaches nothing."""
        store = house.corrections
        file = await run_in_threadpool(fetch, doubt.path)
        try:
            cut = await house.pages.do(CutDigit(file, doubt.page, doubt.box))
        except ImageError:
            return
        added = await run_in_threadpool(
            lambda: store.add(file, cut, digit, box=doubt.box, page=doubt.page, read=doubt.digit)
        )
        kept[number] = added.id

    async def forget(number: int) -> None:
        """Take back what an earlier verdict of this session stored."""
        if house.store is not None and number in kept:
            await run_in_threadpool(house.store.delete, kept.pop(number))

    return router
