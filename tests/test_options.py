"""The command line's options come from the options object; and `pendigit augment`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image

import pendigit
from pendigit.commands import app, run
from pendigit.commands.options import options_of
from pendigit.recipes import TrainingOptions

Captured = pytest.CaptureFixture[str]
Tree = Callable[[Path], dict[str, bytes]]
OWN = {"out", "resume", "tensorboard", "show"}  # of `pendigit train` itself


def parameters() -> dict[str, Any]:
    verb = typer.main.get_command(app).commands["train"]  # type: ignore[attr-defined]
    return {each.name: each for each in verb.params if each.name != "help"}


def test_every_training_option_is_one_of_train_with_its_words() -> None:
    found = parameters()
    assert found.keys() == {each.name for each in fields(TrainingOptions)} | OWN
    described = " ".join((TrainingOptions.__doc__ or "").split())
    for each in fields(TrainingOptions):
        shown = found[each.name]
        option = "--" + each.name.replace("_", "-")
        assert shown.opts == ([each.name] if each.name == "network" else [option])
        assert not shown.required
        words = shown.help.partition(" [default:")[0]
        assert len(words) > 10
        assert f"{each.name}: {words}" in described
        assert each.default is not MISSING
        assert (f"[default: {each.default}]" in shown.help) == (each.default not in ("", False))


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What `pendigit train` passes on."""
    passed: dict[str, Any] = {}

    def train(**options: Any) -> Any:
        passed.update(options)
        return SimpleNamespace(interrupted=False)

    monkeypatch.setattr(pendigit, "train", train, raising=False)
    monkeypatch.setattr("pendigit.commands.terminal.say_run", lambda _run: None)
    return passed


def passed_on(given: dict[str, Any], line: str) -> dict[str, Any]:
    given.clear()
    assert run(["train", *line.split()]) == 0
    del given["reporter"]
    return {name: value for name, value in given.items() if name not in OWN}


def test_only_what_was_given_is_passed_on(given: dict[str, Any]) -> None:
    assert passed_on(given, "") == {}
    assert passed_on(given, "quick") == {"network": "quick"}
    assert passed_on(given, "--epochs 5") == {"epochs": 5}, "the default, but asked for"
    assert passed_on(given, "--keep-best --validation 9") == {"keep_best": True, "validation": 9}
    assert passed_on(given, "--no-softmax") == {"softmax": False}
    line = "own.py --lr 0.5 --micro-batch 8 --batch-size 16 --teacher t --augment wild --ema 0"
    assert passed_on(given, line) == {
        "network": "own.py",
        "lr": 0.5,
        "micro_batch": 8,
        "batch_size": 16,
        "teacher": "t",
        "augment": "wild",
        "ema": 0.0,
    }
    assert {name: type(value) for name, value in passed_on(given, "--lr 1 --seed 1").items()} == {
        "lr": float,
        "seed": int,
    }


def test_what_is_left_out_comes_from_the_recipe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[TrainingOptions] = []

    def train(options: TrainingOptions, *_: object, **__: object) -> Any:
        seen.append(options)
        return SimpleNamespace(interrupted=False)

    monkeypatch.setattr("pendigit.learning.run.train", train)
    monkeypatch.setattr("pendigit.commands.terminal.say_run", lambda _run: None)
    monkeypatch.chdir(tmp_path)
    assert run(["train", "quick", "--lr", "0.5"]) == 0
    assert run(["train"]) == 0
    assert seen == [TrainingOptions.of(network="quick", lr=0.5), TrainingOptions()]
    assert seen[0].schedule == "one-cycle"


def test_any_options_object_will_do() -> None:
    @dataclass(frozen=True)
    class Baking:
        """How to bake.

        Attributes:
            bread: Its kind, such as
                rye.
            warm_up: Minutes.
            dark: Whether well done.
        """

        bread: str = "white"
        warm_up: int = 10
        dark: bool = False

    heard: list[Any] = []

    def bake(given: dict[str, Any], *, twice: bool = False) -> None:
        """Bake."""
        heard.append((given, twice))

    oven = typer.Typer()
    oven.command()(options_of(Baking, argument="bread")(bake))
    verb = typer.main.get_command(oven)
    texts = {each.name: each.help for each in verb.params}  # type: ignore[attr-defined]
    assert texts["bread"] == "Its kind, such as rye. [default: white]"
    assert texts["warm_up"] == "Minutes. [default: 10]"
    assert texts["dark"] == "Whether well done."
    verb(["rye", "--dark", "--twice"], standalone_mode=False)
    verb(["--warm-up", "0"], standalone_mode=False)
    assert heard == [({"bread": "rye", "dark": True}, True), ({"warm_up": 0}, False)]


@pytest.mark.usefixtures("quickly_compiled")
def test_augment_draws_a_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["augment", "none", "--data", "mini:test:0-2"]) == 0
    assert capsys.readouterr().out.startswith("augment.png: ")
    pictures = []
    for name, line in {"a": "mild", "b": "mild --seed 1", "c": "mild"}.items():
        assert run(["augment", *line.split(), "--data", "mini:test:0-1", "--preview", f"{name}.png"]) == 0
        with Image.open(f"{name}.png") as picture:
            assert picture.format == "PNG"
            pictures.append(np.asarray(picture.convert("L")))
    assert pictures[0].shape[1] > 400
    assert (pictures[0] < 128).mean() > 0.01, "there is ink"
    np.testing.assert_array_equal(pictures[0], pictures[2])
    assert (pictures[0] != pictures[1]).any()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "augment.png", "b.png", "c.png"]


@pytest.mark.parametrize(
    ("line", "code", "named"),
    [
        ("augment mld", 2, "unknown augmentation 'mld'"),
        ("augment --data mini:test:99999", 2, "99999"),
        ("augment --data missing.npz:test", 4, "missing.npz"),
        ("augment none --preview no/such.png", 6, "its folder does not exist"),
        ("augment none --preview sheet.txt", 6, "sheet.txt names no format of pictures"),
        ("augment none --preview sheet", 6, "sheet names no format of pictures"),
        ("augment --seed -1", 2, "--seed"),
        ("augment --seed 4294967296", 2, "--seed"),
        ("predict mini:test:0 --save sheet.doc", 6, "sheet.doc names no format of pictures"),
        ("train --data mini --augment mld", 2, "unknown augmentation 'mld'"),
        ("train --data mini --optimizer sgd", 2, "--optimizer sgd"),
        ("train --data mini --schedule cosine", 2, "--schedule cosine"),
        ("train --data mini --patience 2", 2, "--validation 0"),
        ("train --data mini --keep-best", 2, "--validation 0"),
        ("train --data mini --micro-batch 5", 2, "--micro-batch 5"),
        ("train --data mini --ema 1", 2, "--ema 1"),
        ("train --data mini --label-smoothing -1", 2, "--label-smoothing -1"),
        ("train --data mini --seed 4294967296", 2, "--seed 4294967296"),
        ("train --data mini --schedule one-cycle --batch-size 6000 --epochs 1", 2, "--warmup 0.2 of 1 steps"),
        ("train --data mini --engine stock --augment mild", 2, "augmentation"),
    ],
)
def test_wrong_options_get_one_line_and_write_nothing(
    line: str, code: int, named: str, tmp_path: Path, tree: Tree, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(line.split()) == code
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1), printed.err
    assert named in printed.err
    assert "fault of pendigit" not in printed.err
    assert tree(tmp_path) == {}
