"""`pendigit report`."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from pendigit.models import DEFAULT


def report(
    model: Annotated[
        str | None, typer.Argument(help="A model's name, file or run folder.", show_default=DEFAULT)
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="The page to write.")] = Path("report.html"),
    data: Annotated[str, typer.Option(help="SET:PART, such as mnist:test or my.npz:train.")] = "mnist:test",
    scale: Annotated[str, typer.Option(help="Pixels that a model made elsewhere wants: 0-1 or 0-255.")] = "0-1",
) -> None:
    """Judge a model on labelled digits and write one page: accuracy, mistakes, doubt, corruptions, cost, origin."""
    import pendigit
    from pendigit.classifier import check_scale
    from pendigit.commands.terminal import say
    from pendigit.datasets.selection import parse_selection, select
    from pendigit.extras import require
    from pendigit.models import find_model

    require("report", "matplotlib")
    from rich.console import Console

    from pendigit.judging.page import check_ending, publish_page
    from pendigit.judging.report import judge

    check_ending(output)
    selection, pixels = parse_selection(data), check_scale(scale)
    classifier = pendigit.load_classifier(model, scale=pixels, threads=0)
    frames, labels, _ = select(selection)
    path = find_model(model)
    content = path.read_bytes()
    with Console(stderr=True).status("Judging …"):  # half a minute, shown where there is a terminal
        judged = judge(
            classifier,
            frames,
            labels,
            model=str(model or classifier.name),
            data=str(selection),
            timed=pendigit.load_classifier(model, scale=pixels, threads=1),
            size=len(content),
            origin=getattr(classifier, "metadata", {}) | {"file": path.name, "sha256": sha256(content).hexdigest()},
        )
    publish_page(judged, output)
    say(f"{output}: {judged.evaluation.accuracy:.2%} of {selection} right")
