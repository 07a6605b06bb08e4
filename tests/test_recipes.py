"""What a recipe may ask of the engine, against closed forms, NumPy, and the same training done otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from keras import layers
from scipy.special import log_expit, log_softmax, softmax

import pendigit
from pendigit.classifier import NO_DIGIT
from pendigit.commands import run
from pendigit.datasets import Dataset
from pendigit.errors import UsageError
from pendigit.learning import training
from pendigit.learning.augment import policy
from pendigit.learning.export import DIGITNESS_LAYER
from pendigit.learning.networks import NETWORKS, build
from pendigit.learning.objective import TEACHER_SHARE, TEACHER_TEMPERATURE, is_right, make_loss
from pendigit.learning.optimizers import make_optimizer
from pendigit.learning.stock import StockEngine
from pendigit.learning.training import CompiledEngine, Task
from pendigit.recipes import EXPECTED, RECIPES, TrainingOptions
from test_training import COUNT, same, train

Tree = Callable[[Path], dict[str, bytes]]
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


@pytest.mark.parametrize("softmax_end", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_is_its_formula(softmax_end: bool, smoothing: float) -> None:
    random = np.random.default_rng(0)
    labels, logits, taught = random.integers(0, 10, 9), *random.normal(0, 2, (2, 9, 10)).astype(np.float32)
    options = TrainingOptions(softmax=softmax_end, label_smoothing=smoothing, hidden=1)
    loss = make_loss(options, build(options))
    outputs = softmax(logits, axis=1) if softmax_end else logits
    wanted = (1 - smoothing) * np.eye(10)[labels] + smoothing / 10
    own = -(wanted * log_softmax(logits, axis=1)).sum(axis=1)
    np.testing.assert_allclose(loss(jnp.asarray(labels), jnp.asarray(outputs), None), own, rtol=1e-4)
    t = TEACHER_TEMPERATURE
    distance = -(softmax(taught / t, axis=1) * log_softmax(logits / t, axis=1)).sum(axis=1)
    expected = (1 - TEACHER_SHARE) * own + TEACHER_SHARE * t**2 * distance
    found = loss(jnp.asarray(labels), jnp.asarray(outputs), jnp.asarray(taught))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_an_eleventh_output_learns_whether_and_the_others_which(smoothing: float) -> None:
    random = np.random.default_rng(1)
    labels, outputs = np.array([0, 3, NO_DIGIT, 9, NO_DIGIT]), random.normal(0, 2, (5, 11)).astype(np.float32)
    parts = [layers.Flatten(), layers.Dense(11, name=DIGITNESS_LAYER)]
    loss = make_loss(TrainingOptions(label_smoothing=smoothing), keras.Sequential([keras.Input((28, 28)), *parts]))
    shown = labels != NO_DIGIT
    wanted = (1 - smoothing) * np.eye(11)[labels][:, :10] + smoothing / 10
    which = -(wanted * log_softmax(outputs[:, :10], axis=1)).sum(axis=1)
    target = shown * (1 - smoothing) + smoothing / 2
    whether = -target * log_expit(outputs[:, 10]) - (1 - target) * log_expit(-outputs[:, 10])
    found = loss(jnp.asarray(labels), jnp.asarray(outputs), None)
    np.testing.assert_allclose(found, shown * which + whether, rtol=1e-4)
    decided = np.where(outputs[:, 10] > 0, outputs[:, :10].argmax(axis=1), NO_DIGIT)
    np.testing.assert_array_equal(is_right(jnp.asarray(labels), jnp.asarray(outputs)), decided == labels)


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1)])
def test_the_teacher_sees_what_the_network_sees(shape: tuple[int, ...], mini: Dataset) -> None:
    keras.utils.set_random_seed(2)
    parts = [layers.Flatten(), layers.Dense(8, "relu"), layers.Dropout(0.5), layers.Dense(10)]
    teacher = keras.Sequential([keras.Input(shape), *parts])
    made = engine(mini, dropout=0.0, lr=1e-12, hidden=4, teacher=teacher, augment=lambda _, x: x[:, ::-1])
    frames, labels = mini.x_train[:COUNT, ::-1].astype(np.float32) / 255, mini.y_train[:COUNT]
    outputs = np.asarray(made.settle()(frames))
    taught = np.asarray(teacher(frames.reshape(-1, *shape)))
    expected = make_loss(TrainingOptions(), made.settle())(jnp.asarray(labels), jnp.asarray(outputs), taught)
    assert train(made)[-1].loss == pytest.approx(float(expected.mean()), rel=1e-4)


def test_a_student_comes_nearer_to_its_teacher(mini: Dataset, finished: Path) -> None:
    from pendigit.learning.keras_classifier import load_teacher

    teacher = load_teacher(str(finished))
    before = [np.array(variable) for variable in teacher.variables]
    frames = mini.x_train[:COUNT].astype(np.float32) / 255
    taught = softmax(np.asarray(teacher(frames)), axis=1)

    def distance(made: CompiledEngine) -> float:
        return float(np.abs(softmax(np.asarray(made.settle()(frames)), axis=1) - taught).mean())

    alone, led = engine(mini, hidden=32, lr=0.003), engine(mini, hidden=32, lr=0.003, teacher=teacher)
    for each in (alone, led):
        train(each, 15)
    assert distance(led) < 0.7 * distance(alone)
    for old, new in zip(before, teacher.variables, strict=True):
        np.testing.assert_array_equal(old, np.asarray(new))


TEACHERS: dict[str, Callable[[], keras.Model]] = {
    "softmax": lambda: build(TrainingOptions(hidden=2, softmax=True)),
    "eleven": lambda: keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(11)]),
}


@pytest.mark.parametrize(
    ("teacher", "named"),
    [
        ("missing.keras", "missing.keras"),
        (".", "model.keras"),
        ("text.keras", "text.keras"),
        ("softmax.keras", "softmax.keras ends in a softmax"),
        ("eleven.keras", "(11,)"),
    ],
)
def test_a_wrong_teacher_gets_one_line_and_loses_nothing(
    teacher: str,
    named: str,
    small: Path,
    tmp_path: Path,
    tree: Tree,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.keras").write_bytes(b"hello")
    name = teacher.removesuffix(".keras")
    if name in TEACHERS:
        TEACHERS[name]().save(teacher)
    before = tree(tmp_path)
    assert run(["train", "--data", str(small), "--teacher", teacher, "--out", "new"]) == 5
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert named in printed.err
    assert tree(tmp_path) == before


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
