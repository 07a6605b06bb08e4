"""The engine: one training step in one compiled loop, any Keras network.

A step goes through Keras's stateless API, so that the whole of it (batch, gradient, optimiser) becomes one XLA program.
The loop's bounds are arguments of that program: one compilation serves every block of steps, and where a block ends
cannot change what is computed. Between blocks, about a second apart, progress is reported and Ctrl-C is heard.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import keras
import numpy as np
import numpy.typing as npt

from pendigit.classifier import Frames
from pendigit.errors import TrainingError

BLOCK_SECONDS = 1.0  # how long Ctrl-C and the progress line may wait
FIRST_BLOCK = 32  # steps: short enough on any machine to measure the rate by

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Progress:
    """Where an epoch stands: frames seen, and their mean loss (nats) and accuracy so far."""

    seen: int
    loss: float
    accuracy: float


class Engine(Protocol):
    """Trains a network epoch by epoch."""

    model: keras.Model

    def epoch(self, number: int) -> Iterator[Progress]:
        """Train epoch `number` (from 0), yielding after each block. Raises TrainingError when the loss diverges."""

    def state(self) -> Arrays:
        """Everything that decides how training goes on, as host arrays."""

    def restore(self, state: Arrays) -> None:
        """Go on from what `state` gave."""

    def settle(self) -> keras.Model:
        """Put what was learned so far into the model and return it."""


class State(NamedTuple):
    """What a step changes: the values of the network's and the optimiser's variables."""

    trainable: list[Any]
    fixed: list[Any]  # moving averages and the seeds of dropout: changed by the forward pass
    optimizer: list[Any]


class Totals(NamedTuple):
    """Sums over the frames seen in an epoch."""

    loss: Any
    correct: Any


class CompiledEngine:
    """Trains with blocks of steps inside one compiled loop.

    Args:
        model: A built Keras network: frames (n, 28, 28) float32 in 0-1 -> (n, 10).
        optimizer: Any Keras optimiser.
        loss: A Keras loss with `reduction=None`: (labels (n,), outputs (n, 10)) -> (n,).
        frames: (n, 28, 28) uint8.
        labels: (n,) uint8.
        batch_size: Frames a step. An epoch's last batch may be smaller.
        seed: Of the order of the frames, which is drawn anew for each epoch.
    """

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
        self.model, self._optimizer, self._loss = model, optimizer, loss
        self._frames, self._labels = jnp.asarray(frames), jnp.asarray(labels)
        self._batch_size, self._seed = batch_size, seed
        self._state = State(*([own(variable.value) for variable in group] for group in self._groups()))
        self._steps_per_block = FIRST_BLOCK
        self._block = jax.jit(self._run_block)

    def epoch(self, number: int) -> Iterator[Progress]:
        """Train epoch `number` (from 0), yielding after each block. Raises TrainingError when the loss diverges."""
        count = len(self._labels)
        steps = math.ceil(count / self._batch_size)
        order = jnp.asarray(epoch_order(count, steps * self._batch_size, self._seed, number))
        totals = Totals(jnp.zeros((), jnp.float32), jnp.zeros((), jnp.int32))
        start = 0
        while start < steps:
            stop = min(steps, start + self._steps_per_block)
            began = time.perf_counter()
            self._state, totals = self._block(
                self._state, totals, self._frames, self._labels, order, np.int32(start), np.int32(stop)
            )
            seen = min(count, stop * self._batch_size)
            progress = Progress(seen, float(totals.loss) / seen, int(totals.correct) / seen)
            if not math.isfinite(progress.loss):
                raise diverged(number)
            self._pace(stop - start, time.perf_counter() - began)
            start = stop
            yield progress

    def state(self) -> Arrays:
        """Everything that decides how training goes on, as host arrays."""
        leaves = [leaf for group in self._state for leaf in group]
        return {f"{index:04d}": np.asarray(leaf) for index, leaf in enumerate(leaves)}

    def restore(self, state: Arrays) -> None:
        """Go on from what `state` gave."""
        leaves = iter([jnp.asarray(state[key]) for key in sorted(state)])
        self._state = State(*([next(leaves) for _ in group] for group in self._state))

    def settle(self) -> keras.Model:
        """Put what was learned so far into the model and return it."""
        for variables, values in zip(self._groups(), self._state, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(own(value))
        return self.model

    def _groups(self) -> tuple[list[Any], list[Any], list[Any]]:
        return self.model.trainable_variables, self.model.non_trainable_variables, self._optimizer.variables

    def _pace(self, steps: int, seconds: float) -> None:
        """Size the next block by the last one's rate; growing fourfold at most keeps a quick block from misleading."""
        wanted = int(BLOCK_SECONDS * steps / max(seconds, 1e-6))
        self._steps_per_block = max(1, min(wanted, 4 * self._steps_per_block))

    def _run_block(
        self, state: State, totals: Totals, frames: Any, labels: Any, order: Any, start: Any, stop: Any
    ) -> tuple[State, Totals]:
        def step(index: Any, carry: tuple[State, Totals]) -> tuple[State, Totals]:
            state, totals = carry
            chosen = jax.lax.dynamic_slice(order, (index * self._batch_size,), (self._batch_size,))
            place = index * self._batch_size + jnp.arange(self._batch_size)
            counted = (place < len(labels)).astype(jnp.float32)  # 0 for the fill of the last batch
            x = frames[chosen].astype(jnp.float32) / 255
            return self._step(state, totals, x, labels[chosen], counted)

        last: tuple[State, Totals] = jax.lax.fori_loop(start, stop, step, (state, totals))
        return last

    def _step(self, state: State, totals: Totals, x: Any, y: Any, counted: Any) -> tuple[State, Totals]:
        def mean_loss(trainable: list[Any]) -> tuple[Any, tuple[Any, Any, Any]]:
            outputs, fixed = self.model.stateless_call(trainable, state.fixed, x, training=True)
            losses = self._loss(y, outputs) * counted
            return losses.sum() / counted.sum(), (outputs, fixed, losses.sum())

        gradient = jax.value_and_grad(mean_loss, has_aux=True)
        (_, (outputs, fixed, loss_sum)), slopes = gradient(state.trainable)
        trainable, optimizer = self._optimizer.stateless_apply(state.optimizer, slopes, state.trainable)
        correct = ((outputs.argmax(axis=1) == y) * counted).sum().astype(jnp.int32)
        return State(trainable, fixed, optimizer), Totals(totals.loss + loss_sum, totals.correct + correct)


def own(values: Any) -> Any:
    """A copy on the device: Keras's own predict and fit give up the buffers of the model's variables."""
    return jnp.asarray(np.array(values))


def epoch_order(count: int, length: int, seed: int, epoch: int) -> npt.NDArray[np.int32]:
    """A fresh order of `count` frames for one epoch, filled up to `length` with its own beginning."""
    order = np.random.default_rng((seed, epoch)).permutation(count).astype(np.int32)
    return np.resize(order, length)


def diverged(epoch: int) -> TrainingError:
    """The error for a loss that is no longer a number."""
    return TrainingError(
        f"the loss became NaN or infinite in epoch {epoch + 1}",
        "a finite loss",
        "train again with a lower --lr",
    )
