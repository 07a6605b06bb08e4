"""Publishing a graph as a model file, once its answers were looked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from onnx import GraphProto, checker, helper, save_model

from pendigit import __version__
from pendigit.files import publish

OPSET = 17  # has every operator used here, and is read by ONNX Runtime 1.12 and later
IR_VERSION = 8  # the file format that belongs to this opset


def publish_model(
    graph: GraphProto, path: Path, metadata: Mapping[str, object], compare: Callable[[Path], None]
) -> None:
    """Write `graph` with its metadata to `path`, unless `compare`, given the draft, raises.

    What is no text in the metadata is written as JSON. Raises OutputError where `path` cannot be written.
    """
    proto = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="pendigit",
        producer_version=__version__,
    )
    helper.set_model_props(proto, {key: v if isinstance(v, str) else json.dumps(v) for key, v in metadata.items()})
    checker.check_model(proto, full_check=True)
    with publish(path) as draft:
        save_model(proto, draft)
        compare(draft)
