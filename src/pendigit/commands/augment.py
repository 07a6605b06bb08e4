"""`pendigit augment`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def augment(
    policy: Annotated[str, typer.Argument(help="none, shift, mild, strong or wild.")] = "mild",
    preview: Annotated[Path, typer.Option(help="The picture to write.")] = Path("augment.png"),
    data: Annotated[str, typer.Option(help="Digits to show, SET:PART:FIRST-LAST.")] = "mini:train:0-7",
    seed: Annotated[int, typer.Option(help="Of the changes.")] = 0,
) -> None:
    """Draw a sheet of augmented digits, as a training sees them: the digit itself first, then eleven drawings of it."""
    from pendigit.commands.terminal import say
    from pendigit.datasets.selection import parse_selection, select
    from pendigit.judging.figures import draw_sheet, publish_figure
    from pendigit.learning.augment import preview as drawings

    frames, _, _ = select(parse_selection(data))
    publish_figure(draw_sheet(drawings(policy, frames, 12, seed), f"Augmentation: {policy}"), preview)
    say(f"{preview}: each row is one digit, itself first")
