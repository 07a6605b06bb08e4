"""The models that ship, and finding a model by name or path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pendigit.errors import UsageError

WEIGHTS = Path(__file__).parent / "weights"
ROWS = "rows"  # reads whole rows, and is no classifier
DEFAULT = "reader"  # for digits of all hands; `classic` is the tutorials' network


def shipped() -> dict[str, Path]:
    """Name -> file of every classifier inside the package."""
    return {path.stem: path for path in sorted(WEIGHTS.glob("*.onnx")) if path.stem != ROWS}


def cards() -> dict[str, dict[str, Any]]:
    """Name -> card of every shipped model: how it was made, how it scores, what it is not for."""
    return {name: json.loads(path.with_suffix(".json").read_text()) for name, path in shipped().items()}


def find_model(model: str | Path | None = None) -> Path:
    """The file of a shipped model's name, a model file's path, a run folder (its model.onnx), or None for the default.

    Raises UsageError for a name that is none of these.
    """
    names = shipped()
    if model is None:
        return names[DEFAULT]
    if str(model) in names:
        return names[str(model)]
    path = Path(model).expanduser()
    if path.is_dir():
        return path / "model.onnx"
    if path.exists() or path.suffix in {".onnx", ".keras"}:  # a missing file gets its own words when it is opened
        return path
    raise UsageError(
        f"unknown model {str(model)!r}",
        f"a shipped name ({', '.join(names)}), a run folder, or the path of an .onnx or .keras file",
        "check the spelling",
    )
