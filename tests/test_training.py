"""The engines: against Keras's own loop, against each other, and the same bits however they are driven."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np
import pytest
from keras import layers
from scipy.special import log_softmax

from pendigit.datasets import Dataset
from pendigit.errors import TrainingError, UsageError
from pendigit.learning import training
from pendigit.learning.networks import build
from pendigit.learning.stock import StockEngine
from pendigit.learning.training import Arrays, CompiledEngine, Engine, Progress, Task, epoch_order
from pendigit.recipes import TrainingOptions

Frames = np.ndarray
Make = Callable[..., Engine]
COUNT = 200  # frames: with batches of 32, six whole ones and one of 8


@pytest.fixture
def few(mini: Dataset) -> tuple[Frames, Frames]:
    return mini.x_train[:COUNT], mini.y_train[:COUNT]


def engine(
    frames: Frames,
    labels: Frames,
    kind: Callable[..., Engine] = CompiledEngine,
    model: keras.Model | None = None,
    order: int | None = None,
    **options: Any,
) -> Engine:
    chosen = TrainingOptions(**options)
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=not chosen.softmax, reduction=None)
    return kind(
        Task(
            model or build(chosen),
            keras.optimizers.Adam(chosen.lr),
            lambda labels, outputs, _taught: cross_entropy(labels, outputs),
            frames,
            labels,
            chosen.batch_size,
            chosen.seed if order is None else order,
            parts=chosen.parts,
        )
    )


def train(made: Engine, epochs: int = 1, first: int = 0) -> list[Progress]:
    return [progress for number in range(first, epochs) for progress in made.epoch(number)]


def same(one: Arrays, other: Arrays) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


def test_the_classic_network_has_101770_parameters() -> None:
    for softmax in (False, True):
        model = build(TrainingOptions(softmax=softmax))
        assert model.count_params() == 784 * 128 + 128 + 128 * 10 + 10 == 101_770
        kinds = [type(layer).__name__ for layer in model.layers]
        assert kinds == ["Flatten", "Dense", "Dropout", "Dense"]
        outputs = np.asarray(model(np.zeros((3, 28, 28), np.float32)))
        assert np.allclose(outputs.sum(axis=1), 1) == softmax
    assert build(TrainingOptions(hidden=7)).count_params() == 785 * 7 + 8 * 10
    with pytest.raises(UsageError, match="unknown network 'clasic'; expected classic"):
        build(TrainingOptions(network="clasic"))


@pytest.mark.parametrize("softmax", [False, True])
def test_one_batch_is_learned_by_heart(mini: Dataset, softmax: bool) -> None:
    made = engine(mini.x_train[:32], mini.y_train[:32], lr=0.01, dropout=0.0, softmax=softmax)
    last = train(made, 40)[-1]
    assert last.accuracy == 1
    assert last.loss < 0.01


def test_block_length_never_changes_the_weights(few: tuple[Frames, Frames], monkeypatch: pytest.MonkeyPatch) -> None:
    def trained(first: int, seconds: float) -> tuple[Arrays, list[int], Progress]:
        monkeypatch.setattr(training, "FIRST_BLOCK", first)
        monkeypatch.setattr(training, "BLOCK_SECONDS", seconds)
        made = engine(*few, dropout=0.5)
        progress = train(made, 2)
        return made.state(), [each.seen for each in progress], progress[-1]

    single, seen, last = trained(1, 0)
    assert seen == 2 * [32, 64, 96, 128, 160, 192, 200]
    whole, seen, whole_last = trained(10**6, 10**6)
    assert seen == [200, 200]
    assert same(single, whole)
    assert last == whole_last
    uneven, seen, _ = trained(3, 0)
    assert seen == [96, 128, 160, 192, 200, *range(32, 193, 32), 200]
    assert same(single, uneven)


@pytest.mark.parametrize("parts", [1, 2])
def test_one_compilation_serves_every_block(
    few: tuple[Frames, Frames], parts: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "FIRST_BLOCK", 2)
    made = engine(*few, parts=parts)
    with jax.log_compiles(), caplog.at_level("WARNING"):
        train(made, 2)
        made.restore(made.state())
        train(made, 3, first=2)
    assert sum("Finished XLA compilation of jit(_run_block)" in message for message in caplog.messages) == 1


def test_the_seed_decides_everything(few: tuple[Frames, Frames]) -> None:
    def trained(**options: Any) -> Arrays:
        made = engine(*few, **options)
        train(made)
        return made.state()

    first = trained(seed=3)
    assert same(first, trained(seed=3))
    assert not same(first, trained(seed=4))
    assert not same(first, trained(seed=3, order=4)), "the order of the frames matters"
    assert not same(trained(seed=3, dropout=0.0), first)


def test_the_last_batch_counts_what_it_holds(few: tuple[Frames, Frames]) -> None:
    """At a learning rate that moves nothing, an epoch's scores are those of the initial weights on all frames."""
    frames, labels = few
    made = engine(frames, labels, lr=1e-12, dropout=0.0)
    # Keras gives up the buffers of the variables it predicts with; the engine must not be using them.
    logits = np.asarray(made.settle().predict_on_batch(frames.astype(np.float32) / 255))
    last = train(made)[-1]
    assert last.seen == COUNT
    assert round(last.accuracy * COUNT) == (logits.argmax(axis=1) == labels).sum()
    assert last.loss == pytest.approx(-log_softmax(logits, axis=1)[np.arange(COUNT), labels].mean(), rel=1e-4)


