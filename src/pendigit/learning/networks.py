"""The networks, each a few lines of Keras layers. Input: frames (28, 28) scaled to 0-1. Output: ten values."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
from keras import layers

from pendigit.classifier import DIGITS, SIDE
from pendigit.errors import ModelError, UsageError
from pendigit.learning import seed
from pendigit.learning.export import DIGITNESS_LAYER, check_exportable
from pendigit.learning.keras_classifier import load_keras
from pendigit.recipes import TrainingOptions


def classic(options: TrainingOptions) -> keras.Model:
    """Flatten, Dense, Dropout, Dense: the tutorials' network, 101,770 parameters with 128 hidden units."""
    return _stack(
        "classic",
        layers.Flatten(name="flatten"),
        layers.Dense(options.hidden, activation="relu", name="hidden"),
        layers.Dropout(options.dropout, name="dropout"),
        layers.Dense(DIGITS, activation="softmax" if options.softmax else None, name="digits"),
    )


def quick(_options: TrainingOptions) -> keras.Model:
    """Two convolutions and a hidden layer: the most accuracy in half a minute."""
    return _stack(
        "quick",
        layers.Reshape((SIDE, SIDE, 1)),
        layers.Conv2D(24, 5, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(DIGITS),
    )


def strong(options: TrainingOptions) -> keras.Model:
    """Four convolutions with batch normalisation: what five minutes buy."""
    return _stack(
        "strong",
        *_three_convolutions(),
        *_normalised(128, 3),
        layers.Flatten(),
        layers.Dropout(options.dropout),
        layers.Dense(DIGITS),
    )


def tiny(options: TrainingOptions) -> keras.Model:
    """Four convolutions of 16 to 24 filters: under 10,000 parameters."""
    return _stack(
        "tiny",
        layers.Reshape((SIDE, SIDE, 1)),
        layers.Conv2D(16, 5, activation="relu"),
        layers.MaxPooling2D(),
        *_normalised(16, 3),
        *_normalised(16, 3),
        layers.MaxPooling2D(),
        *_normalised(24, 3),
        layers.Flatten(),
        layers.Dropout(options.dropout),
        layers.Dense(DIGITS),
    )


def taught(options: TrainingOptions) -> keras.Model:
    """The classic network, augmented, and taught by a better one."""
    return classic(options)


def reader(options: TrainingOptions) -> keras.Model:
    """For digits of all kinds, and for knowing what is none: the network of the weights that ship."""
    return _stack(
        "reader",
        *_three_convolutions(),
        *_normalised(128, 1),
        *_normalised(192, 3),
        layers.Flatten(),
        layers.Dense(128, use_bias=False),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
        layers.Dropout(options.dropout),
        layers.Dense(DIGITS + 1, name=DIGITNESS_LAYER),
    )


NETWORKS: dict[str, Callable[[TrainingOptions], keras.Model]] = {
    "classic": classic,
    "quick": quick,
    "strong": strong,
    "tiny": tiny,
    "taught": taught,
    "reader": reader,
}


def build(options: TrainingOptions) -> keras.Model:
    """The network that the options name, with initial weights drawn from their seed.

    Besides the names there may be a Python file with a function build() that returns a Keras network, or a .keras file,
    whose weights are trained further.

    Raises:
        UsageError: An unknown name, or a file without build().
        ModelError: A network with other inputs or outputs, or with a layer that cannot be exported.
    """
    name = options.network
    seed(options.seed)
    # Initial weights are drawn once: optimising the programs that draw them costs seconds and saves microseconds.
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        if name in NETWORKS:
            return NETWORKS[name](options)
        if name.endswith(".keras"):
            model = load_keras(Path(name))
        elif name.endswith(".py"):
            model = _from_file(Path(name))
        else:
            known = f"{', '.join(NETWORKS)}, a Python file with build(), or a .keras file"
            raise UsageError(f"unknown network {name!r}", known, "check the spelling")
    finally:
        jax.config.update("jax_disable_most_optimizations", False)
    check_exportable(model)
    return model


def multiply_adds(model: keras.Model) -> int:
    """Multiplications in one frame's way through the convolutions and dense layers of `model`."""
    total = 0
    for layer in model.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is not None:
            places = np.prod(layer.output.shape[1:-1], dtype=int)  # 1 for a dense layer
            total += int(np.prod(kernel.shape, dtype=int) * places)
    return total


def _stack(name: str, *parts: Any) -> keras.Model:
    return keras.Sequential([keras.Input((SIDE, SIDE), name="frames"), *parts], name=name)


def _three_convolutions() -> list[Any]:
    """Frames -> 64 channels on 4x4 places."""
    return [
        layers.Reshape((SIDE, SIDE, 1)),
        layers.Conv2D(32, 5, activation="relu"),  # not normalised: on 24x24 places that costs as much as it gains
        layers.MaxPooling2D(),
        *_normalised(32, 3),
        *_normalised(64, 3),
        layers.MaxPooling2D(),
    ]


def _normalised(filters: int, size: int) -> list[Any]:
    """A convolution, batch normalisation (Ioffe and Szegedy 2015) and ReLU."""
    return [layers.Conv2D(filters, size, use_bias=False), layers.BatchNormalization(momentum=0.9), layers.ReLU()]


def _from_file(path: Path) -> keras.Model:
    """The network that build() in the Python file at `path` returns. Raises UsageError, ModelError."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UsageError(f"no network file at {path}", "a Python file with build()", "check the path")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        model = module.build()
    except (Exception, SystemExit) as error:  # whatever the user's code raises
        reason = f"{type(error).__name__}: {error}".split("\n", maxsplit=1)[0][:160]
        raise UsageError(
            f"{path} failed: {reason}", "a build() that returns a Keras network", "mend the file"
        ) from error
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):  # a subclass's layers are unknown
        raise ModelError(f"build() in {path} gave a {type(model).__name__}", "a Keras network with an input", "mend it")
    return model
