"""`pendigit train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pendigit.commands.options import options_of
from pendigit.errors import EXIT_INTERRUPTED
from pendigit.recipes import TrainingOptions

if TYPE_CHECKING:
    from pendigit.learning.run import Run


@options_of(TrainingOptions, argument="network")
def train(
    given: dict[str, Any],
    *,
    out: Annotated[
        Path | None, typer.Option(help="The run folder, a new one.", show_default="runs/NETWORK, numbered")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out, or the latest.")] = False,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Also write TensorBoard event files.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Open the first test image in a window.")] = False,
) -> None:
    """Train a network and keep everything worth keeping in a run folder."""
    import pendigit
    from pendigit.commands.progress import TrainingProgress
    from pendigit.commands.terminal import say, say_run

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
