"""The networks: their sizes, and those that users bring: each trains, or is refused in one line with nothing lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

import pendigit
from pendigit.commands import run
from pendigit.learning.export import check_exportable
from pendigit.learning.networks import NETWORKS, build, multiply_adds
from pendigit.recipes import EXPECTED, TrainingOptions

Captured = pytest.CaptureFixture[str]
Tree = Callable[[Path], dict[str, bytes]]

pytestmark = pytest.mark.usefixtures("quickly_compiled")

# Parameters, all of them, as `pendigit networks` lists them.
PARAMETERS = {
    "classic": 101_770,
    "quick": 111_386,
    "strong": 108_234,
    "tiny": 9_674,
    "taught": 101_770,
    "reader": 359_755,
}


@pytest.fixture(scope="module")
def built() -> dict[str, keras.Model]:
    return {name: build(TrainingOptions.of(network=name)) for name in NETWORKS}


def test_every_network_has_the_parameters_it_had(built: dict[str, keras.Model]) -> None:
    assert {name: model.count_params() for name, model in built.items()} == PARAMETERS


def test_they_are_listed_with_what_they_cost_and_promise(built: dict[str, keras.Model], capsys: Captured) -> None:
    assert run(["networks"]) == 0
    title, *lines = capsys.readouterr().out.splitlines()
    assert title.split()[:2] == ["network", "parameters"]
    rows = {line.split()[0]: line for line in lines if not line.startswith(" ")}
    assert rows.keys() == built.keys()
    for name, row in rows.items():
        assert row.split()[1:3] == [f"{built[name].count_params():,}", f"{multiply_adds(built[name]):,}"]
        assert all(text in row for text in EXPECTED.get(name, ()))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_takes_frames_and_can_be_exported(name: str, built: dict[str, keras.Model]) -> None:
    model = built[name]
    frames = np.random.default_rng(0).random((3, 28, 28), np.float32)
    outputs = np.asarray(model(frames))
    assert outputs.shape == (3, 11 if name == "reader" else 10)
    assert np.isfinite(outputs).all()
    assert np.ptp(outputs, axis=0).max() > 0
    check_exportable(model)
    assert multiply_adds(model) > 0
    assert (NETWORKS[name].__doc__ or "").strip()


def test_multiply_adds_are_those_counted_by_hand(built: dict[str, keras.Model]) -> None:
    assert multiply_adds(built["classic"]) == 784 * 128 + 128 * 10
    # 24x24 places of 5x5x1 to 24, 10x10 places of 3x3x24 to 32, 5x5x32 to 128, 128 to 10.
    assert multiply_adds(built["quick"]) == 24 * 24 * 25 * 24 + 10 * 10 * 9 * 24 * 32 + 800 * 128 + 1280
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(4, 3, strides=2, padding="same"),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(3),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10),
        ]
    )
    assert multiply_adds(model) == 14 * 14 * 9 * 4 + 12 * 12 * 9 * 4 + 4 * 10


def test_initial_weights_come_from_the_seed() -> None:
    one, same, other = (build(TrainingOptions(hidden=3, seed=seed)).layers[1].kernel for seed in (0, 0, 1))
    np.testing.assert_array_equal(np.asarray(one), np.asarray(same))
    assert (np.asarray(one) != np.asarray(other)).all()


HEAD = "from keras import Input, Model, Sequential, layers, ops\n"
GOOD = f"""{HEAD}
def build():
    return Sequential([Input((28, 28)), layers.Reshape((28, 28, 1)), layers.Conv2D(2, 5, strides=4, activation="relu"),
        layers.Flatten(), layers.Dropout(0.1), layers.Dense(10)])
"""


def file_with(*parts: str, shape: str = "(28, 28)") -> str:
    return f"{HEAD}\ndef build():\n    return Sequential([Input({shape}), {', '.join(parts)}])\n"


FLAT, TEN = "layers.Flatten()", "layers.Dense(10)"
TWO = "[Input((28, 28)), Input((28, 28))]"
BAD_FILES = {
    # what the file says, exit code, what the message names
    "not python (": (2, "SyntaxError"),
    "1 / 0": (2, "ZeroDivisionError: division by zero"),
    "import no_such_package": (2, "No module named 'no_such_package'"),
    "import sys; sys.exit('enough')": (2, "SystemExit: enough"),
    "x = 3": (2, "has no attribute 'build'"),
    "build = 3": (2, "'int' object is not callable"),
    "def build(a): pass": (2, "missing 1 required positional argument"),
    "def build(): raise ValueError('a\\nb' * 300)": (2, "ValueError: a"),
    "def build(): pass": (5, "gave a NoneType"),
    "def build(): return [1]": (5, "gave a list"),
    f"{HEAD}\ndef build(): return Sequential([{TEN}])": (
        5,
        "gave a Sequential; expected a Keras network with an input",
    ),
    f"""{HEAD}
class Own(Model):
    def __init__(self):
        super().__init__()
        self.last = {TEN}
    def call(self, x):
        return self.last(ops.reshape(x, (-1, 784)))
def build():
    model = Own()
    model(ops.zeros((1, 28, 28)))
    return model
