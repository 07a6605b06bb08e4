"""The same training by Keras's own `fit`, to compare with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from pendigit.errors import UsageError
from pendigit.learning.objective import is_right
from pendigit.learning.training import Arrays, Progress, Task, diverged, epoch_order


class StockEngine:
    """Trains with `keras.Model.fit`, one call an epoch: the plain recipe, without augmentation, teacher or average.

    Raises UsageError for a task that asks for one of these.
    """

    def __init__(self, task: Task) -> None:
        if task.augment or task.teacher or task.optimizer.use_ema:
            raise UsageError("augmentation, a teacher or an average of weights", "a plain recipe", "leave --engine out")
        task.optimizer.build(task.model.trainable_variables)
        self._model, self._optimizer = task.model, task.optimizer
        shape = task.model.inputs[0].shape[1:]
        self._x, self._y = task.frames.reshape(-1, *shape).astype(np.float32) / 255, task.labels
        self._batch_size, self._seed = task.batch_size, task.seed

        def loss(labels: Any, outputs: Any) -> Any:
            return task.loss(keras.ops.cast(keras.ops.reshape(labels, (-1,)), "int32"), outputs, None)

        def accuracy(labels: Any, outputs: Any) -> Any:
            return keras.ops.cast(
                is_right(keras.ops.cast(keras.ops.reshape(labels, (-1,)), "int32"), outputs), "float32"
            )

        task.model.compile(optimizer=task.optimizer, loss=loss, metrics=[accuracy])

    def epoch(self, number: int) -> Iterator[Progress]:
        """Train epoch `number` (from 0). Raises TrainingError when the loss diverges."""
        # Keras's own order comes from NumPy's global generator and is drawn twice in a first call: not to be resumed.
        order = epoch_order(len(self._y), len(self._y), self._seed, number)
        history = self._model.fit(
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
        return self._model

    def _variables(self) -> list[Any]:
        return [*self._model.variables, *self._optimizer.variables]
