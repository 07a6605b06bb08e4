"""Promises about the whole: which way imports run, what reading loads, what is public, what is documented."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image

import pendigit
from dataset_writers import as_npz, some
from pendigit import api
from pendigit.commands import app, run
from pendigit.datasets import Dataset

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "pendigit"
GROUND = {
    "errors", "files", "extras", "home", "recipes", "results", "doubt", "frame", "ink", "rowframe", "strokes",
}  # fmt: skip
SEAM = {"classifier", "models", "rownet"}
FACE = {"", "api", "commands"}  # may use anything, lazily
# What a part may import besides itself. Imports run downwards; learning and reading never meet.
BELOW: dict[str, set[str]] = {
    **dict.fromkeys(GROUND, GROUND),
    **dict.fromkeys(SEAM, GROUND | SEAM),
    "writing": GROUND,
    "datasets": GROUND | SEAM | {"writing"},
    "judging": GROUND | SEAM,
    "learning": GROUND | SEAM | {"datasets", "judging"},
    "reading": GROUND | SEAM,
    "batches": GROUND | SEAM | {"reading"},
    "serving": GROUND | SEAM | {"reading", "batches"},
}
TRAINING = {"keras", "jax", "jaxlib", "onnx", "tensorboardX", "tensorflow", "torch", "flax"}
HEAVY = TRAINING | {"matplotlib", "onnxruntime", "PIL", "pooch", "requests", "filelock", "scipy", "pandas"}


def parts_of(path: Path) -> list[str]:
    return list(path.relative_to(SOURCE).with_suffix("").parts)


def part_of(path: Path) -> str:
    """The part of the house that a file belongs to; "" for the package's own __init__."""
    first = parts_of(path)[0]
    return "" if first == "__init__" else first


