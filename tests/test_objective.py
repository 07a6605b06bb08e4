"""What a network is taught: the loss against its formula, digitness, and a teacher."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jax.numpy as jnp
import keras
import numpy as np
import pytest
from keras import layers
from scipy.special import log_expit, log_softmax, softmax

from pendigit.classifier import NO_DIGIT
from pendigit.commands import run
from pendigit.datasets import Dataset
from pendigit.learning.export import DIGITNESS_LAYER
from pendigit.learning.networks import build
from pendigit.learning.objective import TEACHER_SHARE, TEACHER_TEMPERATURE, is_right, make_loss
from pendigit.learning.training import CompiledEngine
from pendigit.recipes import TrainingOptions
from test_recipes import engine
from test_training import COUNT, train

pytestmark = pytest.mark.usefixtures("quickly_compiled")
Tree = Callable[[Path], dict[str, bytes]]


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
