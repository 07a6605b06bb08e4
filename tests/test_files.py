"""A final name holds the old file or the whole new one, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pendigit.errors import OutputError
from pendigit.files import make_folder, publish, publish_folder, publish_text, sweep


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_publish_replaces_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "answer.txt"
    publish_text(path, "old")
    with publish(path) as draft:
        draft.write_text("new ✓", encoding="utf-8")
        assert draft.suffix == ".txt", "some writers choose the format by the name's ending"
        assert path.read_text(encoding="utf-8") == "old"
    assert path.read_text(encoding="utf-8") == "new ✓"
    assert names(tmp_path) == ["answer.txt"]


def test_an_error_while_writing_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "answer.txt"
    publish_text(path, "old")
    with pytest.raises(ZeroDivisionError), publish(path) as draft:  # noqa: PT012 - the file matters after it
        draft.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert names(tmp_path) == ["answer.txt"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EIO])
def test_a_refusing_disk_is_an_output_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, "replace")), refuse)
    with pytest.raises(OutputError, match=r"cannot write .*answer\.txt: .*; expected a writable place; \w+"):
        publish_text(tmp_path / "answer.txt", "new")
    assert names(tmp_path) == []


def test_drafts_of_killed_processes_are_swept_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    kept = [
        ".out.0a1b2c3.parquet",
        ".out.0a1b2c3d.csv",
        ".other.0a1b2c3d.parquet",
        "out.0a1b2c3d.parquet",
        "out.parquet",
    ]
    for name in [*kept, ".out.0a1b2c3d.parquet", ".out.00000000.parquet"]:
        (tmp_path / name).write_text("x")
    (tmp_path / ".out.parquet.0a1b2c3d").mkdir()
    (tmp_path / ".out.parquet.0a1b2c3d" / "part").write_text("x")
    sweep(path)
    assert names(tmp_path) == sorted(kept)


def test_places_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for place, why in (
        ("file/a.txt", "a part of the path is a file"),
        ("no/a.txt", "its folder does not exist"),
        ("folder", "it is a folder"),
    ):
        with pytest.raises(OutputError, match=why):
            publish_text(tmp_path / place, "text")
    with pytest.raises(OutputError, match="a part of the path is a file"):
        make_folder(tmp_path / "file" / "below")
    assert names(tmp_path) == ["file", "folder"]
    assert names(tmp_path / "folder") == []


def test_a_kill_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "answer.txt"
    publish_text(path, "old")
    script = """
import os, signal, sys
from pathlib import Path
from pendigit.files import publish
with publish(Path(sys.argv[1])) as draft, draft.open("w") as file:
    file.write("half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    assert [name for name in names(tmp_path) if not name.startswith(".")] == ["answer.txt"]


def test_make_folder_makes_parents_and_takes_what_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert make_folder(folder) == make_folder(folder) == folder
    assert folder.is_dir()


def test_a_folder_is_published_whole_or_stays_as_it_was(tmp_path: Path) -> None:
    place = tmp_path / "place"
    with publish_folder(place) as draft:
        (draft / "a").write_text("1")
    with publish_folder(place) as draft:
        (draft / "b").write_text("2")
    assert [each.name for each in place.iterdir()] == ["b"]
    with pytest.raises(OutputError, match="cannot write"), publish_folder(place) as draft:
        (draft / "c").write_text((draft / "missing").read_text())
    assert [each.name for each in place.iterdir()] == ["b"]
    assert [each.name for each in tmp_path.iterdir()] == ["place"]
    with pytest.raises(OutputError, match="cannot write"), publish_folder(tmp_path / "missing" / "place"):
        pass
