"""The engine: one training step in one compiled loop, any Keras network.

A step goes through Keras's stateless API, so that the whole of it (batch, augmentation, gradient, optimiser) becomes
one XLA program. The loop's bounds are arguments of that program: one compilation serves every block of steps, and where
a block ends cannot change what is computed. Between blocks, about a second apart, progress is reported and Ctrl-C is
heard.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import keras
import numpy as np
import numpy.typing as npt

from pendigit.classifier import SIDE, Frames
from pendigit.errors import TrainingError
from pendigit.learning.fastconv import fast_convolutions
from pendigit.learning.fastdropout import fast_dropout
from pendigit.learning.objective import is_right
from pendigit.learning.parts import PARTS, averaged, compiled, everywhere, summed

BLOCK_SECONDS = 1.0  # how long Ctrl-C and the progress line may wait
FIRST_BLOCK = 32  # steps: short enough on any machine to measure the rate by

Arrays = dict[str, npt.NDArray[Any]]
Augment = Callable[[Any, Any], Any]  # (random key, frames (n, 28, 28) float32 in 0-1) -> frames


@dataclass(frozen=True)
class Progress:
    """Where an epoch stands: frames seen, and their mean loss (nats) and accuracy so far."""

    seen: int
    loss: float
    accuracy: float


@dataclass(frozen=True)
class Task:
    """What an engine trains, on what, and how.

    Attributes:
        model: A built Keras network of one frame, (n, 28, 28) float32 in 0-1 or reshaped, to outputs (n, 10).
        optimizer: Any Keras optimiser.
        loss: (labels (n,), outputs (n, 10), the teacher's outputs (n, 10) or None) -> losses (n,).
        frames: (n, 28, 28) uint8.
        labels: (n,) uint8.
        batch_size: Frames a step. An epoch's last batch may be smaller.
        seed: Of the order of the frames, drawn anew for each epoch, and of the augmentation.
        micro_batch: Frames that go through the network at once, a divisor of a part of the batch; 0 means all of them.
        parts: How many parts of each batch are computed at the same time, a core each; a divisor of batch_size. Sums
            over parts are taken in a fixed order, so that the result does not depend on the machine's cores.
        augment: Changes the frames of each step.
        teacher: A Keras network that sees the same frames.
    """

    model: keras.Model
    optimizer: keras.optimizers.Optimizer
    loss: Callable[[Any, Any, Any], Any]
    frames: Frames
    labels: npt.NDArray[np.uint8]
    batch_size: int
    seed: int
    micro_batch: int = 0
    parts: int = 1
    augment: Augment | None = None
    teacher: keras.Model | None = None


class Engine(Protocol):
    """Trains a network epoch by epoch."""

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
    """Trains with blocks of steps inside one compiled loop."""

    def __init__(self, task: Task) -> None:
        task.optimizer.build(task.model.trainable_variables)
        self._task = task
        self._data = everywhere((task.frames, task.labels), task.parts)
        self._teacher = _values(task.teacher) if task.teacher else []
        # Placed as the block's results are: otherwise its second call would compile it once more.
        state = State(*([own(variable.value) for variable in group] for group in self._groups()))
        self._state = everywhere(state, task.parts)
        self._steps_per_block = FIRST_BLOCK
        self._block = compiled(self._run_block, task.parts)

    def epoch(self, number: int) -> Iterator[Progress]:
        """Train epoch `number` (from 0), yielding after each block. Raises TrainingError when the loss diverges."""
        count, batch = len(self._task.labels), self._task.batch_size
        steps = math.ceil(count / batch)
        order = jnp.asarray(epoch_order(count, steps * batch, self._task.seed, number))
        totals = everywhere(Totals(np.float32(0), np.int32(0)), self._task.parts)
        start = 0
        while start < steps:
            stop = min(steps, start + self._steps_per_block)
            began = time.perf_counter()
            with fast_convolutions(), fast_dropout():  # acts while the program is traced, in the first block
                self._state, totals = self._block(
                    self._state, totals, self._data, self._teacher, order, np.int32(start), np.int32(stop)
                )
            seen = min(count, stop * batch)
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
        restored = State(*([next(leaves) for _ in group] for group in self._state))
        self._state = everywhere(restored, self._task.parts)

    def settle(self) -> keras.Model:
        """Put what was learned so far into the model and return it; with a moving average, the average."""
        for variables, values in zip(self._groups(), self._state, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(own(value))
        self._task.optimizer.finalize_variable_values(self._task.model.trainable_variables)
        return self._task.model

    def _groups(self) -> tuple[list[Any], list[Any], list[Any]]:
        model = self._task.model
        return model.trainable_variables, model.non_trainable_variables, self._task.optimizer.variables

    def _pace(self, steps: int, seconds: float) -> None:
        """Size the next block by the last one's rate; growing fourfold at most keeps a quick block from misleading."""
        wanted = int(BLOCK_SECONDS * steps / max(seconds, 1e-6))
        self._steps_per_block = max(1, min(wanted, 4 * self._steps_per_block))

    def _run_block(
        self, state: State, totals: Totals, data: tuple[Any, Any], teacher: Any, order: Any, start: Any, stop: Any
    ) -> tuple[State, Totals]:
        frames, labels = data
        size, parts = self._task.batch_size, self._task.parts
        share = size // parts
        first = share * jax.lax.axis_index(PARTS) if parts > 1 else 0

        def step(index: Any, carry: tuple[State, Totals]) -> tuple[State, Totals]:
            state, totals = carry
            start = index * size + first
            chosen = jax.lax.dynamic_slice(order, (start,), (share,))
            place = start + jnp.arange(share)
            counted = (place < len(labels)).astype(jnp.float32)  # 0 for the fill of the last batch
            return self._step(state, totals, (frames[chosen], labels[chosen], counted), teacher)

        last: tuple[State, Totals] = jax.lax.fori_loop(start, stop, step, (state, totals))
        return last

    def _step(self, state: State, totals: Totals, batch: tuple[Any, Any, Any], teacher: Any) -> tuple[State, Totals]:
        slopes, fixed, sums = self._slopes(state, batch, teacher)
        slopes, sums = summed((slopes, sums), self._task.parts)
        trainable, optimizer = self._task.optimizer.stateless_apply(state.optimizer, slopes, state.trainable)
        return State(trainable, averaged(fixed, self._task.parts), optimizer), Totals(
            totals.loss + sums.loss, totals.correct + sums.correct
        )

    def _slopes(self, state: State, batch: tuple[Any, Any, Any], teacher: Any) -> tuple[list[Any], list[Any], Totals]:
        """The gradient of the batch's mean loss, the changed fixed values, and the batch's sums."""
        key = jax.random.fold_in(jax.random.key(self._task.seed), state.optimizer[0])  # [0]: the steps so far
        if self._task.parts > 1:
            key = jax.random.fold_in(key, jax.lax.axis_index(PARTS))
        whole = summed(batch[2].sum(), self._task.parts)
        micro = self._task.micro_batch
        if not micro or micro >= len(batch[2]):
            return self._part(state.trainable, state.fixed, batch, whole, key, teacher)
        parts = tuple(array.reshape(-1, micro, *array.shape[1:]) for array in batch)

        def add(carry: tuple[Any, Any, Totals], part: tuple[Any, tuple[Any, Any, Any]]) -> tuple[Any, None]:
            slopes, fixed, totals = carry
            number, inputs = part
            more, fixed, sums = self._part(
                state.trainable, fixed, inputs, whole, jax.random.fold_in(key, number), teacher
            )
            slopes = [one + other for one, other in zip(slopes, more, strict=True)]
            return (slopes, fixed, Totals(totals.loss + sums.loss, totals.correct + sums.correct)), None

        zeros = [jnp.zeros_like(value) for value in state.trainable]
        empty = Totals(jnp.float32(0), jnp.int32(0))
        numbers = jnp.arange(len(parts[0]))
        last: tuple[list[Any], list[Any], Totals] = jax.lax.scan(add, (zeros, state.fixed, empty), (numbers, parts))[0]
        return last

    def _part(
        self, trainable: list[Any], fixed: list[Any], inputs: tuple[Any, Any, Any], whole: Any, key: Any, teacher: Any
    ) -> tuple[list[Any], list[Any], Totals]:
        task = self._task
        frames, labels, counted = inputs
        x = frames.astype(jnp.float32) / 255
        x = task.augment(key, x) if task.augment else x
        taught = self._taught(teacher, x)

        def mean_loss(trainable: list[Any]) -> tuple[Any, tuple[list[Any], Totals]]:
            outputs, changed = task.model.stateless_call(trainable, fixed, _shaped(x, task.model), training=True)
            losses = task.loss(labels, outputs, taught) * counted
            correct = (is_right(labels, outputs) * counted).sum().astype(jnp.int32)
            return losses.sum() / whole, (changed, Totals(losses.sum(), correct))

        (_, (changed, sums)), slopes = jax.value_and_grad(mean_loss, has_aux=True)(trainable)
        return slopes, changed, sums

    def _taught(self, values: list[Any], x: Any) -> Any:
        teacher = self._task.teacher
        if teacher is None:
            return None
        trainable, fixed = values[: len(teacher.trainable_variables)], values[len(teacher.trainable_variables) :]
        return teacher.stateless_call(trainable, fixed, _shaped(x, teacher), training=False)[0]


def _values(model: keras.Model) -> list[Any]:
    return [variable.value for variable in (*model.trainable_variables, *model.non_trainable_variables)]


def _shaped(x: Any, model: keras.Model) -> Any:
    return x.reshape(-1, *model.inputs[0].shape[1:]) if model.inputs[0].shape[1:] != (SIDE, SIDE) else x


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
        f"the loss became NaN or infinite in epoch {epoch + 1}", "a finite loss", "train again with a lower --lr"
    )
