"""`pendigit doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pendigit.commands.terminal import say
from pendigit.models import DEFAULT


def doctor(
    image: Annotated[str, typer.Argument(help="A photo or scan.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The picture of all stages.", show_default="IMAGE.doctor.png")
    ] = None,
    model: Annotated[str | None, typer.Option(help="A model: name, file or run folder.", show_default=DEFAULT)] = None,
    region: Annotated[str | None, typer.Option(help="Look at a part: x,y,width,height in pixels.")] = None,
) -> None:
    """Show how a photo is read, stage by stage, and what would help."""
    import pendigit
    from pendigit.commands.read import parse_region
    from pendigit.reading.doctor import diagnose, draw_stages
    from pendigit.reading.images import load_image
    from pendigit.reading.overlay import publish_picture
    from pendigit.reading.stages import read_stages

    picture = load_image(image)
    stages = read_stages(picture, pendigit.load_reader(model).networks, parse_region(region))
    path = output if output is not None else Path(f"{Path(image).name}.doctor.png")
    publish_picture(path, draw_stages(stages))
    for row in stages.reading.rows:
        say("  ".join(row.groups))
    for line in diagnose(stages):
        say(f"- {line}")
    say(f"Every stage is drawn in {path}")