def keras_weights(model: keras.Model, frames: Frames, labels: Frames, lr: float, seed: int) -> list[np.ndarray]:
    """One epoch by Keras's own `train_on_batch`, in the engine's order."""
    model.compile(keras.optimizers.Adam(lr), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    order = epoch_order(len(labels), len(labels), seed, 0)
    for start in range(0, len(labels), 32):
        chosen = order[start : start + 32]
        model.train_on_batch(frames[chosen].astype(np.float32) / 255, labels[chosen])
    return [np.asarray(variable) for variable in model.variables]


def test_an_epoch_is_what_keras_computes(few: tuple[Frames, Frames]) -> None:
    made = engine(*few, dropout=0.0, lr=0.001)
    before = [np.array(variable) for variable in made.settle().variables]
    train(made)
    expected = keras_weights(build(TrainingOptions(dropout=0.0)), *few, lr=0.001, seed=0)
    for old, new, ours in zip(before, expected, made.settle().variables, strict=True):
        np.testing.assert_allclose(np.asarray(ours), new, atol=1e-5)
        assert old.dtype != np.float32 or np.abs(new - old).max() > 1e-4, "and it did train"


def convnet() -> keras.Model:
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(4, 5, strides=3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )


def test_the_engine_knows_no_particular_network(mini: Dataset) -> None:
    """Convolution and batch normalisation, whose moving averages are no trained weights."""
    few = mini.x_train[:96], mini.y_train[:96]
    made = engine(*few, model=convnet())
    train(made)
    expected = keras_weights(convnet(), *few, lr=0.001, seed=0)
    for ours, new in zip(made.settle().variables, expected, strict=True):
        np.testing.assert_allclose(np.asarray(ours), new, atol=2e-5)


@pytest.mark.parametrize("kind", [CompiledEngine, StockEngine])
def test_a_restored_engine_goes_on_as_the_first_would(few: tuple[Frames, Frames], kind: Callable[..., Engine]) -> None:
    whole = engine(*few, kind)
    train(whole, 1)
    middle = {name: array.copy() for name, array in whole.state().items()}
    train(whole, 3, first=1)
    other = engine(*few, kind)
    other.restore(middle)
    assert same(other.state(), middle)
    train(other, 3, first=1)
    assert same(whole.state(), other.state())
    assert not same(whole.state(), middle)


def test_both_engines_learn_alike(mini: Dataset) -> None:
    accuracies = []
    for kind in (CompiledEngine, StockEngine):
        made = engine(mini.x_train, mini.y_train, kind)
        last = train(made)[-1]
        assert last.seen == 6000
        logits = made.settle().predict_on_batch(mini.x_test.astype(np.float32) / 255)
        accuracies.append((np.asarray(logits).argmax(axis=1) == mini.y_test).mean())
    assert min(accuracies) > 0.85
    assert abs(accuracies[0] - accuracies[1]) < 0.03


@pytest.mark.parametrize("kind", [CompiledEngine, StockEngine])
def test_a_loss_that_is_no_number_stops_the_training(few: tuple[Frames, Frames], kind: Callable[..., Engine]) -> None:
    made = engine(*few, kind, lr=1e30)
    with pytest.raises(TrainingError, match="the loss became NaN or infinite in epoch 1"):
        train(made, 3)


def test_an_epoch_takes_every_frame_once_in_a_new_order() -> None:
    first, second = epoch_order(10, 12, 0, 0), epoch_order(10, 12, 0, 1)
    assert sorted(first[:10]) == sorted(second[:10]) == list(range(10))
    assert first[10:].tolist() == first[:2].tolist()
    assert first.tolist() != second.tolist()
    assert first.tolist() != epoch_order(10, 12, 1, 0).tolist()
    assert set(epoch_order(3, 8, 0, 0)) == {0, 1, 2}, "a batch larger than the set"


def test_a_batch_may_be_larger_than_the_set(mini: Dataset) -> None:
    made = engine(mini.x_train[:5], mini.y_train[:5], batch_size=64, dropout=0.0, lr=0.01)
    progress = train(made, 30)
    assert {each.seen for each in progress} == {5}
    assert progress[-1].accuracy == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", -1),
        ("batch_size", 0),
        ("hidden", 0),
        ("seed", -1),
        ("validation", -1),
        ("lr", 0.0),
        ("lr", -0.1),
        ("lr", float("nan")),
        ("lr", float("inf")),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("dropout", float("nan")),
        ("engine", "quick"),
    ],
)
def test_options_outside_their_range_are_named(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} {value}; expected"):
        TrainingOptions(**{name: value})  # type: ignore[arg-type]


def test_options_survive_json() -> None:
    options = TrainingOptions(data="mini", epochs=3, lr=0.01, softmax=True)
    assert TrainingOptions.from_dict(options.to_dict()) == options
    with pytest.raises(UsageError, match="unknown training option 'epoch'"):
        TrainingOptions.from_dict({"epoch": 3})
