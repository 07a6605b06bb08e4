"""From a trained row network to a model file, published only when its answers match Keras's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
from onnx import TensorProto, helper

from pendigit.errors import ModelError
from pendigit.ink import Grey
from pendigit.learning.graph import Bits, Graph, emit_network, round_kernels
from pendigit.learning.model_file import publish_model
from pendigit.rowframe import CLASSES, ROW_HEIGHT
from pendigit.rownet import RowNetwork

TOLERANCE = 1e-3  # largest difference of a log probability between Keras and the export, in nats
BITS: Bits = 8  # of a kernel's values; of 1,000 rows that touch 901 are read right, with 16 bits 902
WIDTHS = (32, 100, 384)  # pixels: a lone digit, some, a dozen


def export_rows(
    model: keras.Model, path: Path, frames: Grey, metadata: Mapping[str, object], temperature: float = 1
) -> None:
    """Write a row network to `path`: uint8 frames (n, 32, W) in, log probabilities (n, W / 2, 12) out.

    Its kernels are rounded to 8 bits, in the model too, and kept so.

    Args:
        model: Frames (n, 32, W, 1) scaled to 0-1 -> logits (n, W / 2, 12).
        path: The `.onnx` file to publish.
        frames: (n, 32, 384) uint8: what the export's answers are compared on.
        metadata: Written into the file; what is no text is written as JSON.
        temperature: Divides the logits before the softmax.

    Raises:
        ModelError: A layer cannot be exported, or the answers differ.
        OutputError: `path` cannot be written.
    """
    round_kernels(model, BITS)
    publish_model(
        _graph(model, temperature),
        path,
        metadata,
        lambda draft: _compare(model, RowNetwork(draft), frames, temperature),
    )


def keras_log_probabilities(model: keras.Model, frames: Grey, temperature: float = 1) -> np.ndarray:
    """Frames (n, 32, W) uint8 -> log probabilities (n, W / 2, 12) as Keras computes them."""
    logits = np.asarray(model(frames[..., None].astype(np.float32) / 255, training=False)) / np.float32(temperature)
    return np.asarray(keras.ops.log_softmax(logits))


def _graph(model: keras.Model, temperature: float) -> helper.GraphProto:
    graph = Graph(BITS)
    scaled = graph.add("Div", graph.add("Cast", "rows", to=TensorProto.FLOAT), graph.constant(255, "white"))
    source = graph.add("Unsqueeze", scaled, graph.ints(1))
    logits = emit_network(graph, model, source)
    cooled = graph.add("Div", logits, graph.constant(temperature, "temperature"))
    graph.nodes.append(helper.make_node("LogSoftmax", [cooled], ["log_probabilities"], axis=-1))
    return helper.make_graph(
        graph.nodes,
        "pendigit-rows",
        [helper.make_tensor_value_info("rows", TensorProto.UINT8, ["n", ROW_HEIGHT, "width"])],
        [helper.make_tensor_value_info("log_probabilities", TensorProto.FLOAT, ["n", "columns", CLASSES])],
        graph.constants,
    )


def _compare(model: keras.Model, export: RowNetwork, frames: Grey, temperature: float) -> None:
    """Raises ModelError if the export's answers differ from Keras's."""
    for width in WIDTHS:
        expected = keras_log_probabilities(model, frames[:, :, :width], temperature)
        difference = float(np.abs(np.exp(export.logits(frames[:, :, :width])) - np.exp(expected)).max())
        if not difference <= TOLERANCE:
            raise ModelError(
                f"the export's answers differ from Keras's by {difference:.1e} on rows of {width} pixels",
                f"at most {TOLERANCE:.0e}",
                "report this network: nothing was published",
            )
