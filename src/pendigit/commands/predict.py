"""`pendigit predict`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pendigit.commands.limits import MaxError, describe_kept
from pendigit.commands.terminal import say, say_error
from pendigit.doubt import parse_limit
from pendigit.errors import ImageError, UsageError
from pendigit.models import DEFAULT

if TYPE_CHECKING:
    from pendigit.classifier import Frames
    from pendigit.results import Digit

LISTED = 20  # digits that still fit a terminal


@dataclass(frozen=True)
class Item:
    """Something to predict: its name, its picture and its frame; the label where it is known."""

    name: str
    picture: Frames
    frame: Frames
    label: int | None = None


def predict(
    sources: Annotated[
        list[str], typer.Argument(help="Pictures of one digit each, or digits of a set: mnist:test, mnist:test:0-99.")
    ],
    model: Annotated[str | None, typer.Option(help="A model: name, file or run folder.", show_default=DEFAULT)] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write a CSV file of all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Draw picture, frame and probabilities here.")] = False,
    save: Annotated[Path | None, typer.Option(help="Draw them into a picture file.")] = None,
    max_error: MaxError = None,
) -> None:
    """Predict the digit in each picture, or the digits of a set. Exit code 3 if a picture could not be read."""
    import numpy as np

    import pendigit
    from pendigit.reading.reader import digits_of
    from pendigit.reading.stages import limit_of

    share = None if max_error is None else parse_limit(max_error)
    items, failures = gather(sources)
    digits: list[Digit] = []
    if items:
        frames = np.stack([item.frame for item in items])
        threads = 0 if len(items) > LISTED else 1  # for a few digits, starting threads takes longer than they save
        classifier = pendigit.load_classifier(model, threads=threads)
        digits = digits_of(classifier, frames, None if share is None else limit_of(classifier, share))
    if output is not None:
        write_csv(output, items, digits)
    if save is not None and items:
        save_figure(save, items, digits)
    if as_json:
        found = [_answer(item, digit) for item, digit in zip(items, digits, strict=True)]
        say(json.dumps(found + [{"source": name, "error": str(error)} for name, error in failures]))
    else:
        list_digits(items, digits, show, output)
        if share is not None:
            say(describe_kept(sum(digit.accepted for digit in digits), len(digits), share))
    for name, error in failures:
        say_error(str(error) if name in str(error) else f"{name}: {error}")
    if failures:
        raise typer.Exit(ImageError.exit_code)


def gather(sources: list[str]) -> tuple[list[Item], list[tuple[str, ImageError]]]:
    """What there is to predict, and the pictures that cannot be read. Raises UsageError, DataError for a bad set."""
    from pendigit.frame import to_frame
    from pendigit.reading.images import load_image

    items: list[Item] = []
    failures = []
    for source in sources:
        if ":" in source and not Path(source).exists():
            from pendigit.datasets.selection import parse_selection, select

            selection = parse_selection(source)
            for frame, label, index in zip(*select(selection), strict=True):
                items.append(Item(f"{selection.dataset}:{selection.part}:{index}", frame, frame, int(label)))
            continue
        try:
            picture = load_image(source)
            items.append(Item(source, picture, to_frame(picture)))
        except ImageError as error:
            failures.append((source, error))
    return items, failures


def list_digits(items: list[Item], digits: list[Digit], show: bool, output: Path | None) -> None:
    """Print the first digits, a line each or drawn, and how many of the labelled ones are right."""
    for item, digit in list(zip(items, digits, strict=True))[:LISTED]:
        say(f"{item.name}  Predicted digit: {describe(digit)}" + _label(item))
        if show:
            from pendigit.commands.drawing import draw_in_terminal

            draw_in_terminal(item.picture, item.frame, digit)
    if len(items) > LISTED:
        where = "-o FILE.csv writes all" if output is None else f"all are in {output}"
        say(f"… {len(items) - LISTED:,} more; {where}")
    known = [(item, digit) for item, digit in zip(items, digits, strict=True) if item.label is not None]
    labelled = [digit.digit == item.label for item, digit in known if digit.accepted]
    if len(labelled) > 1:
        say(f"{sum(labelled):,} of {len(labelled):,} as labelled ({sum(labelled) / len(labelled):.2%})")


def describe(digit: Digit) -> str:
    """A digit, its probability, and the runners-up that have at least 1 %; or why it is rejected."""
    if digit.doubt is not None:
        return f"{digit.text}, {digit.doubt}"
    others = [f"{other} {share:.1%}" for other, share in digit.runners_up[:3] if share >= 0.01]
    said = f"{digit.digit} ({digit.probability:.1%}{', then ' + ', '.join(others) if others else ''})"
    hardly = digit.digitness is not None and digit.digitness < 0.5
    return said + (f", hardly a digit ({digit.digitness:.1%})" if hardly else "")


def write_csv(path: Path, items: list[Item], digits: list[Digit]) -> None:
    """Publish a row for each item as a CSV file. Raises OutputError."""
    import csv

    from pendigit.files import publish

    with publish(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["source", "label", "predicted", "probability", "digitness", *(f"p{digit}" for digit in range(10))]
        )
        for item, digit in zip(items, digits, strict=True):
            shares = [round(share, 6) for share in digit.probabilities]
            whether = None if digit.digitness is None else round(digit.digitness, 6)
            writer.writerow([item.name, item.label, digit.text, round(digit.probability, 6), whether, *shares])


def save_figure(path: Path, items: list[Item], digits: list[Digit]) -> None:
    """Publish the figure of one prediction. Raises UsageError for more, OutputError."""
    from pendigit.extras import require

    if len(items) > 1:
        raise UsageError(f"--save with {len(items):,} digits", "one", "name one picture, or use -o FILE.csv")
    require("train", "matplotlib")
    from pendigit.judging.figures import draw_example, publish_figure

    publish_figure(draw_example(items[0].picture, digits[0].probabilities, items[0].frame), path)


def _label(item: Item) -> str:
    return "" if item.label is None else f", label {item.label}"


def _answer(item: Item, digit: Digit) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "source": item.name,
        "digit": digit.digit,
        "text": digit.text,
        "accepted": digit.accepted,
        "probability": round(digit.probability, 6),
        "confidence": round(digit.confidence, 6),
    }
    if digit.digitness is not None:
        answer["digitness"] = round(digit.digitness, 6)
    if digit.doubt is not None:
        answer["doubt"] = digit.doubt
    if item.label is not None:
        answer["label"] = item.label
    return answer | {"runners_up": [[other, round(share, 6)] for other, share in digit.runners_up]}