""": (5, "gave a Own"),
    file_with(FLAT, TEN, shape="(32, 32)"): (5, "(32, 32)"),
    file_with("layers.GlobalAveragePooling2D()", TEN, shape="(28, None, 1)"): (5, "(28, None, 1)"),
    file_with(FLAT, "layers.Dense(9)"): (5, "(9,)"),
    file_with(TEN): (5, "(28, 10)"),
    f"{HEAD}\ndef build():\n    a = {TWO}\n    return Model(a, {TEN}({FLAT}(layers.Add()(a))))": (5, "one input"),
    f"{HEAD}\ndef build():\n    a = Input((784,))\n    return Model(a, [{TEN}(a), {TEN}(a)])": (5, "one output"),
    file_with(FLAT, "layers.Lambda(lambda x: x[:, :10])"): (5, "is a Lambda, which cannot be exported"),
    file_with("layers.Permute((2, 1))", FLAT, TEN): (5, "is a Permute, which cannot be exported"),
    file_with(FLAT, "layers.Dense(8, activation=lambda x: x * 2)", TEN): (5, "has the activation '<lambda>'"),
    file_with(FLAT, f"Sequential([Input((784,)), layers.LayerNormalization(), {TEN}])"): (5, "is a LayerNormalization"),
}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, in which Python leaves no compiled files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    return tmp_path


def refused(network: str, code: int, named: str, desk: Path, small: Path, tree: Tree, capsys: Captured) -> None:
    before = tree(desk)
    assert run(["train", network, "--data", str(small)]) == code
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1), printed.err
    assert printed.err.startswith("pendigit: ")
    assert named in printed.err
    assert "fault of pendigit" not in printed.err
    assert len(printed.err) < 500
    assert tree(desk) == before, "no run folder is begun"


@pytest.mark.parametrize("source", BAD_FILES, ids=[named for _, named in BAD_FILES.values()])
def test_a_network_file_that_does_not_do_gets_one_line(
    source: str, desk: Path, small: Path, tree: Tree, capsys: Captured
) -> None:
    (desk / "own.py").write_text(source)
    refused("own.py", *BAD_FILES[source], desk, small, tree, capsys)


def saved(*parts: keras.Layer) -> Callable[[Path], object]:
    return lambda path: keras.Sequential([keras.Input((28, 28)), *parts]).save(path)


@pytest.mark.parametrize(
    ("name", "write", "code", "named"),
    [
        ("missing.py", None, 2, "no network file at missing.py"),
        ("folder.py", Path.mkdir, 2, "no network file at folder.py"),
        ("missing.keras", None, 5, "missing.keras cannot be opened by Keras"),
        ("text.keras", lambda path: path.write_text("hello"), 5, "text.keras cannot be opened by Keras"),
        ("nine.keras", saved(layers.Flatten(), layers.Dense(9)), 5, "gives [(9,)]"),
        ("permute.keras", saved(layers.Permute((2, 1)), layers.Flatten(), layers.Dense(10)), 5, "is a Permute, which"),
        ("model.onnx", lambda path: path.write_text("hello"), 2, "unknown network 'model.onnx'"),
    ],
)
def test_a_network_of_ones_own_that_is_not_there_or_not_right_gets_one_line(
    name: str,
    write: Callable[[Path], object] | None,
    code: int,
    named: str,
    desk: Path,
    small: Path,
    tree: Tree,
    capsys: Captured,
) -> None:
    if write:
        write(desk / name)
    refused(name, code, named, desk, small, tree, capsys)


def test_a_network_of_ones_own_trains_and_trains_further(desk: Path, small: Path, capsys: Captured) -> None:
    (desk / "own.py").write_text(GOOD)
    assert run(["train", "own.py", "--data", str(small), "--epochs", "4", "--lr", "0.01"]) == 0
    folder = desk / "runs" / "own"
    assert json.loads((folder / "config.json").read_text())["options"]["network"] == "own.py"
    first = json.loads((folder / "evaluation.json").read_text())
    assert first["accuracy"] > 0.3, "a tenth by chance"
    capsys.readouterr()

    run_further = pendigit.train(str(folder / "model.keras"), data=str(small), epochs=1, lr=1e-12, out=desk / "still")
    assert run_further.evaluation.accuracy == first["accuracy"], "it begins with the weights of the file"
    assert run_further.evaluation.loss == pytest.approx(first["loss"], rel=1e-4)
    again = pendigit.train(str(folder / "model.keras"), data=str(small), epochs=2, lr=0.003, out=desk / "further")
    assert again.history[-1].loss < run_further.history[-1].loss


def test_batch_normalisation_and_branches_train_on_the_same_engine(desk: Path, small: Path) -> None:
    source = f"""{HEAD}
def build():
    entry = Input((28, 28, 1))
    x = layers.MaxPooling2D()(layers.BatchNormalization()(layers.Conv2D(2, 5, strides=3)(entry)))
    x = layers.Add()([layers.Conv2D(2, 1)(x), x])
    return Model(entry, layers.Softmax()({TEN}({FLAT}(x))))
"""
    (desk / "branches.py").write_text(source)
    done = pendigit.train("branches.py", data=str(small), epochs=1, batch_size=64, micro_batch=16, augment="mild")
    assert done.folder == Path("runs") / "branches"
    assert (done.folder / "model.onnx").exists()
    for image_free in (done.folder / "model.keras", done.folder):
        assert pendigit.evaluate(image_free, f"{small}:test").accuracy == done.evaluation.accuracy
