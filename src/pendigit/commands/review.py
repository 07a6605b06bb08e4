"""`pendigit review`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def review(
    table: Annotated[Path, typer.Argument(help="A table that pendigit read wrote.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The corrected copy.", show_default="TABLE.corrected")
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)] = 8000,
    token: Annotated[
        str | None,
        typer.Option(help="What requests must bring; needed to listen beyond this machine.", envvar="PENDIGIT_TOKEN"),
    ] = None,
    store: Annotated[
        Path | None, typer.Option(help="The file of corrections.", show_default="with the user's data")
    ] = None,
    no_store: Annotated[bool, typer.Option("--no-store", help="Keep no corrections beside the table's copy.")] = False,
) -> None:
    """Look at a table's doubtful digits in the browser, one key each; Ctrl-C writes the corrected copy."""
    from pendigit.extras import require

    require("serve", "fastapi", "fastapi_offline", "httptools", "orjson", "prometheus_client", "uvicorn")
    from pendigit.batches.review import Review
    from pendigit.commands.terminal import say
    from pendigit.home import data_folder
    from pendigit.serving.server import serve
    from pendigit.serving.settings import Settings

    asked = Review(table, output)
    if not asked.doubts:
        say(f"{table}: every digit is sure enough; nothing to review")
        return
    kept = None if no_store else store or data_folder() / "corrections.sqlite"
    plural = "s" * (len(asked.doubts) != 1)
    count = f"{len(asked.doubts):,} doubtful digit{plural}, {len(asked.verdicts):,} of them looked at already"
    try:
        serve(
            Settings(host, port, token=token, store=kept),
            lambda address: say(f"{table}: {count}; review them at {address}/review.html (Ctrl-C ends it)"),
            asked,
        )
    finally:  # Ctrl-C is how it ends
        decided = asked.publish()
        say(f"{asked.corrected}: {decided:,} of {len(asked.doubts):,} doubtful digits looked at")
