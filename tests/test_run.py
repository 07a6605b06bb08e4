"""The run folder: what it holds, and that stopping, killing and resuming change nothing in the end."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

import pendigit
from dataset_writers import some, write_tables
from pendigit.classifier import OnnxClassifier
from pendigit.commands import run
from pendigit.datasets import Dataset, load_dataset
from pendigit.errors import DataError, OutputError, UsageError
from pendigit.learning import folders, training

FILES = {
    "config.json",
    "history.csv",
    "curves.png",
    "model.keras",
    "model.onnx",
    "evaluation.json",
    "confusion.png",
    "mistakes.png",
    "example.png",
}


def names(folder: Path) -> set[str]:
    """The final names; a draft that a kill left behind is a dot-file."""
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def weights(folder: Path) -> dict[str, bytes]:
    return {tensor.name: tensor.raw_data for tensor in onnx.load(folder / "model.onnx").graph.initializer}


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open() as file:
        return list(csv.DictReader(file))


@dataclass
class Signals:
    """A reporter that sends this process a signal in the middle of an epoch (from 0)."""

    epoch_hit: int
    number: int = signal.SIGINT

    def progress(self, epoch: int, epochs: int, count: int, progress: training.Progress) -> None:
        if epoch == self.epoch_hit and 0 < progress.seen < count:
            os.kill(os.getpid(), self.number)

    def epoch(self, record: Any, epochs: int) -> None:
        """Nothing to do."""


def test_a_finished_run_holds_everything_and_nothing_else(finished: Path) -> None:
    assert {path.name for path in finished.iterdir()} == FILES
    for path in finished.glob("*.png"):
        with Image.open(path) as picture:
            picture.load()
            assert picture.width > 400, path
            assert picture.height > 300, path


def test_the_config_tells_how_to_get_the_run_again(finished: Path, small: Path) -> None:
    config = json.loads((finished / "config.json").read_text())
    assert config["options"]["network"] == "classic"
    assert config["options"]["data"] == str(small)
    assert (config["options"]["seed"], config["options"]["epochs"], config["options"]["lr"]) == (0, 3, 0.001)
    assert config["data_digest"] == load_dataset(small).digest
    assert {"python", "pendigit", "keras", "jax", "numpy", "onnxruntime"} <= config["versions"].keys()
    assert config["versions"]["numpy"] == np.__version__
    metadata = OnnxClassifier(finished / "model.onnx").metadata
    assert json.loads(metadata["recipe"]) == config["options"]
    assert json.loads(metadata["versions"]) == config["versions"]
    assert metadata["data_digest"] == config["data_digest"]
    assert metadata["labels"] == "0123456789"


def test_the_history_has_a_row_for_each_epoch(finished: Path) -> None:
    rows = history(finished)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    losses = [float(row["loss"]) for row in rows]
    assert losses == sorted(losses, reverse=True)
    assert all(0 < float(row["accuracy"]) < 1 for row in rows)
    assert {row["val_loss"] for row in rows} == {""}


def test_the_scores_are_those_of_evaluate(finished: Path, small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = json.loads((finished / "evaluation.json").read_text())
    for model in (finished, finished / "model.onnx"):
        assert run(["evaluate", str(model), "--data", f"{small}:test", "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == written
    assert run(["evaluate", str(finished / "model.keras"), "--data", f"{small}:test", "--json"]) == 0
    by_keras = json.loads(capsys.readouterr().out)
    assert by_keras["confusion"] == written["confusion"]
    assert by_keras["loss"] == pytest.approx(written["loss"], rel=1e-4)
    assert written["count"] == 200


STOCK = """
import os, sys
os.environ["KERAS_BACKEND"] = "jax"
sys.modules["pendigit"] = None  # as where it is not installed
import keras, numpy as np
model = keras.models.load_model(sys.argv[1])
frames, labels = np.load(sys.argv[2])["x_test"], np.load(sys.argv[2])["y_test"]
loss, accuracy = model.evaluate(frames / 255.0, labels, verbose=0)
np.save(sys.argv[3], np.append(model.predict(frames / 255.0, verbose=0).ravel(), [loss, accuracy]))
"""


def test_stock_keras_opens_the_model_without_pendigit(finished: Path, small: Path, tmp_path: Path) -> None:
    answer = tmp_path / "answer.npy"
    subprocess.run([sys.executable, "-I", "-c", STOCK, finished / "model.keras", small, answer], check=True)
    *logits, loss, accuracy = np.load(answer)
    powers = np.exp(np.reshape(logits, (-1, 10)))
    dataset = load_dataset(small)
    ours = OnnxClassifier(finished / "model.onnx").predict_proba(dataset.x_test)
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), ours, atol=1e-5)
    scores = json.loads((finished / "evaluation.json").read_text())
    assert accuracy == pytest.approx(scores["accuracy"])
    assert loss == pytest.approx(scores["loss"], rel=1e-4)


def test_the_same_seed_gives_the_same_files(finished: Path, small: Path, tmp_path: Path) -> None:
    again = pendigit.train(data=str(small), epochs=3, out=tmp_path / "again")
    assert (again.folder / "model.onnx").read_bytes() == (finished / "model.onnx").read_bytes()
    assert (again.folder / "config.json").read_bytes() == (finished / "config.json").read_bytes()
    assert not again.interrupted
    assert again.evaluation.to_dict() == json.loads((finished / "evaluation.json").read_text()) | {
        name: getattr(again.evaluation, name) for name in ("interval", "precision", "recall", "confusion")
    }
    other = pendigit.train(data=str(small), epochs=3, out=tmp_path / "other", seed=1)
    assert weights(other.folder).keys() == weights(again.folder).keys()
    assert weights(other.folder) != weights(again.folder)


@pytest.mark.usefixtures("short_blocks")
@pytest.mark.parametrize("epoch", [0, 1])
def test_a_stopped_run_is_complete_and_resumes_to_the_same_end(
    epoch: int, finished: Path, small: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "stopped"
    before = signal.getsignal(signal.SIGINT)
    stopped = pendigit.train(data=str(small), epochs=3, out=folder, reporter=Signals(epoch))
    assert signal.getsignal(signal.SIGINT) is before
    assert stopped.interrupted
    assert {path.name for path in folder.iterdir()} == FILES | {"checkpoint.npz"}
    assert len(stopped.history) == len(history(folder)) == epoch
    assert weights(folder) != weights(finished)
    assert np.isfinite(pendigit.load_classifier(folder).predict_proba(load_dataset(small).x_test)).all()

    resumed = pendigit.train(out=folder, resume=True)
    assert not resumed.interrupted
    assert {path.name for path in folder.iterdir()} == FILES
    assert (folder / "model.onnx").read_bytes() == (finished / "model.onnx").read_bytes()
    assert (folder / "evaluation.json").read_bytes() == (finished / "evaluation.json").read_bytes()
    columns = ("epoch", "loss", "accuracy")
    assert [[row[c] for c in columns] for row in history(folder)] == [
        [row[c] for c in columns] for row in history(finished)
    ]


@pytest.mark.usefixtures("short_blocks")
def test_a_second_interrupt_ends_at_once(small: Path, tmp_path: Path) -> None:
    class Twice(Signals):
        def progress(self, *arguments: Any) -> None:
            super().progress(*arguments)
            super().progress(*arguments)

    with pytest.raises(KeyboardInterrupt):
        pendigit.train(data=str(small), epochs=3, out=tmp_path / "run", reporter=Twice(0))
    assert names(tmp_path / "run") == {"config.json"}


KILLED = """
import os, signal, sys
import pendigit
from pendigit.learning import training
training.FIRST_BLOCK, training.BLOCK_SECONDS = 4, 0

