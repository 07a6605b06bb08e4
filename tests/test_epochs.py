"""When a training stops and which epoch it keeps: scripted accuracies, and one real run stopped and resumed."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import pendigit
from dataset_writers import some, write_tables
from pendigit.commands import run
from pendigit.datasets import Dataset
from pendigit.errors import DataError, UsageError
from pendigit.learning import epochs as module
from pendigit.learning import training
from pendigit.learning.epochs import Epochs
from pendigit.learning.training import Arrays, Progress
from pendigit.recipes import TrainingOptions
from test_run import FILES, Signals

ONE = np.zeros((1, 28, 28), np.uint8), np.zeros(1, np.uint8)
COUNT = 10  # frames that a scripted epoch says it has
accuracies = st.lists(st.integers(0, 4).map(lambda value: value / 4), min_size=1, max_size=8)


class Scripted:
    """An engine that learns nothing: its state is the number of the epochs it has trained."""

    trained = 0

    def epoch(self, number: int) -> Iterator[Progress]:
        assert number == self.trained
        yield Progress(COUNT // 2, 0.5, 0.5)
        self.trained += 1
        yield Progress(COUNT, 0.5, 0.5)

    def state(self) -> Arrays:
        return {"0000": np.array([self.trained])}

    def restore(self, state: Arrays) -> None:
        self.trained = int(state["0000"][0])

    def settle(self) -> Any:
        return self


def scripted(folder: Path, script: list[float], **options: Any) -> Epochs:
    """Epochs whose validation accuracies are `script`'s."""
    options.setdefault("epochs", len(script))
    return Epochs(Scripted(), TrainingOptions(validation=1, **options), folder, COUNT, ONE, [])


@pytest.fixture
def _scores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Validation scores are what the test's `SCRIPT` says of the epoch."""

    class Scores:
        def __init__(self, number: int) -> None:
            self.loss, self.accuracy = 1.0, SCRIPT[number - 1]

    monkeypatch.setattr(module, "keras_probabilities", lambda engine, _frames: engine.trained)
    monkeypatch.setattr(module, "score", lambda number, *_: Scores(number))


SCRIPT: list[float] = []
slowly = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def expected_end(script: list[float], patience: int) -> int:
    """Epochs trained, counted as a person would: how many in a row have brought nothing new?"""
    best, idle = -1.0, 0
    for number, accuracy in enumerate(script, 1):
        best, idle = (accuracy, 0) if accuracy > best else (best, idle + 1)
        if patience and idle >= patience:
            return number
    return len(script)


