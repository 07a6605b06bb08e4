"""`pendigit augment`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ROWS, COLUMNS = 12, 12  # digits, and drawings of each, that stay legible on one sheet


def augment(
    policy: Annotated[str, typer.Argument(help="none, shift, mild, strong or wild.")] = "mild",
    preview: Annotated[Path, typer.Option(help="The picture to write.")] = Path("augment.png"),
    data: Annotated[str, typer.Option(help="Digits to show, the first twelve of them.")] = "mini:train:0-7",
    seed: Annotated[int, typer.Option(help="Of the changes.", min=0, max=2**32 - 1)] = 0,
) -> None:
    """Draw a sheet of up to twelve digits as a training sees them: each as it is, then eleven drawings of it."""
    from pendigit.commands.terminal import say
    from pendigit.datasets.selection import parse_selection, select
    from pendigit.judging.figures import draw_sheet, publish_figure
    from pendigit.learning.augment import preview as drawings

    frames, _, _ = select(parse_selection(data))
    publish_figure(draw_sheet(drawings(policy, frames[:ROWS], COLUMNS, seed), f"Augmentation: {policy}"), preview)
    say(f"{preview}: each row is one digit, itself first")
