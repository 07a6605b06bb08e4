"""Who reads many images: all at once, processes, Ray, the watch over a folder; none loses or doubles one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from batch_reading import COUNT, SCANS, Silent, here, worker
from pendigit.batches import joining, watch, workers
from pendigit.batches.gather import run_together
from pendigit.batches.record import Record
from pendigit.batches.run import Summary
from pendigit.batches.settings import Answer, Item, Settings
from pendigit.batches.table import read_table
from pendigit.batches.workers import read_locally
from pendigit.classifier import Classifier, OnnxClassifier, Probabilities
from pendigit.datasets import Dataset
from pendigit.errors import OutputError, UsageError
from pendigit.models import find_model
from pendigit.reading.options import ReadOptions

# In a process of its own, which Ray's processes end with: a cluster that is out of reach, then one on this machine.
ON_RAY = """
from pendigit.batches import cluster
from pendigit.commands import run
cluster.BLOCK, cluster.AT_ONCE = 2, 4  # of six images: two blocks, then one
ray = ["read", "scans", "--engine", "ray", "-o"]
print(run([*ray, "x.csv", "--address", "127.0.0.1:9"]), run([*ray, "out.parquet", "--workers", "1"]))
"""


def rows(answers: Iterable[Answer]) -> list[tuple[str, tuple[str, ...], str | None]]:
    return sorted((each.path, each.rows, each.error) for each in answers if isinstance(each, Record))


def test_digits_of_many_images_go_to_the_network_together(mini: Dataset) -> None:
    class Counting(OnnxClassifier):
        """The real classifier, counting its calls."""

        calls = 0

        def judge(self, frames: npt.ArrayLike) -> tuple[Probabilities, Probabilities | None]:
            self.calls += 1
            return super().judge(frames)

    def job(start: int, questions: int, classifier: Classifier) -> list[int]:
        """Ask one, two or no times."""
        found: list[int] = []
        for question in range(questions):
            frames = mini.x_test[start + question : start + question + 3]
            probabilities, surely = classifier.judge(frames)
            found += probabilities.argmax(axis=1).tolist()
            expected = alone.digitness(frames)
            assert surely is not None
            assert expected is not None
            assert np.allclose(surely, expected, atol=1e-5)
        return found

    counting, alone = Counting(find_model()), OnnxClassifier(find_model())
    jobs = [(start, start % 3) for start in range(10)]
    answers = run_together([lambda each, job_=job_: job(*job_, each) for job_ in jobs], counting)
    expected = [job(start, questions, alone) for start, questions in jobs]
    assert sorted(answer for answer, _ in answers) == sorted(expected)
    assert counting.calls == 2, "one call for the first questions, one for the second"

    def failing(classifier: Classifier) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(run_together([failing], counting))


def test_processes_that_are_killed_lose_and_double_nothing(scans: Path) -> None:
    expected = rows(worker(Settings.of()).read([(path, None) for path in SCANS]))
    items: list[Item] = [(path, None) for path in SCANS * 5]
    found: list[Answer] = []
    killed = 0
    for answers in read_locally(iter(items), Settings.of(), workers=1):
        found += answers
        if not killed:
            for child in multiprocessing.active_children():
                os.kill(child.pid or 0, signal.SIGKILL)
                killed += 1
    assert killed == 1
    assert rows(found) == sorted(expected * 5)


def test_processes_that_have_read_enough_are_replaced(scans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "LIFE", 1)
    expected = rows(worker(Settings.of()).read([(path, None) for path in SCANS]))
    found, processes = list[Answer](), set[int | None]()
    for answers in read_locally(iter([(path, None) for path in SCANS * 2]), Settings.of(), workers=1):
        found += answers
        processes |= {child.pid for child in multiprocessing.active_children()}
    assert rows(found) == sorted(expected * 2)
    assert len(processes) >= 2


def test_settings_that_are_wrong_stop_the_run(scans: Path) -> None:
    with pytest.raises(UsageError, match="the strictest that reader promises"):
        list(read_locally([("scans/0.png", None)], Settings.of(None, ReadOptions(max_error=1e-6)), workers=1))


@pytest.mark.timeout(400)  # Ray takes its time to start on a busy machine
def test_ray_reads_what_this_process_reads(scans: Path) -> None:
    pytest.importorskip("ray")
    ended = subprocess.run([sys.executable, "-c", ON_RAY], capture_output=True, text=True, check=False)
    *_, codes = ended.stdout.splitlines()
    assert codes == "2 0", ended.stderr
    assert "no Ray cluster answers at 127.0.0.1:9" in ended.stderr
    assert not list(Path().glob("x.csv*"))
    found = list(read_table(Path("out.parquet")))
    assert [record.path for record in found] == SCANS
    assert rows(found) == rows(worker(Settings.of()).read([(record.path, None) for record in found]))


def test_addresses_without_a_cluster_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "REACH_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
        joining._reach(f"127.0.0.1:{silent.getsockname()[1]}")
    with pytest.raises(UsageError, match="run pendigit on a node of the cluster"):
        joining._join(None, "ray://127.0.0.1:1")


def test_an_image_is_complete_once_it_has_settled(scans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(watch.time, "monotonic", lambda: clock[0])
    drop = watch.DropFolders(["scans"])

    def complete() -> list[str]:
        return sorted(each.path for each in drop.complete())

    assert complete() == []
    clock[0] += watch.SETTLED / 2
    whole = (scans / "0.png").read_bytes()
    (scans / "new.png").write_bytes(whole[:50])
    assert complete() == []
    clock[0] += watch.SETTLED / 2
    assert complete() == SCANS
    (scans / "new.png").write_bytes(whole)
    assert complete() == [], "it grew just now"
    clock[0] += watch.SETTLED
    assert complete() == ["scans/new.png"]
    clock[0] += watch.SETTLED
    assert complete() == [], "each is given once"
    (scans / "new.png").write_bytes(whole + b" ")
    complete()
    clock[0] += watch.SETTLED
    assert complete() == ["scans/new.png"], "and again when it has changed"
    (scans / "new.png").unlink()
    assert complete() == []
    assert set(drop._seen) == set(drop._taken) == set(SCANS), "what was filed away takes no memory"


def test_a_watched_folder_fills_a_table_also_after_a_restart(scans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SETTLED", 0.2)
    monkeypatch.setattr(watch, "LOOK_EVERY", 100)

    class EnoughError(Exception): ...

    def until(images: int) -> Summary:
        """Watch until the table holds so many."""
        seen: list[Summary] = []

        def published(summary: Summary) -> None:
            seen.append(summary)
            if summary.images == images:
                raise EnoughError

        with pytest.raises(EnoughError):
            watch.watch_folders(["scans"], Path("out.csv"), Settings.of(), here, Silent(), published)
        return seen[-1]

    assert until(COUNT).read == COUNT
    Path("scans/0.png").unlink()  # taken away by whoever files it
    whole = Path("scans/1.png").read_bytes()
    thread = threading.Timer(0.5, lambda: Path("scans/9.png").write_bytes(whole))
    thread.start()
    assert until(COUNT + 1).read <= 1, "what was read before the restart is not read again"
    thread.join()
    found = list(read_table(Path("out.csv")))
    assert sorted(record.path for record in found) == sorted([*SCANS, "scans/9.png"])
    with pytest.raises(UsageError, match="--watch nowhere"):
        watch.watch_folders(
            ["nowhere"],
            Path("o.csv"),
            Settings.of(),
            here,
            Silent(),
            print,
            begun=lambda: pytest.fail("nothing begins"),
        )
    Path("other").mkdir()
    with pytest.raises(OutputError, match="not among these inputs"):
        watch.watch_folders(["other"], Path("out.csv"), Settings.of(), here, Silent(), print)
