"""A Keras network's layers in the order in which values pass through them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import keras

T = TypeVar("T")
Step = Callable[[Any, list[T]], T]  # a layer and what goes into it -> what comes out


def walk(model: keras.Model, source: T, step: Step[T]) -> T:
    """Take `source` through a functional model with one input and one output, and through models in it."""
    values = {id(model.inputs[0]): source}

    def value_of(tensor: Any) -> T:
        if id(tensor) not in values:
            layer, node_index, _ = tensor._keras_history
            inputs = [value_of(each) for each in layer._inbound_nodes[node_index].input_tensors]
            inner = isinstance(layer, keras.Model)
            values[id(tensor)] = walk(layer, inputs[0], step) if inner else step(layer, inputs)
        return values[id(tensor)]

    return value_of(model.outputs[0])
