"""From a trained Keras network to a model file of the contract, published only when its answers match."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper

from pendigit.classifier import (
    BATCH,
    DIGITS,
    INPUT_SHAPES,
    SIDE,
    Frames,
    OnnxClassifier,
    Probabilities,
    to_probabilities,
)
from pendigit.errors import ModelError
from pendigit.learning.graph import Bits, Graph, emit_network, round_kernels
from pendigit.learning.model_file import publish_model

TOLERANCE = 1e-5  # largest difference of a probability between Keras and the export
DIGITNESS_LAYER = "digits_and_digitness"  # the name of a last layer with eleven outputs
CHECKED_BATCHES = (1, 7, 256)  # frames: one, a few, many


def export_onnx(
    model: keras.Model,
    path: Path,
    frames: Frames,
    metadata: Mapping[str, object],
    temperature: float = 1,
    bits: Bits = 32,
) -> None:
    """Write `model` (frames scaled to 0-1 -> logits or probabilities) to `path` as a model file of the contract.

    Args:
        model: A Keras network of one input and one output (n, 10).
        path: The `.onnx` file to publish.
        frames: (n, 28, 28) uint8, n >= 256: what the export's answers are compared on.
        metadata: Written into the file; what is no text is written as JSON.
        temperature: Divides the logits before the softmax (Guo et al. 2017); 1 leaves them as they are.
        bits: Round kernels to so many, in the model too, and keep them so.

    Raises:
        ModelError: A layer cannot be exported, the shapes are others, or the answers differ by more than 1e-5.
        OutputError: `path` cannot be written.
    """
    round_kernels(model, bits)
    publish_model(
        _graph(model, temperature, bits),
        path,
        metadata,
        lambda draft: _compare(model, OnnxClassifier(draft), frames, temperature),
    )


def ends_in_softmax(model: keras.Model) -> bool:
    """Whether the network's output is probabilities already."""
    last = _last_layer(model)
    return isinstance(last, keras.layers.Softmax) or getattr(last, "activation", None) is keras.activations.softmax


def knows_digitness(model: keras.Model) -> bool:
    """Whether the network has an eleventh output, the logit of there being one digit at all: its last layer says so."""
    return bool(_last_layer(model).name == DIGITNESS_LAYER)


def _last_layer(model: keras.Model) -> keras.Layer:
    last = model.outputs[0]._keras_history.operation
    while isinstance(last, keras.Model):
        last = last.outputs[0]._keras_history.operation
    return last


def check_exportable(model: keras.Model) -> None:
    """Raises ModelError if the network's shapes or layers keep it from being exported, before any training."""
    _graph(model, temperature=1)


def check_shapes(model: keras.Model) -> None:
    """Raises ModelError unless the network takes one frame of a known shape and gives ten values."""
    inputs = [tuple(tensor.shape[1:]) for tensor in model.inputs]
    outputs = [tuple(tensor.shape[1:]) for tensor in model.outputs]
    wanted = (DIGITS + 1 if knows_digitness(model) else DIGITS,)
    if len(inputs) != 1 or inputs[0] not in INPUT_SHAPES or outputs != [wanted]:
        raise ModelError(
            f"the network takes {inputs} and gives {outputs}",
            f"one input among {INPUT_SHAPES} and one output (10,)",
            "change its input or its last layer",
        )


def _graph(model: keras.Model, temperature: float, bits: Bits = 32) -> helper.GraphProto:
    check_shapes(model)
    graph = Graph(bits)
    scaled = graph.add(
        "Div", graph.add("Cast", "frames", to=TensorProto.FLOAT), graph.constant(255, "white")
    )  # 255: the brightest ink
    shape = [int(side) for side in model.inputs[0].shape[1:]]
    if shape != [SIDE, SIDE]:
        scaled = graph.add("Reshape", scaled, graph.ints(-1, *shape))
    if len(shape) == 3:
        scaled = graph.add("Transpose", scaled, perm=[0, 3, 1, 2])
    outputs = emit_network(graph, model, scaled)
    published = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", DIGITS])]
    if knows_digitness(model):
        last = graph.add("Slice", outputs, graph.ints(DIGITS), graph.ints(DIGITS + 1), graph.ints(1))
        whether = graph.add("Reshape", last, graph.ints(-1))
        graph.nodes.append(helper.make_node("Sigmoid", [whether], ["digitness"]))
        published.append(helper.make_tensor_value_info("digitness", TensorProto.FLOAT, ["n"]))
        outputs = graph.add("Slice", outputs, graph.ints(0), graph.ints(DIGITS), graph.ints(1))
    logits = graph.add("Log", outputs) if ends_in_softmax(model) else outputs
    cooled = graph.add("Div", logits, graph.constant(temperature, "temperature"))
    graph.nodes.append(helper.make_node("Softmax", [cooled], ["probabilities"], axis=-1))
    return helper.make_graph(
        graph.nodes,
        "pendigit",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", SIDE, SIDE])],
        published,
        graph.constants,
    )


def _compare(model: keras.Model, export: OnnxClassifier, frames: Frames, temperature: float) -> None:
    """Raises ModelError if the export's answers differ from Keras's."""
    if len(frames) < max(CHECKED_BATCHES):
        frames = np.resize(frames, (max(CHECKED_BATCHES), SIDE, SIDE))
    expected = keras_answers(model, frames[: max(CHECKED_BATCHES)], temperature)
    for count in CHECKED_BATCHES:
        difference = max(
            float(np.abs(its - ours[:count]).max())
            for its, ours in zip(export.judge(frames[:count]), expected, strict=True)
            if its is not None and ours is not None
        )
        if not difference <= TOLERANCE:
            raise ModelError(
                f"the export's probabilities differ from Keras's by {difference:.1e} in a batch of {count}",
                f"at most {TOLERANCE:.0e}",
                "report this network: nothing was published",
            )


def keras_probabilities(model: keras.Model, frames: Frames, temperature: float = 1) -> Probabilities:
    """Frames (n, 28, 28) uint8 -> the network's probabilities (n, 10) float32, as Keras computes them."""
    return keras_answers(model, frames, temperature)[0]


def keras_answers(
    model: keras.Model, frames: Frames, temperature: float = 1
) -> tuple[Probabilities, npt.NDArray[np.float32] | None]:
    """Frames (n, 28, 28) uint8 -> probabilities (n, 10) and, where the network has it, digitness (n,), both float32."""
    shape = tuple(model.inputs[0].shape[1:])
    outputs = np.asarray(
        model.predict(frames.reshape(-1, *shape).astype(np.float32) / 255, batch_size=BATCH, verbose=0)
    )
    digitness = sigmoid(outputs[:, DIGITS]) if knows_digitness(model) else None
    outputs = outputs[:, :DIGITS]
    if ends_in_softmax(model):
        outputs = np.log(np.maximum(outputs, np.finfo(np.float32).tiny))
    return to_probabilities(outputs / np.float32(temperature), Path(model.name)), digitness


def sigmoid(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Logits (n,) -> probabilities (n,), without overflow for large ones."""
    return np.asarray(0.5 + 0.5 * np.tanh(logits / 2), np.float32)
