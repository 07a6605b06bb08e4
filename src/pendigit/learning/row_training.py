"""Trains the row network with connectionist temporal classification (Graves, Fernandez, Gomez and Schmidhuber 2006).

No row is ever cut into digits. As generated rows know where their signs stand, a second, smaller loss asks for each
sign near its middle, which shortens the start and makes the alignment tell where a digit is.

The network is Keras's, its layers are computed by TensorFlow: its convolutions of numbers of 16 bits run on a CPU's
matrix units (oneDNN), which JAX has no convolutions for. Weights, their averages and the sums keep 32 bits. A processor
without such units imitates 16 bits, in 14 times the time of 32, and gets 32.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pendigit.errors import ModelError, TrainingError
from pendigit.extras import load
from pendigit.learning.rows import NEAR, Batch
from pendigit.learning.training import Arrays
from pendigit.learning.walk import walk
from pendigit.rowframe import BLANK

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # no banners about the machine
tf: Any = load("rows", "tensorflow")

PROCESSOR = Path("/proc/cpuinfo")  # Linux's alone


def compute_dtype(processor: str) -> Any:
    """What `PROCESSOR` says of itself -> the dtype in which it computes layers fastest."""
    return tf.bfloat16 if {"avx512_bf16", "amx_bf16"} & set(processor.split()) else tf.float32


COMPUTE = compute_dtype(PROCESSOR.read_text() if PROCESSOR.exists() else "")
IMPOSSIBLE = 1e4  # nats: no way through the columns says so many signs
CLEAR = 2  # columns around a sign's middle that may tell it or nothing
PLACES = 0.3  # weight of the loss of places against CTC's
EMA = 0.998  # of the weights that are kept: an average over about five hundred steps
DECAY, LONGEST = 1e-4, 2.0  # of the weights, times the rate, and of the gradient: AdamW (Loshchilov and Hutter 2019)
BETAS, EPSILON = (0.9, 0.999), 1e-7  # Adam's usual ones (Kingma and Ba 2015)


class RowTraining:
    """Trains the row network batch by batch with AdamW and one cycle of the learning rate.

    Args:
        model: The network.
        rate: The highest learning rate.
        warm: The share of the training in which the rate rises to it.
    """

    def __init__(self, model: keras.Model, rate: float, warm: float) -> None:
        self.model, self._rate, self._warm = model, rate, warm
        names = [variable.path for variable in model.trainable_variables]
        self._weights = {each.path: tf.Variable(np.asarray(each.value)) for each in model.variables}
        self._average, self._mean, self._square = (
            {name: tf.Variable(start(self._weights[name])) for name in names}
            for start in (tf.identity, tf.zeros_like, tf.zeros_like)
        )
        self._steps = tf.Variable(0.0)
        self._step = tf.function(self._update, autograph=False)  # no loop of it is TensorFlow's

    def run(self, found: list[Batch], start: float, share: float) -> Iterator[float]:
        """Train on batches, which are the training's `share` from `start` (0 to 1) on, yielding each loss."""
        for index, batch in enumerate(found):
            rate = self._rate_at(start + share * index / len(found))
            loss = float(self._step(Batch(*map(tf.constant, batch)), tf.constant(rate, tf.float32)))
            if not math.isfinite(loss):
                raise TrainingError("the loss became NaN or infinite", "a finite loss", "train with a lower rate")
            yield loss

    def arrays(self) -> Arrays:
        """The state as host arrays."""
        return {key: variable.numpy() for key, variable in self._state().items()}

    def restore(self, arrays: Arrays) -> None:
        """Go on from what `arrays` gave."""
        for key, variable in self._state().items():
            variable.assign(arrays[key])

    def settle(self) -> keras.Model:
        """Put the average of the weights into the network and return it."""
        for variable in self.model.variables:
            variable.assign(self._average.get(variable.path, self._weights[variable.path]).numpy())
        return self.model

    def _state(self) -> dict[str, Any]:
        groups = {"weights": self._weights, "average": self._average, "mean": self._mean, "square": self._square}
        parts = {f"{group}/{name}": value for group, values in groups.items() for name, value in values.items()}
        return parts | {"steps": self._steps}

    def _rate_at(self, done: float) -> float:
        if done < self._warm:
            return self._rate * (0.04 + 0.96 * done / self._warm)
        return self._rate * (0.005 + 0.995 * (1 + math.cos(math.pi * (done - self._warm) / (1 - self._warm))) / 2)

    def _update(self, batch: Batch, rate: Any) -> Any:
        moving: list[tuple[Any, Any]] = []
        with tf.GradientTape() as tape:
            logits = _logits(self.model, self._weights, batch.frames, moving)
            loss = row_loss(logits, batch)
        names = list(self._average)
        slopes, _ = tf.clip_by_global_norm(tape.gradient(loss, [self._weights[name] for name in names]), LONGEST)
        self._steps.assign_add(1.0)
        kept = tf.minimum(EMA, (1 + self._steps) / (10 + self._steps))  # short at the start
        for name, slope in zip(names, slopes, strict=True):
            self._adam(name, slope, rate)
            self._average[name].assign(kept * self._average[name] + (1 - kept) * self._weights[name])
        for variable, value in moving:
            variable.assign(value)
        return loss

    def _adam(self, name: str, slope: Any, rate: Any) -> None:
        weight = self._weights[name]
        weight.assign_sub(rate * DECAY * weight)
        tf.raw_ops.ResourceApplyAdam(
            var=weight.handle,
            m=self._mean[name].handle,
            v=self._square[name].handle,
            beta1_power=BETAS[0] ** self._steps,
            beta2_power=BETAS[1] ** self._steps,
            lr=rate,
            beta1=BETAS[0],
            beta2=BETAS[1],
            epsilon=EPSILON,
            grad=slope,
        )


