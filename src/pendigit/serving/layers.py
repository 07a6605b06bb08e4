"""The tutorials' network, opened: its two layers of weights, out of the model file that ships.

ONNX Runtime runs a file but does not show its weights. They are read from the file itself, whose format is Protocol
Buffers, by the field numbers of onnx.proto.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pendigit.models import find_model

MODEL = "classic"
FLOAT = 1  # TensorProto.DataType
Weights = npt.NDArray[np.float32]


class Layers(NamedTuple):
    """Two dense layers: sums of the ten digits = relu(pixels / 255 @ hidden + hidden_bias) @ digits + digits_bias.

    Attributes:
        hidden: (784, 128) float32, each unit's weights of the pixels, row by row.
        hidden_bias: (128,) float32.
        digits: (128, 10) float32, each digit's weights of the units.
        digits_bias: (10,) float32.
    """

    hidden: Weights
    hidden_bias: Weights
    digits: Weights
    digits_bias: Weights


@cache
def layers() -> Layers:
    """The layers of the network that ships as `classic`."""
    tensors = initializers(find_model(MODEL).read_bytes())
    return Layers(*(tensors[name] for name in ("hidden_kernel", "hidden_bias", "digits_kernel", "digits_bias")))


def layer_bytes() -> bytes:
    """Their weights one after the other, float32, little end first: what a page reads in one go."""
    return b"".join(weights.tobytes() for weights in layers())


def initializers(model: bytes) -> dict[str, Weights]:
    """An ONNX file's float32 weights by name."""
    parsed = _model_message()
    parsed.ParseFromString(model)
    return {
        tensor.name: np.frombuffer(tensor.raw_data, "<f4").reshape(tuple(tensor.dims))
        for tensor in parsed.graph.initializer
        if tensor.data_type == FLOAT
    }


def _model_message() -> Any:
    """An empty ModelProto with the few fields of onnx.proto that lead to the weights."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="weights.proto", package="onnx")
    for message, name, number, kind, label in (
        ("ModelProto", "graph", 7, "GraphProto", kinds.LABEL_OPTIONAL),
        ("GraphProto", "initializer", 5, "TensorProto", kinds.LABEL_REPEATED),
        ("TensorProto", "dims", 1, kinds.TYPE_INT64, kinds.LABEL_REPEATED),
        ("TensorProto", "data_type", 2, kinds.TYPE_INT32, kinds.LABEL_OPTIONAL),
        ("TensorProto", "name", 8, kinds.TYPE_STRING, kinds.LABEL_OPTIONAL),
        ("TensorProto", "raw_data", 9, kinds.TYPE_BYTES, kinds.LABEL_OPTIONAL),
    ):
        described = next((each for each in file.message_type if each.name == message), None)
        described = described or file.message_type.add(name=message)
        inner = isinstance(kind, str)
        described.field.add(
            name=name,
            number=number,
            label=label,
            type=kinds.TYPE_MESSAGE if inner else kind,
            type_name=f".onnx.{kind}" if inner else None,
        )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("onnx.ModelProto"))()
