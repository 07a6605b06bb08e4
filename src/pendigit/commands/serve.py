"""`pendigit serve`."""

from __future__ import annotations

from typing import Annotated

import typer

from pendigit.models import DEFAULT


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=0, max=65535)] = 8000,
    model: Annotated[str | None, typer.Option(help="A model: name, file or run folder.", show_default=DEFAULT)] = None,
) -> None:
    """Serve an HTTP API that reads pictures, and a page to draw on."""
    from pendigit.extras import require

    require("serve", "fastapi", "uvicorn", "orjson", "python_multipart")
    import uvicorn

    from pendigit.serving.app import make_app

    uvicorn.run(make_app(model), host=host, port=port, server_header=False)
