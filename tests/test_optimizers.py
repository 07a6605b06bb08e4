"""How the weights move: schedules against closed forms, optimisers against their definitions."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest

from pendigit.datasets import Dataset
from pendigit.errors import UsageError
from pendigit.learning.optimizers import make_optimizer
from pendigit.recipes import TrainingOptions
from test_recipes import averaging, engine, weights
from test_training import COUNT, train


def rates(lr: float, count: int, **options: Any) -> list[float]:
    """The learning rate of each step, and of one beyond the last."""
    chosen = TrainingOptions(lr=lr, schedule="one-cycle", **options)
    optimizer = make_optimizer(chosen, count)
    found = []
    for step in range(chosen.epochs * math.ceil(count / chosen.batch_size) + 1):
        optimizer.iterations.assign(step)
        found.append(float(optimizer.learning_rate))
    return found


def test_one_cycle_is_its_closed_form() -> None:
    """17 steps of 50 in two epochs on 401 frames round up to 18, of which a quarter, 4, are warm-up."""
    found = rates(0.1, 401, epochs=2, batch_size=50, warmup=0.25)
    assert len(found) == 19
    assert found[0] == pytest.approx(0.1 / 25)
    assert found[2] == pytest.approx((0.1 / 25 + 0.1) / 2)
    assert found[4] == pytest.approx(0.1)
    falling = [0.1 * (1e-3 + (1 - 1e-3) * (1 + math.cos(math.pi * step / 14)) / 2) for step in range(15)]
    assert found[4:] == pytest.approx(falling)
    assert max(rates(0.1, 64, epochs=1, batch_size=32, warmup=0.0)) == pytest.approx(0.1)
    with pytest.raises(UsageError, match=r"--warmup 0\.2 of 1 steps; expected some steps left"):
        rates(0.1, 32, epochs=1)


def test_the_engine_follows_the_schedule(mini: Dataset) -> None:
    """Adam's first step moves a weight by the rate, whatever its gradient."""
    moves = []
    for schedule in ("constant", "one-cycle"):
        made = engine(mini, averaging(), lr=0.01, epochs=20, batch_size=COUNT, schedule=schedule)
        before = weights(made)[0]
        train(made)
        moves.append(np.abs(weights(made)[0] - before).max())
    assert moves == pytest.approx([0.01, 0.01 / 25], rel=0.05)


@pytest.mark.parametrize(("name", "kind"), [("adam", "Adam"), ("nesterov", "SGD"), ("muon", "Muon")])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_optimizers_go_by_name_and_decay_as_asked(name: str, kind: str, decay: float) -> None:
    made = make_optimizer(TrainingOptions(optimizer=name, lr=0.5, weight_decay=decay, ema=0.7), 100)
    assert type(made).__name__ == kind
    assert (made.use_ema, made.ema_momentum) == (True, 0.7)
    assert not make_optimizer(TrainingOptions(optimizer=name), 100).use_ema
    values = [keras.Variable(np.ones((4, 3), np.float32)), keras.Variable(np.ones(3, np.float32))]
    made.build(values)
    made.apply([np.zeros((4, 3), np.float32), np.zeros(3, np.float32)])
    for value in values:
        np.testing.assert_allclose(np.asarray(value), 1 - 0.5 * decay, atol=1e-6)


def test_nesterov_looks_ahead() -> None:
    made = make_optimizer(TrainingOptions(optimizer="nesterov", lr=0.1), 100)
    value, velocity = keras.Variable(np.float32(1)), 0.0
    made.build([value])
    expected = 1.0
    for slope in (1.0, 2.0, -1.0):
        made.apply([np.float32(slope)])
        velocity = 0.9 * velocity - 0.1 * slope
        expected += 0.9 * velocity - 0.1 * slope
    assert float(value) == pytest.approx(expected, rel=1e-5)
