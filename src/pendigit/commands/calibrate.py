"""`pendigit calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pendigit.doubt import parse_limit
from pendigit.models import DEFAULT


def calibrate(
    data: Annotated[str, typer.Argument(help="Labelled digits: a folder with 0/ to 9/, a file, or SET:PART.")],
    out: Annotated[Path, typer.Option(help="The calibrated model to write, an .onnx file.")],
    model: Annotated[str | None, typer.Option(help="A model: name, file or run folder.", show_default=DEFAULT)] = None,
    max_error: Annotated[str, typer.Option(help="The limit that has to be promised.")] = "1%",
) -> None:
    """Find what a model can promise about digits like yours, and write it into a copy of the model."""
    from pendigit.classifier import NO_DIGIT, OnnxClassifier
    from pendigit.commands.terminal import say
    from pendigit.datasets.selection import parse_selection, select
    from pendigit.doubt import as_metadata, confidence, threshold_for
    from pendigit.errors import OutputError
    from pendigit.judging.calibration import confidences
    from pendigit.judging.rejection import MOST, find_threshold, promises
    from pendigit.judging.stamp import stamp
    from pendigit.models import find_model

    limit = parse_limit(max_error)
    if out.suffix != ".onnx":
        raise OutputError(f"{out} names no model", "an ending .onnx", "add it")
    path = find_model(model)
    classifier = OnnxClassifier(path, threads=0)
    frames, labels, _ = select(parse_selection(data if data.endswith((":train", ":test")) else f"{data}:train"))
    frames, labels = frames[labels != NO_DIGIT], labels[labels != NO_DIGIT]
    probabilities, digitness = classifier.judge(frames)
    probability, correct = confidences(labels, probabilities)
    sure = confidence(probability, digitness)
    asked = find_threshold(sure, correct, limit, most=MOST)
    found = {each.max_error: each for each in (*promises(sure, correct), asked)}
    metadata = as_metadata(found[key] for key in sorted(found))
    stamp(path, out, metadata)
    kept = threshold_for(limit, metadata, out.stem)
    say(
        f"{out}: of {len(labels):,} digits {correct.mean():.2%} right; an error of at most {limit * 100:.4g}% "
        f"leaves {kept.coverage:.1%} of them"
    )