def row_loss(logits: Any, batch: Batch) -> Any:
    """Logits (n, T, 12) -> the loss in nats of one of the batch's signs: CTC's, and a share of that of its place."""
    losses = ctc(logits, batch) + PLACES * _place_loss(tf.nn.log_softmax(logits), batch)
    return tf.reduce_sum(losses) / tf.cast(tf.maximum(1, tf.reduce_sum(batch.counts)), tf.float32)


def ctc(logits: Any, batch: Batch) -> Any:
    """Logits (n, T, 12) -> how unlikely they make each row's signs, in nats (n,); 0 for signs closer than columns."""
    signs = tf.convert_to_tensor(batch.signs)
    places = tf.where(_real(batch))
    sparse = tf.SparseTensor(places, tf.gather_nd(signs, places), tf.shape(signs, tf.int64))
    lengths = tf.fill(tf.shape(logits)[:1], tf.shape(logits)[1])
    losses = tf.compat.v1.nn.ctc_loss(  # its kernel takes a tenth of the time of `tf.nn.ctc_loss`; BLANK is the last
        sparse, logits, lengths, time_major=False, ignore_longer_outputs_than_inputs=True
    )
    return tf.where(losses < IMPOSSIBLE, losses, 0.0)


def _place_loss(scores: Any, batch: Batch) -> Any:
    """Each sign near its middle, and nothing where no sign is near: losses (n,)."""
    real, columns = _real(batch), tf.range(tf.shape(scores)[1])
    near = tf.clip_by_value(batch.centres[:, :, None] + tf.range(-NEAR, NEAR + 1), 0, tf.size(columns) - 1)
    at_signs = tf.gather(scores, batch.signs, axis=2, batch_dims=1)  # (n, T, 20)
    told = tf.reduce_logsumexp(tf.gather(tf.transpose(at_signs, (0, 2, 1)), near, axis=2, batch_dims=2), axis=2)
    away = tf.abs(columns[None, :, None] - batch.centres[:, None]) > CLEAR
    empty = tf.reduce_all(away | ~real[:, None], axis=2)
    return -tf.reduce_sum(tf.where(real, tf.minimum(told, 0.0), 0.0), axis=1) - tf.reduce_sum(
        tf.where(empty, scores[:, :, BLANK], 0.0), axis=1
    )


def _real(batch: Batch) -> Any:
    return tf.range(batch.signs.shape[1]) < batch.counts[:, None]


def _logits(model: keras.Model, weights: dict[str, Any], frames: Any, moving: list[tuple[Any, Any]]) -> Any:
    """Frames (n, 32, W) uint8 -> what the network answers in training; `moving` gets what normalisations learn."""

    def step(layer: Any, inputs: list[Any]) -> Any:
        kind = type(layer).__name__
        if kind not in _LAYERS:
            raise ModelError(f"layer {layer.name!r} is a {kind}", f"layers among {', '.join(_LAYERS)}", "replace it")
        own = {variable.name: weights[variable.path] for variable in layer.variables}
        return _LAYERS[kind](layer, own, inputs, moving)

    scaled = tf.cast(frames, COMPUTE)[..., None] / tf.constant(255, COMPUTE)
    return tf.cast(walk(model, scaled, step), tf.float32)


def _convolved(layer: Any, own: dict[str, Any], inputs: list[Any], moving: list[tuple[Any, Any]]) -> Any:
    y = tf.nn.conv2d(inputs[0], tf.cast(own["kernel"], COMPUTE), layer.strides, layer.padding.upper())
    y = y + tf.cast(own["bias"], COMPUTE) if layer.use_bias else y
    return tf.nn.relu(y) if layer.activation is keras.activations.relu else y


def _normalised(layer: Any, own: dict[str, Any], inputs: list[Any], moving: list[tuple[Any, Any]]) -> Any:
    y, mean, variance = tf.compat.v1.nn.fused_batch_norm(
        inputs[0], own["gamma"], own["beta"], epsilon=layer.epsilon, is_training=True
    )
    count = tf.cast(tf.size(y) // y.shape[-1], tf.float32)
    found = {"moving_mean": mean, "moving_variance": variance * (count - 1) / count}  # Keras's is the batch's own
    for name, value in found.items():
        moving.append((own[name], layer.momentum * own[name] + (1 - layer.momentum) * value))
    return y


_LAYERS: dict[str, Any] = {
    "Conv2D": _convolved,
    "BatchNormalization": _normalised,
    "ReLU": lambda layer, own, inputs, moving: tf.nn.relu(inputs[0]),
    "Add": lambda layer, own, inputs, moving: tf.add_n(inputs),
    "ZeroPadding2D": lambda layer, own, inputs, moving: tf.pad(inputs[0], ((0, 0), *layer.padding, (0, 0))),
    "MaxPooling2D": lambda layer, own, inputs, moving: tf.nn.max_pool2d(
        inputs[0], layer.pool_size, layer.strides, layer.padding.upper()
    ),
    "Reshape": lambda layer, own, inputs, moving: tf.reshape(inputs[0], (tf.shape(inputs[0])[0], *layer.target_shape)),
}
