"""Thresholds written into a model file, which otherwise stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pendigit.extras import require
from pendigit.files import publish


def stamp(source: Path, target: Path, metadata: Mapping[str, str]) -> None:
    """Publish the ONNX file `source` as `target` with more metadata; a key that was there gets its new text.

    Raises:
        MissingExtraError: The extra [calibrate] is not installed.
        OutputError: `target` cannot be written.
    """
    require("calibrate", "onnx")
    import onnx

    model = onnx.load(source)
    known = {each.key: each.value for each in model.metadata_props}
    onnx.helper.set_model_props(model, known | dict(metadata))
    with publish(target) as draft:
        onnx.save_model(model, draft)
