"""What a recipe may ask of the engine, against NumPy and the same training done otherwise."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from keras import layers

import pendigit
from pendigit.datasets import Dataset
from pendigit.errors import UsageError
from pendigit.learning import training
from pendigit.learning.augment import policy
from pendigit.learning.networks import NETWORKS, build
from pendigit.learning.objective import make_loss
from pendigit.learning.optimizers import make_optimizer
from pendigit.learning.stock import StockEngine
from pendigit.learning.training import CompiledEngine, Task
from pendigit.recipes import EXPECTED, RECIPES, TrainingOptions
from test_training import COUNT, same, train

pytestmark = pytest.mark.usefixtures("quickly_compiled")
STEPS = math.ceil(COUNT / 32)


def engine(data: Dataset, model: keras.Model | None = None, **options: Any) -> CompiledEngine:
    """An engine on the first frames of `data`; what is no training option goes to its task as it is."""
    own = {name: options.pop(name) for name in list(options) if name in {"teacher", "loss", "augment"}}
    chosen = TrainingOptions(**options)
    model = model or build(chosen)
    task: dict[str, Any] = {"loss": make_loss(chosen, model)} | own
    return CompiledEngine(
        Task(
            model,
            make_optimizer(chosen, COUNT),
            frames=data.x_train[:COUNT],
            labels=data.y_train[:COUNT],
            batch_size=chosen.batch_size,
            seed=chosen.seed,
            micro_batch=chosen.micro_batch,
            **task,
        )
    )


@pytest.fixture
def _single_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of one step, so that every step is seen."""
    monkeypatch.setattr(training, "FIRST_BLOCK", 1)
    monkeypatch.setattr(training, "BLOCK_SECONDS", 0)


def convnet() -> keras.Model:
    keras.utils.set_random_seed(1)
    parts = [layers.Conv2D(3, 5, strides=4, activation="relu"), layers.Flatten(), layers.Dense(10)]
    return keras.Sequential([keras.Input((28, 28, 1)), *parts])


def weights(made: CompiledEngine) -> list[np.ndarray]:
    return [np.asarray(variable) for variable in made.settle().trainable_variables]


def test_micro_batches_add_up_to_the_batch(mini: Dataset) -> None:
    """The last batch holds 8 of 32 frames: one micro-batch is whole, the others are fill."""
    found, scores = [], []
    for micro in (0, 8, 32):
        made = engine(mini, convnet(), optimizer="nesterov", lr=0.1, micro_batch=micro)
        before = weights(made)
        scores.append(train(made, 2)[-1])
        found.append(weights(made))
    for whole, parts, one, old in zip(*found, before, strict=True):
        np.testing.assert_allclose(parts, whole, atol=2e-6)
        np.testing.assert_array_equal(one, whole)
        assert np.abs(whole - old).max() > 0.01, "and it did train"
    assert scores[1].seen == scores[0].seen == COUNT
    assert scores[1].accuracy == scores[0].accuracy
    assert scores[1].loss == pytest.approx(scores[0].loss, rel=1e-5)


@pytest.mark.usefixtures("_single_steps")
def test_the_average_of_the_weights_is_what_is_kept(mini: Dataset) -> None:
    made = engine(mini, hidden=4, ema=0.8, lr=0.01)
    count = len(made.settle().trainable_variables)
    average: list[np.ndarray] = []
    for _ in made.epoch(0):
        now = list(made.state().values())[:count]
        average = [0.8 * old + 0.2 * new for old, new in zip(average, now, strict=True)] if average else now
    before = made.state()
    for kept, expected, last in zip(weights(made), average, now, strict=True):
        np.testing.assert_allclose(kept, expected, atol=1e-6)
        assert np.abs(kept - last).max() > 1e-3
    assert same(made.state(), before), "training goes on from the weights themselves"


def drawing(key: Any, frames: Any) -> Any:
    """An augmentation that gives each frame one random grey, which is the same all over it."""
    return jnp.broadcast_to(jax.random.uniform(key, (len(frames), 1, 1)), frames.shape)


def greys(_labels: Any, outputs: Any, _taught: Any) -> Any:
    """A loss that tells the grey of each frame."""
    return outputs[:, 0]


def averaging() -> keras.Model:
    made = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(10, use_bias=False)])
    made.layers[-1].kernel.assign(np.full((784, 10), 1 / 784))
    return made


