"""`pendigit train`."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pendigit.errors import EXIT_INTERRUPTED

if TYPE_CHECKING:
    from pendigit.learning.run import Run


def train(
    context: typer.Context,
    network: Annotated[str | None, typer.Argument(help="The network's name.", show_default="classic")] = None,
    data: Annotated[
        str | None,
        typer.Option(help="mnist, mini, or a path: npz, IDX folder, CSV, class folders.", show_default="mnist"),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training frames.", show_default="5")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Frames a step.", show_default="32")] = None,
    lr: Annotated[float | None, typer.Option(help="Adam's learning rate.", show_default="0.001")] = None,
    seed: Annotated[int | None, typer.Option(help="Of weights, order and dropout.", show_default="0")] = None,
    validation: Annotated[
        int | None, typer.Option(help="Training frames set aside and scored after each epoch.", show_default="0")
    ] = None,
    hidden: Annotated[int | None, typer.Option(help="Units of the hidden layer.", show_default="128")] = None,
    dropout: Annotated[
        float | None, typer.Option(help="Share of units left out of a step.", show_default="0.2")
    ] = None,
    softmax: Annotated[
        bool | None, typer.Option("--softmax/--logits", help="What the network ends in.", show_default="logits")
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="compiled, or stock: Keras's own fit.", show_default="compiled")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The run folder, a new one.", show_default="runs/NETWORK, numbered")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out, or the latest.")] = False,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Also write TensorBoard event files.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Open the first test image in a window.")] = False,
) -> None:
    """Train a network and keep everything worth keeping in a run folder."""
    import pendigit
    from pendigit.commands.terminal import TrainingProgress, say, say_run
    from pendigit.learning.options import TrainingOptions

    names = {field.name for field in fields(TrainingOptions)}
    given = {name: value for name, value in context.params.items() if name in names and value is not None}
    with TrainingProgress() as progress:
        run = pendigit.train(out=out, resume=resume, tensorboard=tensorboard, reporter=progress, **given)
    say_run(run)
    if show and not show_example(run):
        say(f"There is no screen to open a window on; the picture is {run.folder / 'example.png'}")
    if run.interrupted:
        say(f"Stopped early; go on with: pendigit train --resume --out {run.folder}")
        raise typer.Exit(EXIT_INTERRUPTED)


def show_example(run: Run) -> bool:
    """Open a window with the first test frame; False without a screen."""
    from pendigit.judging.figures import draw_example, show_figure

    return show_figure(draw_example(run.frame, run.example.probabilities))
