"""Several trained networks as one: each sees a frame leaning either way, and what all of them say is averaged.

Networks of other seeds are wrong about other digits, and what a hand's slant makes doubtful is clear to one of the
views (an ensemble with test-time augmentation; figures in docs/experiments.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from pendigit.classifier import SIDE
from pendigit.learning.export import DIGITNESS_LAYER, knows_digitness

SLANTS = (-0.15, 0.15)  # pixels to the side for each pixel down: as much as one hand's slant differs from another's


def committee(members: Sequence[keras.Model]) -> keras.Model:
    """Networks of frames (n, 28, 28) to logits of one shape -> one network: the mean of all members over all slants."""
    frames = keras.Input((SIDE, SIDE), name="frames")
    views = [_slanted(slant)(frames) for slant in SLANTS]
    named = [keras.Model(each.inputs[0], each.outputs[0], name=f"member_{index}") for index, each in enumerate(members)]
    every = layers.Add()([member(view) for member in named for view in views])
    name = DIGITNESS_LAYER if knows_digitness(members[0]) else "digits"
    mean = layers.Rescaling(1 / (len(members) * len(views)), name=name)(every)
    return keras.Model(frames, mean, name="committee")


def _slanted(slant: float) -> layers.Layer:
    """Frames (n, 28, 28) -> the same leaning by `slant`; the middle stays, and what comes in is black."""
    layer = layers.EinsumDense("nyx,yxz->nyz", output_shape=(SIDE, SIDE), trainable=False)
    layer.build((None, SIDE, SIDE))
    layer.set_weights([_shares(slant)])
    return layer


def _shares(slant: float) -> npt.NDArray[np.float32]:
    """(28, 28, 28): for each row, how much of each pixel comes to each place (linear interpolation)."""
    rows = np.arange(SIDE)
    moved = rows[None, :, None] + slant * (rows - (SIDE - 1) / 2)[:, None, None]
    return np.asarray(np.maximum(1 - np.abs(moved - rows), 0), np.float32)
