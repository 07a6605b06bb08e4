"""`pendigit predict`."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pendigit.results import Digit

LISTED = 20  # lines that still fit a terminal; more is a summary


def predict(
    source: Annotated[str, typer.Argument(help="Digits of a set: mnist:test, mnist:test:0, mnist:test:0-99.")],
    model: Annotated[
        str | None, typer.Option(help="A model's name, file or run folder.", show_default="classic")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write a CSV file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Predict digits of a set, each with its probabilities."""
    import pendigit
    from pendigit.commands.terminal import say
    from pendigit.datasets.selection import parse_selection, select
    from pendigit.results import Digit

    selection = parse_selection(source)
    frames, labels, indices = select(selection)
    classifier = pendigit.load_classifier(model, threads=0)
    digits = [Digit.of(row) for row in classifier.predict_proba(frames)]
    rows = [
        {"index": int(index), "label": int(label)} | _cells(digit)
        for index, label, digit in zip(indices, labels, digits, strict=True)
    ]
    if output is not None:
        write_csv(output, rows)
    if as_json:
        say(json.dumps(rows))
        return
    for row, digit in zip(rows[:LISTED], digits[:LISTED], strict=True):
        say(
            f"{selection.dataset}:{selection.part}:{row['index']}  "
            f"Predicted digit: {describe(digit)}, label {row['label']}"
        )
    if len(rows) > LISTED:
        say(f"… {len(rows) - LISTED:,} more; -o FILE.csv writes all")
    right = sum(row["predicted"] == row["label"] for row in rows)
    say(f"{right:,} of {len(rows):,} as labelled ({right / len(rows):.2%})")


def describe(digit: Digit) -> str:
    """A digit, its probability, and the runners-up that have at least 1 %."""
    others = [f"{other} {share:.1%}" for other, share in digit.runners_up[:3] if share >= 0.01]
    return f"{digit.digit} ({digit.probability:.1%}{', then ' + ', '.join(others) if others else ''})"


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    """Publish rows of the same columns as a CSV file. Raises OutputError."""
    from pendigit.files import publish

    with publish(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _cells(digit: Digit) -> dict[str, Any]:
    cells = {f"p{value}": round(share, 6) for value, share in enumerate(digit.probabilities)}
    return {"predicted": digit.digit, "probability": round(digit.probability, 6)} | cells
