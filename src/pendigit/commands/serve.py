"""`pendigit serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pendigit.models import DEFAULT

OPEN = "Anyone who reaches this address can use the server, and see and delete what it keeps."
PLAIN = "Pictures and the token travel unencrypted: over networks that others share, put an HTTPS proxy before it."


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)] = 8000,
    model: Annotated[str | None, typer.Option(help="A model: name, file or run folder.", show_default=DEFAULT)] = None,
    token: Annotated[
        str | None,
        typer.Option(help="What requests must bring; needed to listen beyond this machine.", envvar="PENDIGIT_TOKEN"),
    ] = None,
    open_to_all: Annotated[bool, typer.Option("--open", help="Listen beyond this machine without a token.")] = False,
    origin: Annotated[
        list[str] | None, typer.Option(help="Let pages of another web site use it, such as https://example.org.")
    ] = None,
    name: Annotated[list[str] | None, typer.Option(help="A host name by which it is called.")] = None,
    store: Annotated[
        Path | None,
        typer.Option(help="The file of corrections.", show_default="with the user's data"),
    ] = None,
    no_store: Annotated[bool, typer.Option("--no-store", help="Keep no corrections.")] = False,
) -> None:
    """Serve an HTTP API that reads pictures, and a page to draw on. Ctrl-C ends it."""
    from pendigit.extras import require

    require("serve", "fastapi", "fastapi_offline", "httptools", "orjson", "prometheus_client", "uvicorn")
    from pendigit.commands.terminal import say, say_error
    from pendigit.home import data_folder
    from pendigit.serving.server import serve as run
    from pendigit.serving.settings import Settings

    kept = None if no_store else store or data_folder() / "corrections.sqlite"
    settings = Settings(host, port, model, token, open_to_all, tuple(origin or ()), tuple(name or ()), kept)
    if not settings.is_local:
        say_error(PLAIN if token else f"{OPEN} {PLAIN}")
    run(settings, lambda address: say(f"Serving at {address} and described at {address}/docs (Ctrl-C ends it)"))
