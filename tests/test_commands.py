"""The command line: what it prints and writes, and one line with an exit code for everything that goes wrong."""

from __future__ import annotations

import csv
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import pendigit
from dataset_writers import npz_bytes
from pendigit.commands import run
from pendigit.commands.progress import TrainingProgress
from pendigit.datasets import Dataset
from pendigit.learning import training
from test_run import Signals

Captured = pytest.CaptureFixture[str]
Tree = Callable[[Path], dict[str, bytes]]
COMMAND = "import sys; from pendigit.commands import main; main(sys.argv[1:])"


def command(*arguments: object, before: str = "", **options: object) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, after the statements `before`."""
    line = [sys.executable, "-c", f"{before}\n{COMMAND}", *map(str, arguments)]
    return subprocess.run(line, check=False, capture_output=True, text=True, **options)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def bad(mini: Dataset, small: Path, finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of things that are not what they should be."""
    x, y = mini.x_train[:20], mini.y_train[:20]
    whole = small.read_bytes()
    model = (finished / "model.onnx").read_bytes()
    contents = {
        "shape.npz": npz_bytes(x_train=x[:, :27], y_train=y, x_test=x, y_test=y),
        "dtype.npz": npz_bytes(x_train=x / 255, y_train=y, x_test=x, y_test=y),
        "labels.npz": npz_bytes(x_train=x, y_train=y + 7, x_test=x, y_test=y),
        "lengths.npz": npz_bytes(x_train=x, y_train=y[:-1], x_test=x, y_test=y),
        "keys.npz": npz_bytes(images=x),
        "cut.npz": whole[: len(whole) // 2],
        "flipped.npz": whole[:5000] + bytes(100) + whole[5100:],
        "empty.npz": b"",
        "strange.pkl": pickle.dumps({"x": [1, 2]}),
        "cut.onnx": model[: len(model) // 2],
        "text.onnx": b"hello",
        "text.keras": b"hello",
        "text.png": b"hello",
        "file": b"",
    }
    folder = tmp_path_factory.mktemp("bad")
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "full").mkdir()
    (folder / "full" / "notes.txt").write_text("mine")
    return folder


TRAIN_ON = "train --out new --data"
BAD_INPUTS = [
    # line, exit code, what its message names
    ("trane", 2, "trane"),
    ("train clasic --data mini", 2, "unknown network 'clasic'"),
    ("train --epoch 3", 2, "--epoch"),
    ("train --data mini --epochs 0", 2, "--epochs 0"),
    ("train --data mini --epochs -1", 2, "--epochs -1"),
    ("train --data mini --epochs two", 2, "--epochs two"),
    ("train --data mini --batch-size 0", 2, "--batch-size 0"),
    ("train --data mini --batch-size -32", 2, "--batch-size -32"),
    ("train --data mini --lr 0", 2, "--lr 0"),
    ("train --data mini --lr nan", 2, "--lr nan"),
    ("train --data mini --dropout 1", 2, "--dropout 1"),
    ("train --data mini --hidden 0", 2, "--hidden 0"),
    ("train --data mini --seed -1", 2, "--seed -1"),
    ("train --data mini --engine fast", 2, "--engine fast"),
    ("train --data mini --validation 6000", 2, "6000 validation"),
    (f"{TRAIN_ON} missing.npz", 4, "missing.npz"),
    (f"{TRAIN_ON} shape.npz", 4, "27"),
    (f"{TRAIN_ON} dtype.npz", 4, "float64"),
    (f"{TRAIN_ON} labels.npz", 4, "labels"),
    (f"{TRAIN_ON} lengths.npz", 4, "19"),
    (f"{TRAIN_ON} keys.npz", 4, "images"),
    (f"{TRAIN_ON} cut.npz", 4, "cut.npz"),
    (f"{TRAIN_ON} flipped.npz", 4, "flipped.npz"),
    (f"{TRAIN_ON} empty.npz", 4, "empty.npz"),
    (f"{TRAIN_ON} strange.pkl", 4, "strange.pkl"),
    (f"{TRAIN_ON} file", 4, "file"),
    (f"{TRAIN_ON} full", 4, "full"),
    ("train --data mini --out full", 6, "full exists already"),
    ("train --data mini --out file", 6, "file exists already"),
    ("train --data mini --out file/below", 6, "a part of the path is a file"),
    ("train --resume", 6, "no run of classic"),
    ("train --resume --out full", 6, "config.json"),
    ("evaluate missing.onnx --data mini:test", 5, "missing.onnx"),
    ("evaluate missing.keras --data mini:test", 5, "missing.keras"),
    ("evaluate cut.onnx --data mini:test", 5, "cut.onnx"),
    ("evaluate text.onnx --data mini:test", 5, "text.onnx"),
    ("evaluate text.keras --data mini:test", 5, "text.keras"),
    ("evaluate full --data mini:test", 5, "model.onnx"),
    ("evaluate clasic --data mini:test", 2, "unknown model 'clasic'"),
    ("evaluate --data mini:testing", 2, "testing"),
    ("evaluate --data shape.npz", 4, "27"),
    ("evaluate --data mini:test --scale 0-2", 2, "--scale 0-2"),
    ("predict", 2, "sources"),
    ("predict mini:test:9-3", 2, "9-3"),
    ("predict mini:test:1000", 2, "1000"),
    ("predict mini:validation", 2, "validation"),
    ("predict mini:test:0 --model cut.onnx", 5, "cut.onnx"),
    ("predict mini:test:0 -o file/below.csv", 6, "a part of the path is a file"),
    ("predict mini:test:0 -o full", 6, "it is a folder"),
    ("predict text.png", 3, "text.png"),
    ("predict missing.png", 3, "missing.png"),
]


@pytest.mark.parametrize(("line", "code", "named"), BAD_INPUTS, ids=[line for line, _, _ in BAD_INPUTS])
def test_bad_input_gets_one_line_and_writes_nothing(
    line: str, code: int, named: str, bad: Path, tree: Tree, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(bad)
    before = tree(bad)
    assert run(line.split()) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1, printed.err
    assert printed.err.startswith("pendigit: ")
    assert named in printed.err
    assert "Traceback" not in printed.err
    assert "fault of pendigit" not in printed.err
    assert len(printed.err) < 500
    assert tree(bad) == before


def test_a_diverging_loss_ends_the_training(small: Path, tmp_path: Path, tree: Tree, capsys: Captured) -> None:
    folder = tmp_path / "run"
    assert run(["train", "--data", str(small), "--lr", "1e30", "--out", str(folder)]) == 7
    assert capsys.readouterr().err == (
        "pendigit: the loss became NaN or infinite in epoch 1; expected a finite loss; train again with a lower --lr\n"
    )
    assert tree(folder).keys() == {"config.json"}


@pytest.mark.parametrize("moment", ["config.json", "checkpoint.npz", "history.csv", "model.keras", "model.onnx"])
def test_a_full_disk_gets_one_line(
    moment: str, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """The disk fills while the file is written: the draft is gone, its final name was never there."""
    fsync = os.fsync

    def refuse(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        if name.startswith(f".{Path(moment).stem}.") and name.endswith(Path(moment).suffix):
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse)
    folder = tmp_path / "run"
    assert run(["train", "--data", str(small), "--epochs", "1", "--out", str(folder)]) == 6
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith("pendigit: cannot write ")
    assert f"{moment}: no space is left on the disk; expected a writable place" in last
    names = {path.name for path in folder.iterdir()}
    assert moment not in names
    assert not [name for name in names if name.startswith(".")]


LIMIT = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))
"""


def test_a_file_that_may_not_grow_is_not_left_half_written(tmp_path: Path) -> None:
    """The operating system itself refuses, after 2,048 bytes."""
    ended = command("predict", "mini:test", "-o", tmp_path / "all.csv", before=LIMIT)
    assert ended.returncode == 6
    assert ended.stderr.startswith(f"pendigit: cannot write {tmp_path / 'all.csv'}: ")
    assert ended.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_output_that_cannot_be_printed_gets_one_line(form: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        line = [sys.executable, "-c", COMMAND, "predict", "mini:test:0-500", *form]
        ended = subprocess.run(line, check=False, stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 6
    assert ended.stderr.startswith("pendigit: no space is left for the output; expected")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_reader_that_has_seen_enough_is_no_error(form: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    line = [sys.executable, "-c", COMMAND, "predict", "mini:test", *form]
    ended = subprocess.run(line, check=False, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("verb", [["train", "--data", "mini"], ["evaluate", "m.keras", "--data", "mini:test"]])
def test_a_missing_extra_is_named_with_its_command(verb: list[str], tmp_path: Path, tree: Tree) -> None:
    ended = command(*verb, before="import sys; sys.modules['keras'] = sys.modules['jax'] = None", cwd=tmp_path)
    assert ended.returncode == 8
    assert ended.stdout == ""
    assert ended.stderr.startswith("pendigit: keras and jax not installed; expected the packages of the extra [train]")
    assert "pip install 'pendigit[train]'" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert tree(tmp_path) == {}


def test_a_fault_of_our_own_is_one_line_too(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr("pendigit.api.evaluate", fail)
    assert run(["evaluate"]) == 70
    assert capsys.readouterr().err.startswith("pendigit: A fault of pendigit's own: ZeroDivisionError: division by ze")
    monkeypatch.setenv("PENDIGIT_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run(["evaluate"])


def test_train_tells_how_it_goes_and_how_it_ended(small: Path, tmp_path: Path, capsys: Captured) -> None:
    folder = tmp_path / "run"
    options = [
        "--epochs",
        "2",
        "--validation",
        "100",
        "--softmax",
        "--hidden",
        "16",
        "--seed",
        "5",
        "--engine",
        "stock",
    ]
    assert run(["train", "classic", "--data", str(small), *options, "--out", str(folder)]) == 0
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    assert [line.split()[:3] for line in lines] == [["epoch", "1/2", "loss"], ["epoch", "2/2", "loss"]]
    assert all("validation" in line for line in lines)
    assert "Predicted digit: " in printed.out
    assert "model.onnx" in printed.out
    assert "\x1b" not in printed.err + printed.out, "readable when piped to a file"
    options = json.loads((folder / "config.json").read_text())["options"]
    assert (options["hidden"], options["softmax"], options["seed"], options["engine"]) == (16, True, 5, "stock")
    assert (options["lr"], options["batch_size"], options["dropout"]) == (0.001, 32, 0.2)


def test_without_out_runs_are_numbered(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert run(["train", "--data", str(small), "--epochs", "1"]) == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["classic", "classic-2"]


def test_ctrl_c_keeps_what_was_learned(
    small: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(training, "FIRST_BLOCK", 4)
    monkeypatch.setattr(training, "BLOCK_SECONDS", 0)
    folder, show = tmp_path / "run", TrainingProgress.progress

    def interrupted(self: TrainingProgress, *arguments: object) -> None:
        show(self, *arguments)  # type: ignore[arg-type]
        Signals(1).progress(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(TrainingProgress, "progress", interrupted)
    assert run(["train", "--data", str(small), "--epochs", "3", "--out", str(folder)]) == 130
    *_, last = capsys.readouterr().out.splitlines()
    assert last.endswith(f"pendigit train --resume --out {folder}")
    monkeypatch.setattr(TrainingProgress, "progress", show)
    assert run(last.split("pendigit ")[-1].split()) == 0
    assert (folder / "model.onnx").read_bytes() == (finished / "model.onnx").read_bytes()


def test_ctrl_c_elsewhere_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pendigit.api.evaluate", interrupt)
    assert run(["evaluate", "--data", "mini"]) == 130
    assert capsys.readouterr().err == "pendigit: Stopped\n"


def test_evaluate_prints_the_scores(finished: Path, capsys: Captured) -> None:
    assert run(["evaluate", str(finished), "--data", "mini:test"]) == 0
    text = capsys.readouterr().out
    assert run(["evaluate", str(finished), "--data", "mini:test", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert f"{scores['accuracy']:.2%} of mini:test right" in text
    assert f"95 % interval {scores['interval'][0]:.2%} to {scores['interval'][1]:.2%}" in text
    assert f"loss {scores['loss']:.4f}" in text
    rows = [line.split() for line in text.splitlines() if line.strip()[:1].isdigit()][1:]
    assert [int(row[0]) for row in rows] == list(range(10))
    assert [row[1] for row in rows] == [f"{share:.2%}" for share in scores["precision"]]
    assert [row[2] for row in rows] == [f"{share:.2%}" for share in scores["recall"]]
    assert np.sum(scores["confusion"]) == scores["count"] == 1000


def test_predict_lists_writes_and_prints_the_same(tmp_path: Path, mini: Dataset, capsys: Captured) -> None:
    path = tmp_path / "predictions.csv"
    assert run(["predict", "mini:test", "-o", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    probabilities = pendigit.load_classifier().predict_proba(mini.x_test)
    digits = probabilities.argmax(axis=1)
    assert f"Predicted digit: {digits[0]}" in lines[0]
    assert lines[-2] == f"… 980 more; all are in {path}"
    assert f"{(digits == mini.y_test).sum()} of 1,000 as labelled" in lines[-1]
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["predicted"]) for row in rows] == digits.tolist()
    assert [int(row["label"]) for row in rows] == mini.y_test.tolist()
    written = np.array([[float(row[f"p{digit}"]) for digit in range(10)] for row in rows])
    np.testing.assert_allclose(written, probabilities, atol=1e-5)
    np.testing.assert_allclose(written.sum(axis=1), 1, atol=1e-5)
    assert [float(row["probability"]) for row in rows] == written.max(axis=1).tolist()

    assert run(["predict", "mini:test:5-9", "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)
    assert [answer["digit"] for answer in answers] == digits[5:10].tolist()
    assert [answer["label"] for answer in answers] == mini.y_test[5:10].tolist()
    for answer in answers:
        assert answer["probability"] + sum(share for _, share in answer["runners_up"]) == pytest.approx(1, abs=1e-4)
    assert run(["predict", "mini:test:7"]) == 0
    assert f"Predicted digit: {digits[7]}" in capsys.readouterr().out


def test_the_version_is_printed(capsys: Captured) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"pendigit {pendigit.__version__}\n"
