"""A Keras network as an ONNX graph, layer by layer.

Keras keeps pictures as (n, height, width, channels), ONNX as (n, channels, height, width): a four-dimensional Keras
tensor is held transposed in the graph, and turned back only where its elements are put in another order (Flatten,
Reshape). Definitions: the ONNX operators' specification; Keras's own layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import keras
import numpy as np
import numpy.typing as npt
from onnx import NodeProto, TensorProto, helper, numpy_helper

from pendigit.errors import ModelError
from pendigit.learning.walk import walk

Emit = Callable[["Graph", Any, list[str]], str]
Bits: TypeAlias = Literal[8, 16, 32]
GREATEST = 127  # a kernel's largest value in 8 bits


class Graph:
    """ONNX nodes and constants in the making.

    Args:
        bits: Of a kernel's values: floats of 32 or 16, or whole numbers of 8 with a scale for each of the kernel's
            outputs. Fewer make a smaller file; what is computed with them stays in 32 bits.
    """

    def __init__(self, bits: Bits = 32) -> None:
        self._bits = bits
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self._names: dict[str, int] = {}
        self._stored: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Append a node with one output and return the output's name."""
        name = self._unique(operator.lower())
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, values: npt.ArrayLike, name: str = "constant", dtype: npt.DTypeLike = np.float32) -> str:
        """Store `values` and return their name; the same numbers are stored once, as those of a layer used twice."""
        array = np.ascontiguousarray(values, dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._stored:
            self._stored[key] = self._unique(name)
            self.constants.append(numpy_helper.from_array(array, self._stored[key]))
        return self._stored[key]

    def kernel(self, values: npt.ArrayLike, name: str, outputs: int = -1) -> str:
        """Store a layer's weights, whose axis `outputs` is that of what the layer gives, and return their name."""
        if self._bits == 32:
            return self.constant(values, name)
        if self._bits == 16:
            return self.add("Cast", self.constant(values, name, np.float16), to=TensorProto.FLOAT)
        whole, scales = _whole(np.asarray(values), outputs)
        floats = self.add("Cast", self.constant(whole, name, np.int8), to=TensorProto.FLOAT)
        return self.add("Mul", floats, self.constant(scales, f"{name}_scales"))

    def ints(self, *values: int) -> str:
        """Store whole numbers, as shapes and axes need them."""
        return self.constant(values, "ints", np.int64)

    def _unique(self, name: str) -> str:
        count = self._names.get(name, 0)
        self._names[name] = count + 1
        return f"{name}_{count}" if count else name


def round_kernels(model: keras.Model, bits: Bits) -> None:
    """Round a network's kernels as a `Graph` of so many bits keeps them; with 32 they stay as they are."""
    if bits == 32:
        return
    for variable in model.variables:
        if variable.path.endswith("/kernel"):
            variable.assign(_rounded(np.asarray(variable), bits))


def _rounded(kernel: np.ndarray, bits: Bits) -> npt.NDArray[np.float32]:
    if bits == 8:
        whole, scales = _whole(kernel, outputs=-1)
        return whole * scales
    return kernel.astype(np.float16).astype(np.float32)


def _whole(kernel: np.ndarray, outputs: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """A kernel as whole numbers, and the scales by which to multiply them: the largest of each output is GREATEST."""
    others = tuple(axis for axis in range(kernel.ndim) if axis != outputs % kernel.ndim)
    largest = np.abs(kernel).max(axis=others, keepdims=True)
    scales = np.where(largest > 0, largest / GREATEST, 1).astype(np.float32)
    whole: npt.NDArray[np.float32] = np.rint(kernel / scales)
    return whole, scales


def emit_network(graph: Graph, model: keras.Model, source: str) -> str:
    """Append `model`, reading from `source`, and return its output's name. Raises ModelError for an unknown layer."""

    def emit(layer: Any, inputs: list[str]) -> str:
        for kind in type(layer).__mro__:
            if kind.__name__ in EMITTERS:
                return EMITTERS[kind.__name__](graph, layer, inputs)
        raise ModelError(
            f"layer {layer.name!r} is a {type(layer).__name__}, which cannot be exported",
            f"Keras layers among {', '.join(EMITTERS)}",
            "replace the layer",
        )

    return walk(model, source, emit)


def _same(graph: Graph, layer: Any, inputs: list[str]) -> str:
    return inputs[0]


def _flatten(graph: Graph, layer: Any, inputs: list[str]) -> str:
    return graph.add("Reshape", _channels_last(graph, layer, inputs[0]), graph.ints(-1, int(layer.output.shape[-1])))


def _reshape(graph: Graph, layer: Any, inputs: list[str]) -> str:
    shape = [-1 if side is None else int(side) for side in layer.output.shape[1:]]
    count = 0 if -1 in shape else -1  # one side may be free; 0 takes what the input has
    shaped = graph.add("Reshape", _channels_last(graph, layer, inputs[0]), graph.ints(count, *shape))
    return graph.add("Transpose", shaped, perm=[0, 3, 1, 2]) if len(shape) == 3 else shaped


def _channels_last(graph: Graph, layer: Any, value: str) -> str:
    return graph.add("Transpose", value, perm=[0, 2, 3, 1]) if len(layer.input.shape) == 4 else value


def _dense(graph: Graph, layer: Any, inputs: list[str]) -> str:
    if len(layer.input.shape) != 2:
        raise ModelError(
            f"layer {layer.name!r} is a Dense on shape {layer.input.shape}", "a flat input", "put a Flatten before it"
        )
    kernel = graph.kernel(layer.kernel, f"{layer.name}_kernel")
    bias = [graph.constant(layer.bias, f"{layer.name}_bias")] if layer.use_bias else []
    return _activate(graph, layer, graph.add("Gemm", inputs[0], kernel, *bias))


def _einsum_dense(graph: Graph, layer: Any, inputs: list[str]) -> str:
    if len(layer.input.shape) == 4 or len(layer.output.shape) == 4:
        raise ModelError(f"layer {layer.name!r} is an EinsumDense on pictures", "a Conv2D", "replace the layer")
    kernel = graph.kernel(layer.kernel, f"{layer.name}_kernel")
    product = graph.add("Einsum", inputs[0], kernel, equation=layer.equation)
    if layer.bias is not None:
        product = graph.add("Add", product, graph.constant(layer.bias, f"{layer.name}_bias"))
    return _activate(graph, layer, product)


def _convolution(graph: Graph, layer: Any, inputs: list[str]) -> str:
    depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
    kernel = np.asarray(layer.kernel)  # (height, width, in, out), depthwise: (height, width, channels, multiplier)
    if depthwise:
        kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
    weights = graph.kernel(kernel.transpose(3, 2, 0, 1), f"{layer.name}_kernel", outputs=0)
    bias = [graph.constant(layer.bias, f"{layer.name}_bias")] if layer.use_bias else []
    convolved = graph.add(
        "Conv",
        inputs[0],
        weights,
        *bias,
        strides=list(layer.strides),
        dilations=list(layer.dilation_rate),
        group=int(layer.input.shape[-1]) if depthwise else layer.groups,
        pads=_pads(layer, layer.kernel_size, layer.dilation_rate),
    )
    return _activate(graph, layer, convolved)


def _max_pool(graph: Graph, layer: Any, inputs: list[str]) -> str:
    return graph.add("MaxPool", inputs[0], **_window(layer))


def _average_pool(graph: Graph, layer: Any, inputs: list[str]) -> str:
    return graph.add("AveragePool", inputs[0], **_window(layer))


def _window(layer: Any) -> dict[str, list[int]]:
    return {
        "kernel_shape": list(layer.pool_size),
        "strides": list(layer.strides),
        "pads": _pads(layer, layer.pool_size, (1, 1)),
    }


def _pads(layer: Any, size: tuple[int, ...], dilation: tuple[int, ...]) -> list[int]:
    """Keras's padding as ONNX's [top, left, bottom, right]; "same" puts the odd pixel at the end."""
    if layer.padding == "valid":
        return [0, 0, 0, 0]
    before, after = [], []
    for axis, side in enumerate(layer.input.shape[1:3]):
        reach = (size[axis] - 1) * dilation[axis] + 1
        total = max((-(-side // layer.strides[axis]) - 1) * layer.strides[axis] + reach - side, 0)
        before.append(total // 2)
        after.append(total - total // 2)
    return before + after


def _batch_norm(graph: Graph, layer: Any, inputs: list[str]) -> str:
    mean = np.asarray(layer.moving_mean)
    scale = layer.gamma if layer.scale else np.ones_like(mean)
    shift = layer.beta if layer.center else np.zeros_like(mean)
    parts = [graph.constant(part, f"{layer.name}_norm") for part in (scale, shift, mean, layer.moving_variance)]
    return graph.add("BatchNormalization", inputs[0], *parts, epsilon=float(layer.epsilon))


def _global_average(graph: Graph, layer: Any, inputs: list[str]) -> str:
    return graph.add("Flatten", graph.add("GlobalAveragePool", inputs[0]))


def _global_max(graph: Graph, layer: Any, inputs: list[str]) -> str:
    return graph.add("Flatten", graph.add("GlobalMaxPool", inputs[0]))


def _zero_padding(graph: Graph, layer: Any, inputs: list[str]) -> str:
    (top, bottom), (left, right) = layer.padding
    return graph.add("Pad", inputs[0], graph.ints(0, 0, top, left, 0, 0, bottom, right))


def _sum(graph: Graph, layer: Any, inputs: list[str]) -> str:
    return graph.add("Sum", *inputs)


def _concatenate(graph: Graph, layer: Any, inputs: list[str]) -> str:
    rank = len(layer.output.shape)
    axis = layer.axis % rank
    return graph.add("Concat", *inputs, axis={1: 2, 2: 3, 3: 1}.get(axis, 0) if rank == 4 else axis)


def _rescaling(graph: Graph, layer: Any, inputs: list[str]) -> str:
    scaled = graph.add("Mul", inputs[0], graph.constant(layer.scale, "scale"))
    return graph.add("Add", scaled, graph.constant(layer.offset, "offset"))


def _activation(graph: Graph, layer: Any, inputs: list[str]) -> str:
    return _activate(graph, layer, inputs[0])


def _relu(graph: Graph, layer: Any, inputs: list[str]) -> str:
    if layer.max_value is None and not layer.threshold:
        return graph.add("LeakyRelu", inputs[0], alpha=float(layer.negative_slope or 0))
    raise ModelError(f"layer {layer.name!r} is a capped ReLU", "a plain or leaky ReLU", "use layers.ReLU()")


def _leaky_relu(graph: Graph, layer: Any, inputs: list[str]) -> str:
    return graph.add("LeakyRelu", inputs[0], alpha=float(layer.negative_slope))


def _softmax(graph: Graph, layer: Any, inputs: list[str]) -> str:
    return graph.add("Softmax", inputs[0], axis=-1)


ACTIVATIONS: dict[str, Callable[[Graph, str], str]] = {
    "linear": lambda graph, value: value,
    "relu": lambda graph, value: graph.add("Relu", value),
    "sigmoid": lambda graph, value: graph.add("Sigmoid", value),
    "tanh": lambda graph, value: graph.add("Tanh", value),
    "elu": lambda graph, value: graph.add("Elu", value),
    "selu": lambda graph, value: graph.add("Selu", value),
    "softplus": lambda graph, value: graph.add("Softplus", value),
    "silu": lambda graph, value: graph.add("Mul", value, graph.add("Sigmoid", value)),
    "leaky_relu": lambda graph, value: graph.add("LeakyRelu", value, alpha=0.2),  # Keras's default slope
    "softmax": lambda graph, value: graph.add("Softmax", value, axis=-1),
}


def _activate(graph: Graph, layer: Any, value: str) -> str:
    name = getattr(layer.activation, "__name__", "linear")
    if name not in ACTIVATIONS:
        raise ModelError(
            f"layer {layer.name!r} has the activation {name!r}", ", ".join(ACTIVATIONS), "choose one of these"
        )
    return ACTIVATIONS[name](graph, value)


EMITTERS: dict[str, Emit] = {
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Dense": _dense,
    "EinsumDense": _einsum_dense,
    "Conv2D": _convolution,
    "DepthwiseConv2D": _convolution,
    "MaxPooling2D": _max_pool,
    "AveragePooling2D": _average_pool,
    "GlobalAveragePooling2D": _global_average,
    "GlobalMaxPooling2D": _global_max,
    "ZeroPadding2D": _zero_padding,
    "BatchNormalization": _batch_norm,
    "Activation": _activation,
    "ReLU": _relu,
    "LeakyReLU": _leaky_relu,
    "Softmax": _softmax,
    "Add": _sum,
    "Concatenate": _concatenate,
    "Rescaling": _rescaling,
    "Dropout": _same,
    "SpatialDropout2D": _same,
    "GaussianNoise": _same,
    "GaussianDropout": _same,
}
