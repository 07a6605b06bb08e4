"""IDX, the format MNIST's makers published: a big-endian header, then bytes. Gzipped or not."""

from __future__ import annotations

import gzip
import math
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

import numpy as np

from pendigit.datasets.checks import MAX_FRAMES, SIDE, check_dataset, decoding
from pendigit.datasets.dataset import Dataset, Pixels
from pendigit.errors import DataError

# Train frames, train labels, test frames, test labels; the number after `idx` is the rank.
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
_RANKS = (3, 1, 3, 1)
_GZIP = b"\x1f\x8b"
_UBYTE = 0x08  # the IDX code of unsigned bytes
_MAX_BYTES = MAX_FRAMES * SIDE * SIDE
_PIECE = 1 << 20  # bytes read at a time: a header that lies about its length takes no memory


def find_idx(folder: Path) -> list[Path] | None:
    """The four files in the usual spellings, in the order of `NAMES`; None if the folder has no train-images.

    Raises DataError if some of the four are missing.
    """
    found = [_find(folder, name) for name in NAMES]
    if found[0] is None:
        return None
    missing = [name for name, path in zip(NAMES, found, strict=True) if path is None]
    if missing:
        raise DataError(
            f"{folder} has {found[0].name} but no {' and no '.join(missing)}",
            "MNIST's four IDX files, gzipped or not",
            "put the missing files beside it",
        )
    return cast(list[Path], found)


def read_idx_files(paths: list[Path], name: str) -> Dataset:
    """Read train frames, train labels, test frames and test labels. Raises DataError."""
    with ExitStack() as open_files:
        with decoding(name, "MNIST's four IDX files, gzipped or not"):
            streams = [open_files.enter_context(path.open("rb")) for path in paths]
        return decode_idx_set(streams, name)


def decode_idx_set(streams: Sequence[IO[bytes]], name: str) -> Dataset:
    """Decode four seekable streams in the order of `NAMES`. Raises DataError."""
    x_train, y_train, x_test, y_test = (
        decode_idx(stream, rank, f"{name}: {file}") for stream, rank, file in zip(streams, _RANKS, NAMES, strict=True)
    )
    return check_dataset(name, (x_train, y_train), (x_test, y_test))


def decode_idx(stream: IO[bytes], rank: int, source: str) -> Pixels:
    """Decode a seekable stream of IDX unsigned bytes, gzipped or not, to uint8 of `rank` axes. Raises DataError."""
    with decoding(source, "an IDX file of unsigned bytes, gzipped or not"):
        packed = stream.read(len(_GZIP)) == _GZIP
        stream.seek(0)
        plain = cast(IO[bytes], gzip.GzipFile(fileobj=stream)) if packed else stream
        header = plain.read(4 + 4 * rank)
        shape = _shape(header, rank, source)
        body = _read(plain, math.prod(shape) + 1)
    if len(body) != math.prod(shape):
        raise DataError(
            f"{source} holds {'more' if len(body) > math.prod(shape) else len(body)} bytes after its header",
            f"{math.prod(shape)} for shape {shape}",
            "get the file again: it is cut off or damaged",
        )
    return np.frombuffer(body, np.uint8).reshape(shape)


def _find(folder: Path, name: str) -> Path | None:
    spellings = [spelling + packed for spelling in (name, name.replace("-idx", ".idx")) for packed in ("", ".gz")]
    return next((folder / spelling for spelling in spellings if (folder / spelling).is_file()), None)


def _shape(header: bytes, rank: int, source: str) -> tuple[int, ...]:
    magic = bytes((0, 0, _UBYTE, rank))
    if header[:4] != magic or len(header) != 4 + 4 * rank:
        raise DataError(
            f"{source} starts with bytes {header[:4].hex(' ') or '(none)'}",
            f"{magic.hex(' ')} (IDX unsigned bytes, {rank} {'axis' if rank == 1 else 'axes'})",
            "get the file again, or check that frames and labels are not swapped",
        )
    shape = tuple(int(size) for size in np.frombuffer(header, ">u4", offset=4))
    if math.prod(shape) > _MAX_BYTES:
        raise DataError(
            f"{source} claims shape {shape}", f"at most {MAX_FRAMES:,} frames of 28x28", "use a smaller set"
        )
    return shape


def _read(stream: IO[bytes], most: int) -> bytearray:
    """Up to `most` bytes; an end that comes early is left to the caller."""
    body = bytearray()
    while len(body) < most and (piece := stream.read(min(_PIECE, most - len(body)))):
        body += piece
    return body