class Kill:
    def progress(self, epoch, epochs, count, progress):
        if epoch == 1 and 0 < progress.seen < count:
            os.kill(os.getpid(), signal.SIGKILL)
    def epoch(self, record, epochs):
        pass

pendigit.train(data=sys.argv[1], epochs=3, out=sys.argv[2], reporter=Kill())
"""


def test_a_killed_run_resumes_to_the_same_end(finished: Path, small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    ended = subprocess.run([sys.executable, "-c", KILLED, small, folder], check=False, env=environment)
    assert ended.returncode == -signal.SIGKILL
    assert names(folder) == {"config.json", "history.csv", "checkpoint.npz"}
    assert len(history(folder)) == 1
    assert run(["train", "--resume", "--out", str(folder)]) == 0
    assert names(folder) == FILES
    assert (folder / "model.onnx").read_bytes() == (finished / "model.onnx").read_bytes()


def test_a_run_whose_last_files_failed_resumes_to_the_same_end(
    finished: Path, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full when the training is over, file after file: what is there is whole, nothing is trained again."""
    folder, replace = tmp_path / "full", Path.replace
    untrained = Signals(-1)
    untrained.epoch = lambda *_: pytest.fail("nothing is trained again")  # type: ignore[method-assign]
    asked: dict[str, Any] = {"data": str(small), "epochs": 3}
    for stage in ("model.keras", "model.onnx", "evaluation.json", "example.png"):

        def refuse(self: Path, target: Path, stage: str = stage) -> Path:
            if target.name == stage:
                raise OSError(28, "No space left on device")
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", refuse)
        with pytest.raises(OutputError, match=f"cannot write .*{stage}: no space is left on the disk"):
            pendigit.train(out=folder, **asked)
        left = {path.name for path in folder.iterdir()}
        assert stage not in left
        assert left <= FILES | {"checkpoint.npz"}
        assert "checkpoint.npz" in left
        asked = {"resume": True, "reporter": untrained}
    monkeypatch.undo()
    pendigit.train(out=folder, **asked)
    assert {path.name for path in folder.iterdir()} == FILES
    assert (folder / "model.onnx").read_bytes() == (finished / "model.onnx").read_bytes()


