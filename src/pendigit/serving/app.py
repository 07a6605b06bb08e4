"""The application: which path answers what, and what stands before all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, cast

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse

from pendigit import __version__
from pendigit.errors import UsageError
from pendigit.serving.asking import answer, asking
from pendigit.serving.guard import Guard
from pendigit.serving.house import House
from pendigit.serving.keeping import keeping
from pendigit.serving.problems import as_problem, problem
from pendigit.serving.schemas import Health, Problem, responses
from pendigit.serving.settings import Settings

if TYPE_CHECKING:
    from pendigit.batches.review import Review

HERE = Path(__file__).parent


def make_app(settings: Settings, review: Review | None = None) -> FastAPI:
    """A server's application, with a table to review where there is one.

    Raises UsageError, ModelError or OutputError for settings that it cannot work with.
    """
    house = House(settings)

    @asynccontextmanager
    async def open_house(_: FastAPI) -> AsyncIterator[None]:
        house.open()
        try:
            yield
        finally:
            house.close()

    app = FastAPI(title="pendigit", version=__version__, lifespan=open_house, docs_url=None, redoc_url=None)
    app.include_router(asking(house))
    app.include_router(keeping(house))
    app.include_router(watching(house))
    if review is not None:
        from pendigit.serving.reviewing import reviewing

        app.include_router(reviewing(house, review))
    app.add_exception_handler(RequestValidationError, _option_problem)
    app.add_exception_handler(HTTPException, _http_problem)
    app.mount("/docs", StaticFiles(directory=HERE / "docs", packages=[("fastapi_offline", "static")], html=True))
    # Not mounted at "/": a mount there would answer for routes that are asked with another method.
    app.router.default = StaticFiles(directory=HERE / "page", html=True)
    app.add_middleware(Guard, settings=settings, metrics=house.metrics)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
        )
    _document(app)
    return app


def watching(house: House) -> APIRouter:
    """The routes for those who keep the server running."""
    router = APIRouter(tags=["watching"])

    @router.get("/healthz", responses={200: {"model": Health}})
    async def health() -> Response:
        """Whether the server answers, and what it asks for. Needs no token."""
        settings = house.settings
        return answer({
            "status": "ok", "keeps_corrections": settings.store is not None, "needs_token": settings.token is not None,
        })  # fmt: skip

    @router.get("/metrics", responses=responses(None), response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Counts and times in Prometheus's text format."""
        return house.metrics.exposition()

    return router


async def _option_problem(_: Request, error: Exception) -> Response:
    """What FastAPI finds wrong with an option, in our words."""
    first = cast(RequestValidationError, error).errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:])
    seen = f"the option {name}" + (f" = {str(first['input'])[:60]!r}" if isinstance(first.get("input"), str) else "")
    return as_problem(UsageError(seen, first["msg"].removeprefix("Input should be "), "see /docs"))


async def _http_problem(_: Request, error: Exception) -> Response:
    """What Starlette refuses itself: unknown paths, other methods."""
    refusal = cast(HTTPException, error)  # as the handler is registered; Starlette's type says less
    title = HTTPStatus(refusal.status_code).phrase
    return problem("", refusal.status_code, title, f"{title}; see /docs for what there is", headers=refusal.headers)


def _document(app: FastAPI) -> None:
    """Finish the OpenAPI document: the problem's schema, and how a token is sent."""
    document = app.openapi()
    schemas = document["components"]["schemas"]
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{}, {"token": []}]
