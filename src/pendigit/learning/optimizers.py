"""Optimisers and learning-rate schedules by name, all of them Keras's own."""

from __future__ import annotations

import math

import keras

from pendigit.errors import UsageError
from pendigit.recipes import TrainingOptions

NESTEROV_MOMENTUM = 0.9


def make_optimizer(options: TrainingOptions, count: int) -> keras.optimizers.Optimizer:
    """The optimiser that the options ask for, scheduled over a training on `count` frames."""
    steps = options.epochs * math.ceil(count / options.batch_size)
    ema = {"use_ema": True, "ema_momentum": options.ema} if options.ema else {}
    decay = {"weight_decay": options.weight_decay or None}
    rate = _schedule(options, steps)
    if options.optimizer == "adam":
        return keras.optimizers.Adam(rate, **ema, **decay)
    if options.optimizer == "nesterov":
        return keras.optimizers.SGD(rate, momentum=NESTEROV_MOMENTUM, nesterov=True, **ema, **decay)
    # Muon would decay by itself, and has a second decay for the weights that it leaves to Adam.
    return keras.optimizers.Muon(rate, adam_weight_decay=decay["weight_decay"], **ema, **decay)


def _schedule(options: TrainingOptions, steps: int) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """A constant rate, or one cycle: up over the first part, then down along a cosine (Smith and Topin 2017)."""
    if options.schedule == "constant":
        return options.lr
    warm = max(1, round(options.warmup * steps))
    if warm >= steps:
        raise UsageError(f"--warmup {options.warmup} of {steps} steps", "some steps left after it", "lower --warmup")
    return keras.optimizers.schedules.CosineDecay(
        options.lr / 25, steps - warm, alpha=1e-3, warmup_target=options.lr, warmup_steps=warm
    )
