"""Convolution and pooling whose gradients are fast on a CPU, behind stock Keras layers while they train.

XLA's CPU backend runs a plain convolution near the machine's peak, but the gradients of a convolution's kernel and of
max-pooling several to forty times slower, and padding leaves the fast path. Here all of them are written as plain
convolutions, matrix products and elementwise operations:

- padding is an operation of its own, before a convolution without padding;
- what a stride steps over is folded into channels (`_fold`), which leaves a stride of 1;
- the gradient of the input is a convolution of the padded output gradient with the turned kernel;
- the gradient of the kernel is a convolution too, in which frames and channels change places; where channels are few
  it is a matrix product over patches (im2col, Chellapilla et al. 2006). Both a few frames at a time, for the cache;
- max-pooling remembers which place of its window won, and its gradient goes there.

Arrays are (n, height, width, channels), kernels (height, width, channels in, channels out), both float.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import keras
from jax import lax

Array: TypeAlias = Any  # jax.Array, traced or not
Pair: TypeAlias = tuple[int, int]
Pads: TypeAlias = tuple[Pair, Pair]  # rows of zeros before and after, columns of zeros before and after

LAYOUT = ("NHWC", "HWIO", "NHWC")
NO_PADS: Pads = ((0, 0), (0, 0))
FOLDED_COLUMNS = 4  # 1 channel, 5x5, 24 filters: products of 40x96, not 25x24: 1.6 times the sums, a third of the time
MANY_CHANNELS = 8  # from here on the gradient of a kernel is fastest as a convolution
FRAMES = 16  # whose activations stay in a core's second-level cache (1 MB); also one vector register of float32


def conv2d(x: Array, kernel: Array, strides: Pair = (1, 1), padding: str = "valid") -> Array:
    """What `lax.conv_general_dilated` computes, with fast gradients.

    Args:
        x: (n, height, width, channels).
        kernel: (rows, columns, channels, filters), of the same dtype.
        strides: Down and right, in pixels.
        padding: "valid" or "same".

    Returns:
        (n, height', width', filters).
    """
    size = kernel.shape[:2]
    pads = lax.padtype_to_pads(x.shape[1:3], size, strides, padding.upper())
    lengths = [length + sum(pad) for length, pad in zip(x.shape[1:3], pads, strict=True)]
    height, width = ((length - k) // step + 1 for length, k, step in zip(lengths, size, strides, strict=True))
    if strides != (1, 1):
        y = _convolution(_fold(_pad(x, pads), strides, axis=1), _fold(kernel, strides, axis=0), NO_PADS)
    else:
        y = _convolution(x, kernel, tuple(pads))
    return y[:, :height, :width]


def _fold(x: Array, by: Pair, axis: int) -> Array:
    """Space to depth: (..., rows, columns, channels, ...), rows at `axis` -> the same values in more channels.

    Rows become by[0] times fewer, columns by[1] times, filled up with zeros where they do not divide.
    """
    rows, columns = (-(-length // step) for length, step in zip(x.shape[axis : axis + 2], by, strict=True))
    x = _fill(_fill(x, axis, rows * by[0]), axis + 1, columns * by[1])
    before, (channels, *after) = x.shape[:axis], x.shape[axis + 2 :]
    x = jnp.swapaxes(x.reshape(*before, rows, by[0], columns, by[1] * channels, *after), axis + 1, axis + 2)
    return x.reshape(*before, rows, columns, by[0] * by[1] * channels, *after)


def _fill(x: Array, axis: int, length: int) -> Array:
    """Zeros at the end of `axis` up to `length`; what is beyond it is cut off."""
    widths = [(0, 0, 0)] * x.ndim
    widths[axis] = (0, length - x.shape[axis], 0)
    return lax.pad(x, jnp.zeros((), x.dtype), widths)


def _pad(x: Array, pads: Sequence[Pair]) -> Array:
    """Zeros around the frames, kept apart: XLA would draw them into the convolution and leave its fast path."""
    return lax.optimization_barrier(jnp.pad(x, ((0, 0), *pads, (0, 0)))) if any(map(any, pads)) else x


def _valid(x: Array, kernel: Array) -> Array:
    """Stride 1, no padding: the one convolution that XLA runs near the machine's peak."""
    return lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=LAYOUT)


def _convolve(x: Array, kernel: Array, pads: Pads) -> Array:
    """Stride 1, `pads` zeros before and after the rows and the columns."""
    return _valid(_pad(x, pads), kernel)


def _convolve_forward(x: Array, kernel: Array, pads: Pads) -> tuple[Array, tuple[Array, Array]]:
    return _convolve(x, kernel, pads), (x, kernel)


def _convolve_backward(pads: Pads, kept: tuple[Array, Array], dy: Array) -> tuple[Array, Array]:
    x, kernel = kept
    size = kernel.shape[:2]
    turned = jnp.swapaxes(kernel[::-1, ::-1], 2, 3)
    around = [(k - 1 - before, k - 1 - after) for k, (before, after) in zip(size, pads, strict=True)]
    return _valid(_pad(dy, around), turned), _kernel_gradient(_pad(x, pads), dy, size)


_convolution = jax.custom_vjp(_convolve, nondiff_argnums=(2,))
_convolution.defvjp(_convolve_forward, _convolve_backward)


