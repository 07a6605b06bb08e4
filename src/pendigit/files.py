"""Writing files so that a final name never holds something half-written."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pendigit.errors import OutputError

_ADVICE = {
    errno.ENOSPC: ("no space is left on the disk", "free some space or choose another folder"),
    errno.EDQUOT: ("the disk quota is used up", "free some space or choose another folder"),
    errno.EACCES: ("writing there is not permitted", "choose a folder you may write to"),
    errno.EPERM: ("writing there is not permitted", "choose a folder you may write to"),
    errno.EROFS: ("the file system is read-only", "choose a folder you may write to"),
    errno.ENOENT: ("its folder does not exist", "make the folder first or choose another"),
    errno.ENOTDIR: ("a part of the path is a file", "choose another folder"),
    errno.EISDIR: ("it is a folder", "name a file in it"),
}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal to write `path` into an `OutputError`."""
    try:
        yield
    except OSError as error:
        why, do = _ADVICE.get(error.errno or 0, (error.strerror or str(error), "choose another folder"))
        raise OutputError(f"cannot write {path}: {why}", "a writable place", do) from error


def make_folder(path: Path) -> Path:
    """Make `path` and its parents; an existing folder is fine. Raises OutputError."""
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def publish(path: Path) -> Iterator[Path]:
    """Give a temporary sibling of `path` to write to; rename it to `path` only when the block ends well.

    The file's bytes reach the disk before the rename, so a crash or a SIGKILL leaves either the old file or the whole
    new one. On any error the temporary file is removed. Raises OutputError if the place cannot be written.
    """
    draft = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    with writing(path):
        try:
            yield draft
            with draft.open("rb") as written:
                os.fsync(written.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


@contextmanager
def publish_folder(path: Path) -> Iterator[Path]:
    """Give a temporary sibling folder to fill; it takes the place of `path` only when the block ends well.

    What was at `path` is moved aside first and removed afterwards: a crash between leaves it whole under a hidden name.
    Raises OutputError if the place cannot be written.
    """
    mark = secrets.token_hex(4)
    draft, old = path.with_name(f".{path.name}.{mark}"), path.with_name(f".{path.name}.{mark}.old")
    with writing(path):
        try:
            draft.mkdir()
            yield draft
            if path.exists():
                path.replace(old)
            draft.replace(path)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            if path.exists():
                _remove(old)


def sweep(path: Path) -> None:
    """Remove drafts of `path` that killed processes left. Only where no other process publishes there now."""
    name = re.compile(
        rf"\.({re.escape(path.stem)}\.[0-9a-f]{{8}}{re.escape(path.suffix)}|{re.escape(path.name)}\.[0-9a-f]{{8}})"
    )
    for draft in path.absolute().parent.iterdir():
        if name.fullmatch(draft.name):
            _remove(draft)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def publish_text(path: Path, text: str) -> None:
    """Write `text` (UTF-8) to `path` whole or not at all. Raises OutputError."""
    with publish(path) as draft:
        draft.write_text(text, encoding="utf-8")