@cache
def imports(path: Path) -> list[tuple[str, str, bool]]:
    """Every import in a file as (module, name, whether it runs when the file is loaded)."""
    found: list[tuple[str, str, bool]] = []

    def walk(node: ast.AST, at_load: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend((alias.name, "", at_load) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.extend((node.module or "", alias.name, at_load) for alias in node.names)
        lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        )
        for child in ast.iter_child_nodes(node):
            walk(child, at_load and not lazy)

    walk(ast.parse(path.read_text(encoding="utf-8")), True)
    return found


def files() -> list[Path]:
    found = sorted(SOURCE.rglob("*.py"))
    assert len(found) > 30
    return found


def own_imports(path: Path) -> Iterator[tuple[str, bool]]:
    """The parts of our own that a file imports, and whether at load; the bare package counts as ""."""
    for module, name, at_load in imports(path):
        if module == "pendigit" and name == "__version__":
            continue  # the one thing that the package itself holds
        if module.split(".")[0] == "pendigit":
            inner = [*module.split(".")[1:], name]
            yield ("" if inner[0] in pendigit.__all__ else inner[0]), at_load


def test_imports_run_downwards() -> None:
    arrows = 0
    for path in files():
        part = part_of(path)
        if part in FACE:
            continue
        for target, _ in own_imports(path):
            arrows += 1
            assert target == part or target in BELOW[part], f"{path.relative_to(ROOT)} imports {target or 'pendigit'}"
    assert arrows > 50


def test_only_learning_loads_training_frameworks() -> None:
    for path in files():
        found = {module.split(".")[0] for module, _, _ in imports(path)} & TRAINING
        found -= {"onnx"} if path.name == "stamp.py" else set()  # which opens a model file, and trains nothing
        assert not found or part_of(path) == "learning", f"{path.relative_to(ROOT)} imports {found}"


def test_heavy_packages_load_when_they_are_needed() -> None:
    for path in files():
        if part_of(path) == "learning" or path.name == "figures.py":  # both load lazily themselves, see LIGHT
            continue
        found = {module.split(".")[0] for module, _, at_load in imports(path) if at_load} & HEAVY
        assert not found, f"{path.relative_to(ROOT)} loads {found} when it is imported"


LIGHT = f"""
import contextlib, io, sys
import pendigit
assert not sys.modules.keys() & {{"numpy", "cv2", "typer"}}, "importing pendigit costs nothing"
from pendigit.commands import run
with contextlib.redirect_stdout(io.StringIO()):
    assert run(["--help"]) == run(["train", "--help"]) == 0
    assert not sys.modules.keys() & {{"numpy", "cv2"}}, "nor does help"
    assert run(["predict", "mini:test:0"]) == 0
    assert run(["evaluate", "--data", "mini:test"]) == 0
import numpy as np
frames = np.zeros((2, 28, 28), np.uint8)
frames[:, 5:20, 12:15] = 255
pendigit.load_classifier().predict(frames)
pendigit.load_reader().predict(list(frames))
from pendigit.serving.app import make_app
from pendigit.serving.settings import Settings
make_app(Settings())
print(*sorted(sys.modules.keys() & {TRAINING | {"matplotlib", "requests", "pooch"}!r}))
"""


def test_training_leaves_tensorflow_alone_where_it_is_installed(tmp_path: Path) -> None:
    """Keras would load it for its seed alone, for seconds."""
    (tmp_path / "tensorflow.py").write_text("raise RuntimeError('loaded')")
    train = "from pendigit.commands import main; main()"
    command = [sys.executable, "-c", train, "train", "--data", "mini", "--epochs", "1", "--out", "run"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_reading_and_predicting_load_no_training_framework() -> None:
    ended = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr, ended.stdout.strip()) == (0, "", "")


def test_the_public_face_is_all_there_is() -> None:
    tree = ast.parse((SOURCE / "api.py").read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"}
    assert set(pendigit.__all__) == functions | {"PendigitError", "__version__"}
    assert pendigit.__all__ == sorted(pendigit.__all__)
    for name in pendigit.__all__:
        assert getattr(pendigit, name) is not None
    for name in functions:
        assert getattr(pendigit, name) is getattr(api, name)
        assert len(getattr(api, name).__doc__) > 100
    with pytest.raises(AttributeError, match="has no attribute 'load_modle'"):
        _ = pendigit.load_modle
    public = {name for name in vars(pendigit) if not name.startswith("_")}
    submodules = {path.stem for path in SOURCE.iterdir()}
    assert public - submodules - {"annotations", "TYPE_CHECKING", "Any"} <= set(pendigit.__all__)


@cache
def verbs() -> dict[str, Any]:
    return typer.main.get_command(app).commands  # type: ignore[attr-defined, no-any-return]


def options_of(verb: Any) -> set[str]:
    return {"--help"} | {name for param in verb.params for name in [*param.opts, *param.secondary_opts]}


def test_every_verb_and_option_has_a_help_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert {"train", "evaluate", "predict"} <= verbs().keys()
    for name, verb in verbs().items():
        assert verb.help, name
        assert all(param.help for param in verb.params), name
        assert run([name, "--help"]) == 0
        assert verb.help.split(".")[0].split("\n")[0][:40] in capsys.readouterr().out


README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELLS = {"", "bash", "console", "sh", "shell"}


def console_lines(text: str) -> Iterator[list[str]]:
    """Each `pendigit ...` in the shell blocks of a page, as words."""
    for language, block in FENCE.findall(text):
        if language not in SHELLS:
            continue
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True) if "pendigit " in line else []
            command: list[str] = []
            for word in [*words, ";"]:
                if word not in {"&&", "||", ";", "|", ">", "&"}:
                    command.append(word)
                    continue
                if command[:1] == ["pendigit"]:
                    yield command[1:]
                command = []


def test_the_readme_names_every_verb() -> None:
    for name in verbs():
        assert f"pendigit {name}" in README, name


def test_documented_commands_exist() -> None:
    for page in PAGES:
        for verb, *words in console_lines(page.read_text(encoding="utf-8")):
            if verb.startswith("-"):
                continue
            assert verb in verbs(), f"{page.name}: pendigit {verb}"
            for word in words:
                option = word.split("=")[0]
                if re.fullmatch(r"--?[a-z][a-z-]*", option):
                    assert option in options_of(verbs()[verb]), f"{page.name}: pendigit {verb} {option}"


@pytest.fixture
def desk(mini: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and a small set that stands in for MNIST."""
    stand_in = Dataset("mnist", *some(mini, 600, 200).arrays)
    monkeypatch.setattr("pendigit.datasets.mnist.load_mnist", lambda: stand_in)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def provide(name: str, mini: Dataset, finished: Path) -> None:
    """Put the picture, set or model that a page speaks of where it says."""
    path = Path(name)
    if name in {"scans/", "my_digits"}:
        provide(f"{name}/7/one.png", mini, finished)
    if path.exists() or path.is_absolute() or not re.fullmatch(r"[\w./-]+\.(png|jpg|jpeg|npz|keras|onnx|py)", name):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npz":
        path.write_bytes(as_npz(some(mini, 600, 200)))
    elif path.suffix in {".keras", ".onnx"}:
        shutil.copy(finished / f"model{path.suffix}", path)
    elif path.suffix == ".py":
        path.write_text(
            "from pendigit.learning.networks import classic\nfrom pendigit.recipes import TrainingOptions\n\n"
            "def build():\n    return classic(TrainingOptions())\n"
        )
    else:
        Image.fromarray(np.kron(255 - mini.x_test[0], np.ones((8, 8), np.uint8))).save(path)


@pytest.mark.usefixtures("quickly_compiled")
def test_the_readmes_commands_run(
    desk: Path, mini: Dataset, finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pendigit.judging.report.SAMPLE", 20)  # digits that are corrupted and moved
    for words in console_lines(README):
        own_tests = words[0] in {"serve", "review", "form", "calibrate"} or "--watch" in words
        if own_tests or any("://" in word for word in words):  # endless, or they ask for more than there is here
            continue
        outputs = {words[i + 1] for i, word in enumerate(words[:-1]) if word in {"-o", "--output", "--out", "--save"}}
        for word in words:
            if word not in outputs:
                provide(word.split(":")[0], mini, finished)
        assert run(words) == 0, f"pendigit {' '.join(words)}: {capsys.readouterr().err}"


def test_the_readmes_python_runs(desk: Path, mini: Dataset, finished: Path) -> None:
    space: dict[str, Any] = {}
    for language, block in FENCE.findall(README):
        if language in {"python", "py"}:
            tree = ast.parse(block)
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    provide(node.value, mini, finished)
            exec(compile(tree, "README.md", "exec"), space)  # noqa: S102 - our own page