def _kernel_gradient(x: Array, dy: Array, size: Pair) -> Array:
    """(rows, columns, channels, filters), summed over the frames, a few at a time."""
    part = _by_swapping if x.shape[3] >= MANY_CHANNELS else _by_columns if size[1] > 1 else _by_patches

    def add(index: Array, total: Array) -> Array:
        some_x, some_dy = (lax.dynamic_slice_in_dim(array, index * FRAMES, FRAMES) for array in (x, dy))
        return total + part(some_x, some_dy, size)

    loops = len(x) // FRAMES if len(x) > FRAMES else 0  # a loop of one would only copy
    total = jnp.zeros((*size, x.shape[3], dy.shape[3]), x.dtype)
    total = lax.fori_loop(0, loops, add, total) if loops else total
    rest = loops * FRAMES
    return total + part(x[rest:], dy[rest:], size) if rest < len(x) else total


def _by_swapping(x: Array, dy: Array, size: Pair) -> Array:
    """As a convolution in which frames and channels change places and `dy` is the kernel."""
    swapped = _valid(jnp.transpose(x, (3, 1, 2, 0)), jnp.transpose(dy, (1, 2, 0, 3)))
    return jnp.transpose(swapped, (1, 2, 0, 3))


def _by_patches(x: Array, dy: Array, size: Pair) -> Array:
    """As one matrix product, patches^T dy."""
    places = [(i, j) for i in range(size[0]) for j in range(size[1])]
    patches = jnp.concatenate([x[:, i : i + dy.shape[1], j : j + dy.shape[2]] for i, j in places], axis=3)
    values, filters = patches.shape[3], dy.shape[3]
    return (patches.reshape(-1, values).T @ dy.reshape(-1, filters)).reshape(*size, -1, filters)


def _by_columns(x: Array, dy: Array, size: Pair) -> Array:
    """As one matrix product, with neighbouring columns folded into the few channels and into the filters."""
    by, (channels, filters) = FOLDED_COLUMNS, (x.shape[3], dy.shape[3])
    reach = -(-(by + size[1] - 1) // by)  # folded columns of x under one folded column of dy
    blocks = -(-dy.shape[2] // by)
    x = _fill(x, 2, (blocks + reach - 1) * by).reshape(*x.shape[:2], -1, by * channels)
    dy = _fill(dy, 2, blocks * by).reshape(*dy.shape[:2], blocks, by * filters)
    wide = _by_patches(x, dy, (size[0], reach)).reshape(size[0], reach * by, channels, by, filters)
    return jnp.sum(jnp.stack([wide[:, i : i + size[1], :, i] for i in range(by)]), axis=0)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def max_pool2d(x: Array, size: Pair) -> Array:
    """The maximum of each window, windows side by side; rows and columns that fill no window are left out.

    Args:
        x: (n, height, width, channels).
        size: Rows and columns of a window.

    Returns:
        (n, height // rows, width // columns, channels). The gradient goes to a window's first maximum, as in XLA.
    """
    return _max_pool_forward(x, size)[0]


def _max_pool_forward(x: Array, size: Pair) -> tuple[Array, tuple[Array, Array]]:
    rows, columns = size
    height, width = x.shape[1] // rows * rows, x.shape[2] // columns * columns
    places = [x[:, i:height:rows, j:width:columns] for i in range(rows) for j in range(columns)]
    best, winner = places[0], jnp.zeros(places[0].shape, jnp.int8)
    for index, place in enumerate(places[1:], start=1):
        winner = jnp.where(place > best, jnp.int8(index), winner)
        best = jnp.maximum(best, place)
    return best, (winner, x)


def _max_pool_backward(size: Pair, kept: tuple[Array, Array], dy: Array) -> tuple[Array]:
    winner, x = kept  # of x only the shape is used: nothing of it is kept in memory for that
    n, high, wide, channels = dy.shape
    place = jnp.arange(size[0] * size[1], dtype=jnp.int8).reshape(1, 1, size[0], 1, size[1], 1)
    dx = jnp.where(winner[:, :, None, :, None] == place, dy[:, :, None, :, None], 0)
    dx = dx.reshape(n, high * size[0], wide * size[1], channels)
    return (_fill(_fill(dx, 1, x.shape[1]), 2, x.shape[2]),)


max_pool2d.defvjp(_max_pool_forward, _max_pool_backward)


@contextmanager
def fast_convolutions() -> Iterator[None]:
    """Within, Keras's Conv2D and MaxPooling2D layers compute with this module, wherever it covers their settings.

    It is enough to trace (compile) the training step within. The layers themselves, and what is saved of them, stay
    stock. Not for several threads at once: the layers' classes are changed for the time.
    """
    conv, pool = keras.layers.Conv2D, keras.layers.MaxPooling2D
    stock_conv, stock_pool = conv.convolution_op, pool.call

    def convolution_op(layer: Any, inputs: Array, kernel: Array) -> Array:
        if not _covers_conv(layer, inputs, kernel):
            return stock_conv(layer, inputs, kernel)
        return conv2d(inputs, jnp.asarray(kernel, inputs.dtype), layer.strides, layer.padding)

    def call(layer: Any, inputs: Array) -> Array:
        if not _covers_pool(layer):
            return stock_pool(layer, inputs)
        return max_pool2d(inputs, layer.pool_size)

    conv.convolution_op, pool.call = convolution_op, call
    try:
        yield
    finally:
        conv.convolution_op, pool.call = stock_conv, stock_pool


def _covers_conv(layer: Any, inputs: Array, kernel: Array) -> bool:
    plain = layer.data_format == "channels_last" and set(layer.dilation_rate) == {1} and layer.groups == 1
    return plain and layer.padding in ("valid", "same") and inputs.dtype == jnp.asarray(kernel).dtype


def _covers_pool(layer: Any) -> bool:
    beside = tuple(layer.strides) == tuple(layer.pool_size) and layer.pool_size[0] * layer.pool_size[1] <= 127
    return layer.data_format == "channels_last" and layer.padding == "valid" and beside
