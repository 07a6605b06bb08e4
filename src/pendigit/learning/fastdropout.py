"""Dropout whose random bits are cheap on a CPU, behind stock Keras layers while they train.

JAX draws its bits with Threefry, which XLA's CPU backend runs as loops of tiny programs: a fifth of an epoch of the
classic network. Philox, which XLA brings along, wants products of 64 bits, for which few processors have wide
instructions. A hash of each value's place becomes one with the layer and takes next to nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import jax.numpy as jnp
import keras
import numpy as np
from jax import lax

Array: TypeAlias = Any  # jax.Array, traced or not


def dropout(x: Array, rate: float, seed: Array) -> Array:
    """Values of any shape, each 0 with the probability `rate`, else divided by 1 - `rate` (Srivastava et al. 2014).

    Args:
        x: Of any shape, float.
        rate: 0 to less than 1; to 2**-32 exact.
        seed: (2,) uint32; the same one leaves out the same values.
    """
    kept = 1 - rate
    return jnp.where(random_bits(x.shape, seed) < np.uint32(kept * 2**32), x / kept, jnp.zeros_like(x))


def random_bits(shape: tuple[int, ...], seed: Array) -> Array:
    """Random uint32 of a shape: a hash of each one's place and `seed`, (2,) uint32, of a layer and a step."""
    place = lax.iota(jnp.uint32, math.prod(shape)).reshape(shape)
    return _mixed(_mixed(place + _mixed(seed[0])) + seed[1])


def _mixed(value: Array) -> Array:
    """A permutation of uint32 after which each bit depends on all of them: lowbias32 (Wellons 2018)."""
    value = (value ^ (value >> 16)) * np.uint32(0x7FEB352D)
    value = (value ^ (value >> 15)) * np.uint32(0x846CA68B)
    return value ^ (value >> 16)


@contextmanager
def fast_dropout() -> Iterator[None]:
    """Within, Keras's Dropout layers compute with this module, wherever it covers their settings.

    As `fastconv.fast_convolutions`: it is enough to trace the training step within, the layers stay stock, and it is
    not for several threads at once.
    """
    layer_class = keras.layers.Dropout
    stock = layer_class.call

    def call(layer: Any, inputs: Array, training: bool = False) -> Array:
        if not training or not 0 < layer.rate < 1 or layer.noise_shape is not None:
            return stock(layer, inputs, training=training)
        return dropout(inputs, layer.rate, layer.seed_generator.next())

    layer_class.call = call
    try:
        yield
    finally:
        layer_class.call = stock