@slowly
@given(script=accuracies, patience=st.integers(0, 3), keep_best=st.booleans(), stopped=st.integers(0, 8))
@pytest.mark.usefixtures("_scores")
def test_patience_stops_and_the_best_epoch_is_kept(
    script: list[float], patience: int, keep_best: bool, stopped: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whether or not somebody stops the run in epoch `stopped` and goes on later."""
    SCRIPT[:] = script
    folder = tmp_path_factory.mktemp("epochs")
    made = scripted(folder, script, patience=patience, keep_best=keep_best)
    end = expected_end(script, patience)
    stop = Event()
    if stopped < end:
        made.reporters.append(Stop(stop, stopped))  # type: ignore[arg-type]
    assert made.run(stop) == (stopped < end)
    if stopped < end:
        assert len(made.history) == stopped
        made = scripted(folder, script, patience=patience, keep_best=keep_best)
        made.resume()
        assert made.run(Event()) is False
    assert [record.val_accuracy for record in made.history] == script[:end]
    assert [record.epoch for record in made.history] == list(range(1, end + 1))
    made.keep()
    best = script[:end].index(max(script[:end])) + 1
    assert made.engine.trained == (best if keep_best else end)  # type: ignore[attr-defined]
    again = scripted(folder, script, patience=patience, keep_best=keep_best)
    again.resume()
    assert again.run(Event()) is False
    assert len(again.history) == end, "a run that has ended stays ended"


class Stop:
    """A reporter that stops the training in the middle of an epoch (from 0)."""

    def __init__(self, event: Event, number: int) -> None:
        self.event, self.number = event, number

    def progress(self, epoch: int, epochs: int, count: int, progress: Progress) -> None:
        if epoch == self.number and progress.seen < count:
            self.event.set()

    def epoch(self, record: Any, epochs: int) -> None:
        """Nothing to do."""


@pytest.mark.usefixtures("_scores")
def test_a_stop_in_the_last_block_lets_the_last_epoch_end(tmp_path: Path) -> None:
    SCRIPT[:] = [0.5]
    made, stop = scripted(tmp_path, SCRIPT), Event()
    made.engine.epoch = lambda number: iter([stop.set() or Progress(COUNT, 0.5, 0.5)])  # type: ignore[method-assign]
    assert made.run(stop) is False
    assert len(made.history) == 1


@pytest.mark.parametrize("asked", [{"patience": 2}, {"keep_best": True}])
def test_without_validation_there_is_no_best_epoch(asked: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="--validation 0; expected at least 1 with --patience or --keep-best"):
        TrainingOptions(**asked)


@pytest.fixture(scope="module")
def lone(mini: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set without a test part: the run's last scores are of the validation part."""
    folder = tmp_path_factory.mktemp("lone")
    return (write_tables(some(mini, 360, 1), folder / "tables") / "train.csv").rename(folder / "lone.csv")


# A rate at which accuracy goes up and down.
RESTLESS: dict[str, Any] = {
    "epochs": 6,
    "validation": 60,
    "hidden": 8,
    "lr": 0.3,
    "keep_best": True,
    "ema": 0.5,
    "augment": "shift",
}


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open() as file:
        return [{name: row[name] for name in row if name != "seconds"} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def kept(lone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that kept its best epoch."""
    folder = tmp_path_factory.mktemp("runs") / "kept"
    pendigit.train(data=str(lone), out=folder, **RESTLESS)
    return folder


def test_the_model_is_that_of_the_best_epoch(kept: Path) -> None:
    found = [float(row["val_accuracy"]) for row in history(kept)]
    scores = json.loads((kept / "evaluation.json").read_text())
    assert len(found) == RESTLESS["epochs"]
    assert scores["data"].endswith(":validation")
    assert scores["accuracy"] == max(found) > found[-1]
    best = history(kept)[found.index(max(found))]
    assert scores["loss"] == pytest.approx(float(best["val_loss"]), rel=1e-4)
    assert {path.name for path in kept.iterdir()} == FILES, "and nothing of the other epochs is left"


@pytest.mark.parametrize("epoch", [2, 5])
def test_a_stopped_run_keeps_the_same_epoch_in_the_end(
    epoch: int, kept: Path, lone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "FIRST_BLOCK", 4)
    monkeypatch.setattr(training, "BLOCK_SECONDS", 0)
    folder = tmp_path / "run"
    stopped = pendigit.train(data=str(lone), out=folder, reporter=Signals(epoch), **RESTLESS)
    assert stopped.interrupted
    assert {path.name for path in folder.iterdir()} == FILES | {"checkpoint.npz", "best.npz"}
    assert not pendigit.train(out=folder, resume=True).interrupted
    for name in ("model.onnx", "evaluation.json"):
        assert (folder / name).read_bytes() == (kept / name).read_bytes()
    assert history(folder) == history(kept)
    assert {path.name for path in folder.iterdir()} == FILES


def test_patience_ends_a_run_as_if_it_were_done(lone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = "--epochs 30 --validation 60 --hidden 4 --lr 1e-9 --patience 2 --dropout 0"
    assert run(["train", "--data", str(lone), *options.split(), "--out", str(tmp_path / "run")]) == 0
    assert len(history(tmp_path / "run")) == 3, "nothing is learned after the first epoch"
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES
    assert "resume" not in capsys.readouterr().out


def test_a_checkpoint_of_another_network_is_refused(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as after a change of the user's own file."""
    monkeypatch.setattr(training, "FIRST_BLOCK", 4)
    monkeypatch.setattr(training, "BLOCK_SECONDS", 0)
    source = """
from keras import Input, Sequential, layers
def build():
    return Sequential([Input((28, 28)), layers.Flatten(), layers.Dense(10)])
"""
    own = tmp_path / "own.py"
    own.write_text(source)
    folder = tmp_path / "run"
    pendigit.train(str(own), data=str(small), epochs=2, out=folder, reporter=Signals(1))
    for other in ("layers.Dense(9), layers.Dense(10)", "layers.Dense(10, use_bias=False)"):
        own.write_text(source.replace("layers.Dense(10)", other))
        with pytest.raises(DataError, match=r"checkpoint\.npz is of another network"):
            pendigit.train(out=folder, resume=True)
    own.write_text(source + "# the same again\n")
    assert not pendigit.train(out=folder, resume=True).interrupted
