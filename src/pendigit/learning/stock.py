"""The same training by Keras's own `fit`, to compare with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from pendigit.classifier import Frames
from pendigit.learning.training import Arrays, Progress, diverged, epoch_order


class StockEngine:
    """Trains with `keras.Model.fit`, one call an epoch. Arguments as for CompiledEngine."""

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        loss: keras.losses.Loss,
        frames: Frames,
        labels: npt.NDArray[np.uint8],
        batch_size: int,
        seed: int,
    ) -> None:
        optimizer.build(model.trainable_variables)
        self.model, self._optimizer = model, optimizer
        self._x, self._y = frames.astype(np.float32) / 255, labels
        self._batch_size, self._seed = batch_size, seed
        mean_loss = type(loss).from_config(loss.get_config() | {"reduction": "sum_over_batch_size"})
        model.compile(optimizer=optimizer, loss=mean_loss, metrics=["accuracy"])

    def epoch(self, number: int) -> Iterator[Progress]:
        """Train epoch `number` (from 0). Raises TrainingError when the loss diverges."""
        # Keras's own order comes from NumPy's global generator and is drawn twice in a first call: not to be resumed.
        order = epoch_order(len(self._y), len(self._y), self._seed, number)
        history = self.model.fit(
            self._x[order], self._y[order], batch_size=self._batch_size, shuffle=False, verbose=0
        ).history
        if not math.isfinite(history["loss"][-1]):
            raise diverged(number)
        yield Progress(len(self._y), history["loss"][-1], history["accuracy"][-1])

    def state(self) -> Arrays:
        """Everything that decides how training goes on, as host arrays."""
        return {f"{index:04d}": np.asarray(variable) for index, variable in enumerate(self._variables())}

    def restore(self, state: Arrays) -> None:
        """Go on from what `state` gave."""
        for variable, key in zip(self._variables(), sorted(state), strict=True):
            variable.assign(state[key])

    def settle(self) -> keras.Model:
        """Return the model: fit has left what was learned in it."""
        return self.model

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self._optimizer.variables]
