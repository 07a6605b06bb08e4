"""Who reads many images: processes, Ray, and the watch over a folder; none loses or doubles one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pendigit.batches import joining, watch
from pendigit.batches.record import Record
from pendigit.batches.run import Summary
from pendigit.batches.settings import Answer, Item, Settings
from pendigit.batches.table import read_table
from pendigit.batches.worker import Worker
from pendigit.batches.workers import read_locally
from pendigit.datasets import Dataset
from pendigit.errors import OutputError, UsageError
from pendigit.reading.options import ReadOptions

PENDIGIT = [sys.executable, "-c", "from pendigit.commands import main; main()"]


@pytest.fixture
def scans(mini: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with `scans/` in it: eight digits."""
    monkeypatch.chdir(tmp_path)
    Path("scans").mkdir()
    for number in range(8):
        Image.fromarray(255 - np.pad(mini.x_train[number], 8)).save(f"scans/{number}.png")
    return Path("scans")


@cache
def worker() -> Worker:
    return Worker(Settings.of())


def here(items: Iterable[Item], _: Settings) -> Iterator[list[Answer]]:
    """An engine: one worker in this process."""
    yield worker().read(list(items))


def rows(answers: Iterable[Answer]) -> list[tuple[str, tuple[str, ...], str | None]]:
    return sorted((each.path, each.rows, each.error) for each in answers if isinstance(each, Record))


class Silent:
    def reading(self, done: int, total: int, failed: int) -> None: ...

    def publishing(self) -> None: ...


def test_processes_that_are_killed_lose_and_double_nothing(scans: Path) -> None:
    paths = sorted(str(path) for path in scans.iterdir())
    expected = rows(worker().read([(path, None) for path in paths]))
    items: list[Item] = [(path, None) for path in paths * 5]
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


def test_settings_that_are_wrong_stop_the_run(scans: Path) -> None:
    with pytest.raises(UsageError, match="the strictest that reader promises"):
        list(read_locally([("scans/0.png", None)], Settings.of(None, ReadOptions(max_error=1e-6)), workers=1))


@pytest.mark.timeout(400)  # Ray takes its time to start on a busy machine
def test_ray_reads_what_this_process_reads(scans: Path) -> None:
    pytest.importorskip("ray")
    line = [*PENDIGIT, "read", "scans", "-o"]
    ended = subprocess.run(
        [*line, "out.parquet", "--engine", "ray", "--workers", "1"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    found = list(read_table(Path("out.parquet")))
    assert [record.path for record in found] == [f"scans/{number}.png" for number in range(8)]
    assert rows(found) == rows(worker().read([(record.path, None) for record in found]))
    began = time.monotonic()
    far = subprocess.run(
        [*line, "x.csv", "--engine", "ray", "--address", "127.0.0.1:9"], capture_output=True, text=True, check=False
    )
    assert far.returncode == 2
    assert "no Ray cluster answers at 127.0.0.1:9" in far.stderr
    assert time.monotonic() - began < 60  # the target is 20 seconds, on a machine that does nothing else
    assert not list(Path().glob("x.csv*"))


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
    assert complete() == [f"scans/{number}.png" for number in range(8)]
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

    assert until(8).read == 8
    Path("scans/0.png").unlink()  # taken away by whoever files it
    whole = Path("scans/1.png").read_bytes()
    thread = threading.Timer(0.5, lambda: Path("scans/9.png").write_bytes(whole))
    thread.start()
    assert until(9).read <= 1, "what was read before the restart is not read again"
    thread.join()
    found = list(read_table(Path("out.csv")))
    assert sorted(record.path for record in found) == [f"scans/{number}.png" for number in (0, 1, 2, 3, 4, 5, 6, 7, 9)]
    with pytest.raises(UsageError, match="--watch nowhere"):
        watch.watch_folders(["nowhere"], Path("o.csv"), Settings.of(), here, Silent(), print)
    Path("other").mkdir()
    with pytest.raises(OutputError, match="not among these inputs"):
        watch.watch_folders(["other"], Path("out.csv"), Settings.of(), here, Silent(), print)
