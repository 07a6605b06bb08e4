"""Which images there are: folders, patterns, lists and URLs, as a stream that never holds them all."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pendigit.errors import ImageError, UsageError

ENDINGS = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".heic", ".heif", ".avif", ".pdf")
LIST = ".txt"
URL = "://"


class Input(NamedTuple):
    """One image.

    Attributes:
        source: The number of the source that named it, from 0.
        place: Its place among this source's images: a list's line, or the path itself.
        path: Where it is: a path or a URL. Bytes of a name that are not UTF-8 are written in hexadecimal.
    """

    source: int
    place: int | str
    path: str


@dataclass(frozen=True)
class Shard:
    """One machine's part of the images.

    A path's own checksum says which machine reads it: machines need not see the same moment of a growing folder for
    every image to be read by exactly one.

    Attributes:
        index: Which part, from 1.
        count: Of how many.
    """

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """`2/8` is the second of eight. Raises UsageError."""
        index, _, count = text.partition("/")
        if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
            raise UsageError(f"--shard {text}", "i/n with i from 1 to n, such as 2/8", "number the machines from 1")
        return cls(int(index), int(count))

    def holds(self, path: str) -> bool:
        """Whether this machine reads an image."""
        digest = hashlib.blake2b(path.encode(), digest_size=8).digest()  # CRC's bits are alike for names in a row
        return int.from_bytes(digest, "big") % self.count == self.index - 1


def find_inputs(sources: Iterable[str]) -> Iterator[Input]:
    """Every image of files, folders with all below them, patterns, lists (.txt, a path a line) and URLs of these.

    A folder's images come in any order; `sorted` or the journal puts them in that of their places. Raises ImageError
    for a source without images.
    """
    for number, source in enumerate(sources):
        count = 0
        for place, path in _of_source(source):
            count += 1
            shown = os.fsencode(path).decode("utf-8", "backslashreplace")
            yield Input(number, place if isinstance(place, int) else shown, shown)
        if not count:
            raise ImageError(
                f"no images found in {source}",
                f"files such as {', '.join(ENDINGS[:4])}, or a list of their paths (.txt)",
                "check the path",
            )


def images_below(folder: str) -> Iterator[str]:
    """The images in a folder and in those below it, in any order.

    Names that begin with a dot are left out, and links to folders, which may lead in circles.
    """
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(place)
        yield from (str(inside / name) for name in names if _is_image(name) and not name.startswith("."))


def fetch(path: str) -> bytes:
    """An image file's content. Raises ImageError."""
    try:
        if URL in path:
            return bytes(_file_system(path)[0].cat_file(path))
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"cannot read {path} ({why})", "a picture", "check the path") from error


def _of_source(source: str) -> Iterator[tuple[int | str, str]]:
    """Place and path of each image of one source."""
    if URL in source:
        return _of_url(source)
    path = str(Path(source).expanduser())
    if Path(path).is_dir():
        return ((found, found) for found in images_below(path))
    if path.lower().endswith(LIST):
        return _of_list(path)
    if not os.path.lexists(path) and glob.has_magic(path):
        matching = glob.iglob(path, recursive=True)  # noqa: PTH207 - not all at once, nor from one folder
        return ((found, found) for found in matching if _is_image(found))
    if not os.path.lexists(path) and not _is_image(path):
        return iter(())
    return iter([(path, path)])


def _is_image(path: str) -> bool:
    return path.lower().endswith(ENDINGS)


def _of_list(path: str) -> Iterator[tuple[int | str, str]]:
    """A list's lines as they stand; a path on it that is no image gives an error of its own when it is read."""
    try:
        with Path(path).open(encoding="utf-8-sig", errors="surrogateescape") as lines:
            for number, line in enumerate(lines):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except OSError as error:
        raise ImageError(
            f"cannot read the list {path} ({error.strerror})", "a path a line", "check the path"
        ) from error


def _of_url(url: str) -> Iterator[tuple[int | str, str]]:
    system, place = _file_system(url)
    try:
        if glob.has_magic(place):
            found = system.glob(place)
        elif system.isdir(place):
            found = [each for each in system.find(place) if "/." not in each.removeprefix(place)]
        else:
            found = [place]
    except OSError as error:
        raise ImageError(f"cannot list {url} ({error})", "a place that can be reached", "check the URL") from error
    for path in found:
        if _is_image(path):
            yield system.unstrip_protocol(path), system.unstrip_protocol(path)


def _file_system(url: str) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path in it."""
    from pendigit.extras import load

    try:
        system, place = load("ray", "fsspec.core").url_to_fs(url)
    except (ImportError, ValueError) as error:  # no package for this protocol, or no such protocol
        raise UsageError(f"the location {url}", "a protocol that fsspec knows", f"{error}") from error
    return system, str(place)
