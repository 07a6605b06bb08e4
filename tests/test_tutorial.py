"""The tutorial: its page runs, what it quotes holds, its notebook is the same and runs, the example script runs."""

from __future__ import annotations

import contextlib
import io
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import numpy as np
import pytest
from matplotlib import pyplot

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
NOTEBOOK = ROOT / "docs" / "tutorial.ipynb"
tool = SimpleNamespace(**runpy.run_path(str(ROOT / "tools" / "make_tutorial.py")))
CELLS = list(tool.CELL.finditer(PAGE))


def on_mini(code: str) -> str:
    return code.replace('DATA = "mnist"', 'DATA = "mini"')


@dataclass
class Walk:
    """What walking through the page left behind: its names, what each block printed, how often a figure was shown."""

    names: dict[str, Any]
    printed: list[str]
    shown: list[int]


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """The page's blocks, run in their order in one namespace, on the built-in sample."""
    walked = Walk({}, [], [])

    def show() -> None:
        walked.shown.append(len(pyplot.get_fignums()))
        pyplot.close("all")

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("tutorial"))
        patch.setattr(pyplot, "show", show)
        options = np.get_printoptions()
        for number, match in enumerate(CELLS, 1):
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(compile(on_mini(match["code"]), f"tutorial.md, block {number}", "exec"), walked.names)  # noqa: S102
            walked.printed.append(output.getvalue())
        yield walked
        np.set_printoptions(**options)


def test_the_page_runs_on_the_sample_and_is_written_for_mnist(walk: Walk) -> None:
    assert PAGE.count('DATA = "mnist"') == 1
    assert walk.names["DATA"] == "mini"
    assert len(walk.names["x_train"]) == 6000
    assert walk.shown == [1, 1, 1]


def test_what_the_page_quotes_is_what_its_blocks_print(walk: Walk) -> None:
    for match, printed in zip(CELLS, walk.printed, strict=True):
        quoted = match["text"] or ""
        assert bool(quoted) == bool(printed)
        assert quoted.count("\n") == printed.count("\n"), "the same lines, with other numbers"
    for fact in (
        "from 0.0 to 1.0",
        "101,770 parameters in all",
        "10%: loss 2.30",
        "['Flatten', 'Dense', 'Dropout', 'Dense']",
    ):
        assert fact in PAGE
        assert fact in "".join(walk.printed)


def test_the_pages_facts_hold(walk: Walk) -> None:
    names = walk.names
    assert names["network"].count_params() == 101_770
    assert names["pixels"].shape == (1, 28, 28)
    assert names["predictions"].shape == (1000, 10)
    np.testing.assert_allclose(names["predictions"].sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(names["by_hand"], names["predictions"][0], atol=1e-5)
    assert names["predictions"][0].argmax() == names["y_test"][0]
    assert names["low"] < names["result"].accuracy < names["high"]
    assert names["accuracy"] == pytest.approx(names["result"].accuracy, abs=1e-6)
    assert "Predicted digit: 7\n" in PAGE
    assert "(60000, 28, 28) uint8" in PAGE


def test_an_untrained_network_is_sure_of_itself_only_without_the_division(walk: Walk) -> None:
    network, pixels = walk.names["network"], walk.names["pixels"]
    small, large = np.abs(np.asarray(network(pixels))).max(), np.abs(np.asarray(network(pixels * 255.0))).max()
    assert small < 2
    assert large > 20


def test_framing_reads_what_resizing_loses(walk: Walk) -> None:
    names = walk.names
    label = names["y_test"][0]
    assert names["picture"].shape == (150, 200)
    assert names["naive"] != label
    assert names["framed"] == label
    assert np.mean(names["classifier"].predict(names["moved"]) == names["y_test"]) < names["result"].accuracy - 0.2
    labels = names["y_test"][:200]
    on_frames = np.mean(names["classifier"].predict(names["x_test"][:200]) == labels)
    assert np.mean(names["classifier"].predict(names["resized"]) == labels) < 0.3
    assert np.mean(names["reader"].predict(names["photos"]) == labels) > on_frames - 0.05


def test_the_notebook_is_the_page() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    made = tool.to_notebook(PAGE)
    assert [(cell.id, cell.cell_type, cell.source) for cell in notebook.cells] == [
        (cell.id, cell.cell_type, cell.source) for cell in made.cells
    ], "run python tools/make_tutorial.py"
    assert notebook.metadata == made.metadata
    for match, cell in zip(CELLS, tool.code_cells(notebook), strict=True):
        assert tool.printed(cell) == (match["text"] or "")
        picture = (NOTEBOOK.parent / match["image"]).read_bytes() if match["image"] else b""
        assert tool.drawn(cell) == picture
    assert tool.with_outputs(PAGE, notebook) == PAGE


def test_the_notebook_runs_in_jupyter(tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    stored = [(tool.printed(cell), tool.drawn(cell)) for cell in tool.code_cells(notebook)]
    for cell in tool.code_cells(notebook):
        cell.source = on_mini(cell.source)
    tool.execute(notebook, tmp_path)
    for (text, picture), cell in zip(stored, tool.code_cells(notebook), strict=True):
        assert text.count("\n") == tool.printed(cell).count("\n")
        assert bool(picture) == bool(tool.drawn(cell))
    assert (tmp_path / "runs" / "classic" / "model.onnx").exists()


def test_the_example_script_runs(tmp_path: Path) -> None:
    script = ROOT / "examples" / "neural_network.py"

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(script), *arguments]
        return subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False)

    ended = run("--data", "mini", "--epochs", "1")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Epoch 1/1 - loss: " in ended.stdout
    assert "Predicted digit: 9 - label: 9" in ended.stdout
    assert (tmp_path / "runs" / "classic" / "example.png").exists()
    failed = run("--data", "nowhere.npz")
    assert failed.returncode == 1
    assert failed.stderr.startswith("neural_network.py: ")
    assert failed.stderr.count("\n") == 1
