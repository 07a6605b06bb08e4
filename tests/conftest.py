"""The ground that all tests stand on: caches of their own, no network, small data, one finished run."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from PIL import Image

# Set before anything of pendigit's loads: Keras, XLA and matplotlib read their folders when they are imported.
# The first process makes the home; those it starts share it, so that what one has compiled the other need not.
IS_FIRST = "PENDIGIT_TESTS_HOME" not in os.environ
HOME = Path(os.environ.setdefault("PENDIGIT_TESTS_HOME", tempfile.mkdtemp(prefix="pendigit-tests-")))
os.environ |= {
    "PENDIGIT_HOME": str(HOME / "pendigit"),
    "KERAS_HOME": str(HOME / "keras"),
    "KERAS_BACKEND": "jax",  # for tests that import Keras before pendigit chooses
    "MPLBACKEND": "agg",
    "PIP_NO_INDEX": "1",
    "npm_config_offline": "true",
}
os.environ.pop("PENDIGIT_DEBUG", None)

from batch_reading import SCANS  # noqa: E402 - as above
from dataset_writers import as_npz, some  # noqa: E402 - as above
from pendigit.commands import run  # noqa: E402
from pendigit.datasets import Dataset, load_dataset  # noqa: E402

# The same examples on every run, however slow the machine.
hypothesis.settings.register_profile("tests", deadline=None, derandomize=True)
hypothesis.settings.load_profile("tests")

LOCAL = {"127.0.0.1", "::1", "localhost", "", None}


def pytest_configure(config: pytest.Config) -> None:
    # Keras's variables do not know NumPy's newest argument yet; Python shows this warning to nobody else.
    config.addinivalue_line("filterwarnings", "ignore:__array__ implementation doesn't accept:DeprecationWarning")
    # A program that the other process is just writing down is compiled here too.
    config.addinivalue_line("filterwarnings", "ignore:Error reading persistent compilation cache:UserWarning")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if shutil.which("chromium") is None:
        terminalreporter.write_line(
            "The tests of the page were skipped: they need Chromium on the PATH as `chromium`. On Debian and Ubuntu: "
            "apt-get install -y chromium"
        )


def pytest_unconfigure() -> None:
    if IS_FIRST:
        shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that calls another machine, also one that survives being refused."""
    called: list[object] = []

    def refuse(place: object) -> None:
        called.append(place)
        raise OSError(f"a test called {place}")

    def guard(original: Callable[..., Any], host_of: Callable[..., object]) -> Callable[..., Any]:
        def guarded(*arguments: Any, **options: Any) -> Any:
            if host_of(*arguments) not in LOCAL:
                refuse(host_of(*arguments))
            return original(*arguments, **options)

        return guarded

    def peer(sock: socket.socket, address: Any) -> object:
        return "localhost" if sock.family == socket.AF_UNIX else address[0]

    monkeypatch.setattr(socket, "getaddrinfo", guard(socket.getaddrinfo, lambda host, *_: host))
    monkeypatch.setattr(socket.socket, "connect", guard(socket.socket.connect, peer))
    yield
    assert not called, "tests make do without the network"


@pytest.fixture(scope="session")
def mini() -> Dataset:
    """The built-in sample: 6,000 and 1,000 digits of MNIST."""
    return load_dataset("mini")


@pytest.fixture(scope="session")
def small(mini: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An npz file of 600 and 200 digits: 19 steps an epoch, the last one partial."""
    path = tmp_path_factory.mktemp("data") / "small.npz"
    path.write_bytes(as_npz(some(mini, 600, 200)))
    return path


@pytest.fixture(scope="session")
def finished(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of three epochs on `small` that nothing interrupted."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    assert run(["train", "--data", str(small), "--epochs", "3", "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few steps, so that an epoch of 19 steps has a middle."""
    from pendigit.learning import training

    monkeypatch.setattr(training, "FIRST_BLOCK", 4)
    monkeypatch.setattr(training, "BLOCK_SECONDS", 0)


@pytest.fixture  # of one test, so that what a session shares is made before it, as users make it
def quickly_compiled() -> Iterator[None]:
    """For programs that run a few times at most: optimising them takes longer."""
    import jax

    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture
def scans(mini: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with `scans/` in it: six digits, 0 to 5, one of them in a folder below."""
    monkeypatch.chdir(tmp_path)
    for path in map(Path, SCANS):
        frame = mini.x_train[np.flatnonzero(mini.y_train == int(path.stem))[3]]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - np.pad(frame, 8)).save(path)
    return Path("scans")


@pytest.fixture
def tree() -> Callable[[Path], dict[str, bytes]]:
    """Gives every file below a folder with its content, hidden ones too, to compare before and after."""
    return lambda folder: {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")
    }
