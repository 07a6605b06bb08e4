"""`pendigit doctor`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from pendigit.commands.limits import MaxError
from pendigit.commands.terminal import say
from pendigit.doubt import parse_limit
from pendigit.models import DEFAULT


def doctor(
    image: Annotated[str, typer.Argument(help="A photo or scan.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The picture of all stages.", show_default="IMAGE.doctor.png")
    ] = None,
    model: Annotated[str | None, typer.Option(help="A model: name, file or run folder.", show_default=DEFAULT)] = None,
    region: Annotated[str | None, typer.Option(help="Look at a part: x,y,width,height in pixels.")] = None,
    max_error: MaxError = None,
) -> None:
    """Show how a photo is read, stage by stage, and what would help."""
    import pendigit
    from pendigit.commands.read import parse_region
    from pendigit.reading.doctor import diagnose, draw_stages
    from pendigit.reading.images import load_image
    from pendigit.reading.overlay import publish_picture
    from pendigit.reading.stages import read_stages

    reader = pendigit.load_reader(model)
    limit = None if max_error is None else reader.limit(parse_limit(max_error))
    stages = read_stages(load_image(image), reader.classifier, parse_region(region))
    if limit is not None:
        stages = replace(stages, reading=stages.reading.within(limit))
    path = output if output is not None else Path(f"{Path(image).name}.doctor.png")
    publish_picture(path, draw_stages(stages))
    for row in stages.reading.rows:
        say("  ".join(row.groups))
    for line in diagnose(stages):
        say(f"- {line}")
    say(f"Every stage is drawn in {path}")