def test_resuming_checks_what_it_goes_on_with(finished: Path, small: Path, tmp_path: Path, mini: Dataset) -> None:
    with pytest.raises(OutputError, match="is finished"):
        pendigit.train(out=finished, resume=True)
    with pytest.raises(OutputError, match=r"has no readable config\.json"):
        pendigit.train(out=tmp_path, resume=True)
    with pytest.raises(UsageError, match="--epochs 9; expected 3, with which"):
        pendigit.train(out=finished, resume=True, epochs=9)
    with pytest.raises(OutputError, match="exists already"):
        pendigit.train(out=finished, data=str(small))

    data = tmp_path / "data.npz"
    shutil.copy(small, data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "FIRST_BLOCK", 4)
        pendigit.train(data=str(data), epochs=2, out=tmp_path / "run", reporter=Signals(0))
    checkpoint = tmp_path / "run" / "checkpoint.npz"
    whole = checkpoint.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"hello", small.read_bytes()):
        checkpoint.write_bytes(damaged)
        with pytest.raises(DataError, match=r"checkpoint\.npz cannot be read"):
            pendigit.train(out=tmp_path / "run", resume=True)
    checkpoint.write_bytes(whole)
    changed = mini.x_train[:600].copy()
    changed[0, 0, 0] ^= 1
    np.savez(data, x_train=changed, y_train=mini.y_train[:600], x_test=mini.x_test[:9], y_test=mini.y_test[:9])
    with pytest.raises(DataError, match="the data's digest is"):
        pendigit.train(out=tmp_path / "run", resume=True)


def test_folders_are_numbered_and_the_latest_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match="no run of classic in runs"):
        folders.latest_folder("classic")
    for name in ("classic", "classic-2", "classic-3"):
        assert folders.new_folder("classic") == Path("runs") / name
        (tmp_path / "runs" / name).mkdir(parents=True)
        assert folders.latest_folder("classic") == Path("runs") / name


@pytest.mark.parametrize("validation", [0, 50])
def test_a_set_without_test_part_is_scored_on_what_there_is(
    validation: int, mini: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = some(mini, 300, 1)
    table = write_tables(few, tmp_path / "tables") / "train.csv"
    lone = table.rename(tmp_path / "lone.csv")
    options = ["--data", str(lone), "--epochs", "1", "--validation", str(validation), "--show"]
    assert run(["train", *options, "--out", str(tmp_path / "run")]) == 0
    scores = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert scores["data"] == f"{lone}:{'validation' if validation else 'train'}"
    assert scores["count"] == (validation or 300)
    (row,) = history(tmp_path / "run")
    if validation:
        assert float(row["val_accuracy"]) == scores["accuracy"]
        assert float(row["val_loss"]) == pytest.approx(scores["loss"], rel=1e-4)
    assert "example.png" in capsys.readouterr().out.splitlines()[-1], "no screen here"


def test_tensorboard_files_come_on_request(small: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    pendigit.train(data=str(small), epochs=2, validation=60, out=tmp_path / "run", tensorboard=True)
    (events,) = [path for path in (tmp_path / "run").iterdir() if path.name.startswith("events.out.tfevents")]
    read = EventAccumulator(str(events)).Reload()
    rows = history(tmp_path / "run")
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        found = [(event.step, event.value) for event in read.Scalars(name)]
        assert found == [(int(row["epoch"]), pytest.approx(float(row[name]), rel=1e-6)) for row in rows]
