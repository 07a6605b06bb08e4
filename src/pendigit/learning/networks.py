"""The networks, each a few lines of Keras layers. Input: frames (28, 28) scaled to 0-1. Output: ten values."""

from __future__ import annotations

from collections.abc import Callable

import jax
import keras
from keras import layers

from pendigit.classifier import DIGITS, SIDE
from pendigit.errors import UsageError
from pendigit.recipes import TrainingOptions


def classic(options: TrainingOptions) -> keras.Model:
    """Flatten, Dense, Dropout, Dense: the tutorials' network, 101,770 parameters with 128 hidden units."""
    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE), name="frames"),
            layers.Flatten(name="flatten"),
            layers.Dense(options.hidden, activation="relu", name="hidden"),
            layers.Dropout(options.dropout, name="dropout"),
            layers.Dense(DIGITS, activation="softmax" if options.softmax else None, name="digits"),
        ],
        name="classic",
    )


NETWORKS: dict[str, Callable[[TrainingOptions], keras.Model]] = {"classic": classic}


def build(options: TrainingOptions) -> keras.Model:
    """The network that the options name, with initial weights drawn from their seed. Raises UsageError."""
    if options.network not in NETWORKS:
        raise UsageError(f"unknown network {options.network!r}", ", ".join(NETWORKS), "check the spelling")
    keras.utils.set_random_seed(options.seed)
    # Initial weights are drawn once: optimising the programs that draw them costs seconds and saves microseconds.
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        return NETWORKS[options.network](options)
    finally:
        jax.config.update("jax_disable_most_optimizations", False)
