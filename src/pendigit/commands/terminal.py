"""What the terminal shows: lines, errors in one line, scores. Rich loads only where it draws."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pendigit.learning.run import Run
    from pendigit.results import Evaluation


def say_error(line: str) -> None:
    """Print one line to standard error."""
    sys.stderr.write(f"pendigit: {' '.join(line.split())}\n")


def say(line: str = "") -> None:
    """Print one line to standard output."""
    sys.stdout.write(f"{line}\n")


def say_evaluation(evaluation: Evaluation) -> None:
    """Print a model's scores: the accuracy, then a table of the ten digits."""
    from rich.console import Console
    from rich.table import Table

    low, high = evaluation.interval
    console = Console(highlight=False)
    console.print(
        f"[bold]{evaluation.accuracy:.2%}[/] of {evaluation.data} right "
        f"({evaluation.correct:,} of {evaluation.count:,}; 95 % interval {low:.2%} to {high:.2%}), "
        f"loss {evaluation.loss:.4f}",
        soft_wrap=True,
    )
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("digit", "precision", "recall", "most often read as"):
        table.add_column(column, justify="right" if column != "most often read as" else "left")
    for digit, row in enumerate(evaluation.confusion):
        errors = sorted(((count, other) for other, count in enumerate(row) if other != digit and count), reverse=True)
        read_as = ", ".join(f"{other} ({count})" for count, other in errors[:3])
        table.add_row(str(digit), _share(evaluation.precision[digit]), _share(evaluation.recall[digit]), read_as)
    console.print(table)


def say_run(run: Run) -> None:
    """Tell how a training ended: the score, the example of the first frame, where everything is."""
    scores, example = run.evaluation, run.example
    low, high = scores.interval
    say(f"\n{scores.data}: {scores.accuracy:.2%} right (95 % interval {low:.2%} to {high:.2%})")
    say(f"First image of {scores.data}: Predicted digit: {example.digit} ({example.probability:.1%})")
    say(f"Saved in {run.folder}: {', '.join(sorted(path.name for path in run.folder.iterdir() if path.suffix))}")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"
