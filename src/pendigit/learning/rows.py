"""The row network: a row of any width goes in, and every second column tells which sign ends there, if any.

Fully convolutional: no row is ever cut into digits. Here are the network and the batches that it is trained on, each
row bent and scanned anew whenever it is seen; `row_training.py` trains it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from pendigit.datasets.strings import MOST_SIGNS, WIDEST, Rows
from pendigit.ink import Grey, uint8
from pendigit.rowframe import CLASSES, COLUMN, ROW_HEIGHT

BUCKETS = {96: 64, 160: 48, 256: 32, WIDEST: 16}  # frames up to this wide -> as many in a batch
NARROWER, TALLER = (0.85, 1.0), (0.88, 1.1)  # times, each time that a row is seen
SLANT, DROP = 0.1, 0.7  # standard deviations: columns by rows, and pixels
CHANGED = 0.4  # share of rows whose half-tones change; half as many are blurred, and half as many grainy
_SHADES = [np.rint(255 * (np.arange(256) / 255) ** power).astype(np.uint8) for power in np.geomspace(0.55, 1.8, 13)]
NEAR = 1  # columns around a sign's middle, one of which should tell it
FAINT = 0.1  # what the answer of a block that is new in a trained network is multiplied with


def row_network(more: int = 0) -> keras.Model:
    """Frames (n, 32, W, 1) scaled to 0-1 -> logits (n, W / 2, 12): the digits, other signs, nothing.

    Two strides come first, as rows are many pixels and few signs; blocks with a way around them (He, Zhang, Ren and Sun
    2016) then keep their shape: 0.55 million parameters, 0.3 million multiply-adds for each column of pixels. `more`
    blocks in every place where there is one make it deeper: with 1, 0.87 and 0.5 million.
    """
    frames = keras.Input((ROW_HEIGHT, None, 1), name="frames")
    x = layers.ZeroPadding2D(((2, 1), (2, 1)))(frames)
    x = layers.Conv2D(24, 5, strides=2, activation="relu", name="fine")(x)
    x = layers.ZeroPadding2D(((1, 0), (1, 0)))(x)
    x = layers.Conv2D(56, 3, strides=2, use_bias=False, name="coarse")(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.97, name="coarse_norm")(x))
    x = _blocks(x, "tall", 1, more, 56, (3, 3))
    x = layers.MaxPooling2D((2, 1))(x)
    x = _normalised(x, "wider", 96, (3, 3))
    x = _blocks(x, "middle", 1, more, 96, (3, 3))
    x = _normalised(x, "flat", 144, (4, 3))
    x = _blocks(x, "along", 2, 2 * more, 144, (1, 5))
    x = layers.Conv2D(CLASSES * 4 // COLUMN, 1, name="columns")(x)  # two columns side by side
    return keras.Model(frames, layers.Reshape((-1, CLASSES))(x), name="rows")


def grown(model: keras.Model, more: int) -> keras.Model:
    """A row network with `more` blocks that begins where `model` is: in training the new blocks hardly add anything."""
    larger = row_network(more)
    for layer in model.layers:
        if layer.weights:  # the others are named by Keras
            larger.get_layer(layer.name).set_weights(layer.get_weights())
    return larger


def _blocks(x: Any, name: str, count: int, more: int, filters: int, size: tuple[int, int]) -> Any:
    for index in range(count + more):
        gamma = 1.0 if index < count else FAINT
        x = layers.Add()([x, _normalised(x, f"{name}_{index + 1}", filters, size, gamma)])
    return x


def _normalised(x: Any, name: str, filters: int, size: tuple[int, int], gamma: float = 1.0) -> Any:
    """A convolution that keeps the width, batch normalisation (Ioffe and Szegedy 2015) and ReLU."""
    down = 0 if size[0] == 4 else size[0] // 2
    x = layers.ZeroPadding2D((down, size[1] // 2))(x) if down or size[1] > 1 else x
    x = layers.Conv2D(filters, size, use_bias=False, name=name)(x)
    scale = keras.initializers.Constant(gamma)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.97, gamma_initializer=scale, name=f"{name}_norm")(x))


class Batch(NamedTuple):
    """Rows of one width: frames (n, 32, W) uint8, signs (n, 20) int32, counts (n,), centres (n, 20) in columns."""

    frames: npt.NDArray[np.uint8]
    signs: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]
    centres: npt.NDArray[np.int32]


def batches(rows: Rows, rng: np.random.Generator) -> list[Batch]:
    """Rows in batches of about one width each, in random order; what fills no batch is left out."""
    widths = np.array([frame.shape[1] for frame in rows.frames])
    found, narrower = [], 0
    for width, size in BUCKETS.items():
        chosen = rng.permutation(np.flatnonzero((widths > narrower) & (widths <= width)))
        starts = range(0, len(chosen) - size + 1, size)
        found += [_batch(rows, chosen[at : at + size], width, rng) for at in starts]
        narrower = width
    return [found[index] for index in rng.permutation(len(found))]


def _batch(rows: Rows, chosen: npt.NDArray[np.intp], width: int, rng: np.random.Generator) -> Batch:
    frames = np.zeros((len(chosen), ROW_HEIGHT, width), np.uint8)
    signs, centres = np.zeros((2, len(chosen), MOST_SIGNS), np.int32)
    counts = np.array([len(rows.signs[index]) for index in chosen], np.int32)
    for place, index in enumerate(chosen):
        wide, matrix = _bent(rng)
        cv2.warpAffine(rows.frames[index], matrix, (width, ROW_HEIGHT), dst=frames[place], flags=cv2.INTER_LINEAR)
        frames[place] = _scanned(rng, frames[place])
        signs[place, : counts[place]] = rows.signs[index]
        columns = np.clip(rows.centres[index] * wide / COLUMN, NEAR, width // COLUMN - 1 - NEAR)
        centres[place, : counts[place]] = columns.astype(np.int32)
    return Batch(frames, signs, counts, centres)


def _bent(rng: np.random.Generator) -> tuple[float, npt.NDArray[np.float32]]:
    """A row made narrower, higher or lower, slanted and moved a little: how much narrower, and the matrix (2, 3)."""
    wide, tall, slant = rng.uniform(*NARROWER), rng.uniform(*TALLER), rng.normal(0, SLANT)
    middle = ROW_HEIGHT / 2
    drop = middle * (1 - tall) + rng.normal(0, DROP)
    return wide, np.array([[wide, -slant, slant * middle], [0, tall, drop]], np.float32)


def _scanned(rng: np.random.Generator, frame: Grey) -> Grey:
    """A row paler or darker in its half-tones, out of focus, or grainy: as another scanner shows it."""
    if rng.random() < CHANGED:
        frame = cv2.LUT(frame, _SHADES[int(rng.integers(len(_SHADES)))])
    if rng.random() < CHANGED / 2:
        frame = uint8(cv2.GaussianBlur(frame, (0, 0), rng.uniform(0.3, 0.9)))
    if rng.random() < CHANGED / 2:
        grain = rng.standard_normal(frame.shape, np.float32) * np.float32(rng.exponential(8.0))
        frame = np.clip(frame + grain, 0, 255).astype(np.uint8)
    return frame
