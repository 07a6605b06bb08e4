"""`pendigit evaluate`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pendigit.models import DEFAULT


def evaluate(
    model: Annotated[
        str | None, typer.Argument(help="A model's name, file or run folder.", show_default=DEFAULT)
    ] = None,
    data: Annotated[str, typer.Option(help="SET:PART, such as mnist:test or my.npz:train.")] = "mnist:test",
    scale: Annotated[str, typer.Option(help="Pixels that a model made elsewhere wants: 0-1 or 0-255.")] = "0-1",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score a model on labelled digits: accuracy, loss, precision and recall, confusion matrix."""
    import pendigit
    from pendigit.classifier import check_scale
    from pendigit.commands.terminal import say, say_evaluation

    evaluation = pendigit.evaluate(model, data, check_scale(scale))
    if as_json:
        say(json.dumps(evaluation.to_dict()))
    else:
        say_evaluation(evaluation)
