"""Several trained networks as one: each sees a frame leaning either way, and what all of them say is averaged.

Networks of other seeds, kinds and data are wrong about other digits, and what a hand's slant makes doubtful is clear
to one of the views (an ensemble with test-time augmentation; figures in docs/experiments.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from pendigit.classifier import DIGITS, SIDE
from pendigit.learning.export import DIGITNESS_LAYER, knows_digitness

SLANTS = (-0.15, 0.15)  # pixels to the side for each pixel down: as much as one hand's slant differs from another's


def committee(members: Sequence[keras.Model], weights: Sequence[float]) -> keras.Model:
    """Networks of frames (n, 28, 28) to logits -> one network: the weighted mean of all members over all slants.

    Members without digitness count for digits alone; the committee has it where a member has.
    """
    frames = keras.Input((SIDE, SIDE), name="frames")
    views = [_slanted(index, slant)(frames) for index, slant in enumerate(SLANTS)]
    judges = [knows_digitness(each) for each in members]
    outputs = DIGITS + any(judges)
    shares = np.outer(weights, np.ones(outputs))  # (members, outputs)
    shares[:, DIGITS:] *= np.array(judges)[:, None]
    shares /= shares.sum(axis=0) * len(views)
    answers = []
    for index, member in enumerate(members):
        named = keras.Model(member.inputs[0], member.outputs[0], name=f"member_{index}")
        every = layers.Add()([named(view) for view in views])
        kernel = np.eye(member.outputs[0].shape[-1], outputs) * shares[index]
        answers.append(_fixed(layers.Dense(outputs, use_bias=False, name=f"share_{index}"), kernel)(every))
    name = DIGITNESS_LAYER if any(judges) else "digits"
    return keras.Model(frames, layers.Add(name=name)(answers), name="committee")


def _slanted(index: int, slant: float) -> layers.Layer:
    """Frames (n, 28, 28) -> the same leaning by `slant`; the middle stays, and what comes in is black."""
    turn = layers.EinsumDense("nyx,yxz->nyz", output_shape=(SIDE, SIDE), name=f"slant_{index}")
    return _fixed(turn, _shifts(slant))


def _fixed(layer: layers.Layer, kernel: npt.NDArray[np.floating]) -> layers.Layer:
    """A layer whose kernel is not learned."""
    layer.trainable = False
    layer.build((None, *kernel.shape[:-1]))
    layer.set_weights([kernel])
    return layer


def _shifts(slant: float) -> npt.NDArray[np.float32]:
    """(28, 28, 28): for each row, how much of each pixel comes to each place (linear interpolation)."""
    rows = np.arange(SIDE)
    moved = rows[None, :, None] + slant * (rows - (SIDE - 1) / 2)[:, None, None]
    return np.asarray(np.maximum(1 - np.abs(moved - rows), 0), np.float32)