@pytest.mark.usefixtures("_single_steps")
@pytest.mark.parametrize("micro", [0, 8])
def test_every_step_draws_its_augmentation_anew_and_the_seed_decides_it(micro: int, mini: Dataset) -> None:
    still: dict[str, Any] = {"lr": 1e-12, "optimizer": "nesterov", "augment": drawing, "loss": greys}

    def drawn(seed: int, first: int = 0) -> list[float]:
        made = engine(mini, averaging(), seed=seed, micro_batch=micro, **still)
        if first:
            train(made, first)
            state, made = made.state(), engine(mini, averaging(), seed=seed, micro_batch=micro, **still)
            made.restore(state)
        sums: list[float] = []
        for number in range(first, 2):
            totals = [progress.loss * progress.seen for progress in made.epoch(number)]
            sums.extend(np.diff([0, *totals]) / ([32] * (STEPS - 1) + [COUNT % 32]))
        return sums

    found = drawn(0)
    assert len(found) == 2 * STEPS
    assert np.ptp(np.sort(found)[1:-1]) > 0.05
    assert np.diff(np.sort(found)).min() > 1e-6, "no two steps draw the same"
    assert 0.3 < np.mean(found) < 0.7
    assert drawn(0) == found
    assert drawn(0, first=1) == found[STEPS:], "also when it goes on"
    assert not set(drawn(1)) & set(found)


def test_micro_batches_of_a_step_draw_different_changes(mini: Dataset) -> None:
    """Were the draw the same for all micro-batches of a step, seven draws in all would not fill 0 to 1 evenly."""
    made = [
        engine(mini, averaging(), lr=1e-12, optimizer="nesterov", micro_batch=micro, augment=drawing, loss=loss)
        for micro, loss in ((1, greys), (1, lambda *given: greys(*given) ** 2))
    ]
    mean, square = (train(each)[-1].loss for each in made)
    assert mean == pytest.approx(1 / 2, abs=0.07)
    assert square - mean**2 == pytest.approx(1 / 12, abs=0.02), "spread evenly over 0 to 1"


def test_everything_at_once_goes_on_bit_for_bit(mini: Dataset) -> None:
    options: dict[str, Any] = {
        "hidden": 8,
        "dropout": 0.3,
        "ema": 0.9,
        "epochs": 2,
        "schedule": "one-cycle",
        "micro_batch": 16,
        "label_smoothing": 0.1,
        "weight_decay": 0.01,
        "augment": policy("strong"),
        "teacher": build(TrainingOptions(hidden=4, seed=1)),
    }
    whole = engine(mini, **options)
    train(whole, 1)
    middle = whole.state()
    train(whole, 2, first=1)
    other = engine(mini, **options)
    other.restore(middle)
    train(other, 2, first=1)
    assert same(whole.state(), other.state())
    for one, two in zip(weights(whole), weights(other), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    "wrong",
    [
        {"optimizer": "sgd"},
        {"schedule": "cosine"},
        {"warmup": 1.0},
        {"weight_decay": -0.1},
        {"label_smoothing": 1.0},
        {"ema": 1.0},
        {"micro_batch": 5},
        {"micro_batch": 64},
        {"micro_batch": -8},
        {"patience": -1},
        {"seed": 2**32},
    ],
    ids=str,
)
def test_recipes_outside_their_range_are_named(wrong: dict[str, Any]) -> None:
    ((name, value),) = wrong.items()
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} {value}; expected"):
        TrainingOptions(**wrong)


@pytest.mark.parametrize("asked", [{"augment": "mild"}, {"ema": 0.9}, {"teacher": "classic"}])
def test_keras_own_fit_refuses_what_it_cannot_do(
    asked: dict[str, Any], small: Path, finished: Path, tmp_path: Path
) -> None:
    if "teacher" in asked:
        asked = {"teacher": str(finished)}
    with pytest.raises(UsageError, match="expected a plain recipe"):
        pendigit.train(data=str(small), engine="stock", out=tmp_path / "run", **asked)
    assert list(tmp_path.iterdir()) == []


def test_both_engines_take_the_same_optimizer_and_loss(mini: Dataset) -> None:
    options = TrainingOptions(
        hidden=8, dropout=0, optimizer="nesterov", lr=0.05, schedule="one-cycle", label_smoothing=0.1
    )
    found = []
    for kind in (CompiledEngine, StockEngine):
        model = build(options)
        task = Task(
            model,
            make_optimizer(options, COUNT),
            make_loss(options, model),
            mini.x_train[:COUNT],
            mini.y_train[:COUNT],
            options.batch_size,
            options.seed,
        )
        made = kind(task)
        train(made, 2)
        found.append([np.asarray(variable) for variable in made.settle().trainable_variables])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_valid_and_may_be_changed(name: str) -> None:
    options = TrainingOptions.of(network=name)
    policy(options.augment)
    make_optimizer(options, 60_000)
    for key, value in RECIPES[name].items():
        assert getattr(options, key) == value
    assert TrainingOptions.of(network=name, epochs=99).epochs == 99
    assert TrainingOptions.from_dict(options.to_dict()) == options


def test_there_is_a_recipe_for_every_network() -> None:
    assert RECIPES.keys() == NETWORKS.keys()
    assert EXPECTED.keys() <= NETWORKS.keys()
    assert TrainingOptions.of() == TrainingOptions(), "the classic recipe is the default"
    assert TrainingOptions.of(network="my.py") == TrainingOptions(network="my.py")
