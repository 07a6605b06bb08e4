"""Runs over images that cannot be read, and into places that cannot be written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from batch_reading import COUNT, Silent, here, read, stopping_after, table
from pendigit.batches.journal import Journal
from pendigit.batches.record import Record
from pendigit.batches.run import journal_of, merge
from pendigit.batches.settings import Answer, Item, Settings
from pendigit.batches.table import FORMATS
from pendigit.errors import ImageError, OutputError, UsageError


def test_pictures_that_cannot_be_read_are_rows_with_errors(scans: Path) -> None:
    (scans / "0.png").write_bytes(b"no picture")
    (scans / "1.png").write_bytes(b"")
    whole = (scans / "3.png").read_bytes()
    (scans / "3.png").write_bytes(whole[: len(whole) // 2])
    Path("list.txt").write_text("".join(f"scans/{name}.png\n" for name in (0, 1, 3, 4, 7)))
    summary = read("list.txt")
    found = table()
    for name, error in ((0, "no picture that can be"), (1, "is empty"), (3, "cut off"), (7, "No such file")):
        assert error in (found[f"scans/{name}.png"].error or "")
        assert f"scans/{name}.png" in (found[f"scans/{name}.png"].error or "")
        assert (found[f"scans/{name}.png"].rows, found[f"scans/{name}.png"].accepted) == ((), False)
    assert found["scans/4.png"].error is None
    assert (summary.failed, summary.first_error) == (4, found["scans/0.png"].error)  # type: ignore[attr-defined]
    with pytest.raises(ImageError, match=r"scans/0\.png"):
        read("list.txt", output="other.csv", fail_fast=True)
    assert not Path("other.csv").exists()


def test_an_image_that_vanishes_or_breaks_the_reader_on_the_way(scans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def engine(items: Iterable[Item], how: Settings) -> Iterator[list[Answer]]:
        listed = list(items)
        (scans / "3.png").unlink()
        return here(listed, how)

    def odd(content: bytes, number: int) -> tuple[np.ndarray, int]:
        raise ZeroDivisionError("odd")

    assert read(engine=engine).failed == 1  # type: ignore[attr-defined]
    assert "No such file" in (table()["scans/3.png"].error or "")
    monkeypatch.setattr("pendigit.batches.worker.open_page", odd)
    assert "fault of pendigit's own: ZeroDivisionError: odd" in str(read("scans/0.png", output="other.csv"))


def test_one_run_at_a_time(scans: Path) -> None:
    journal = Journal(Path("out.csv.journal"))
    for run in (read, partial(read, overwrite=True), partial(merge, [], Path("out.csv"), Silent())):
        with pytest.raises(OutputError, match=r"locked.*wait for the other run"):
            run()
    journal.close()
    assert read().images == COUNT  # type: ignore[attr-defined]


def test_a_merge_keeps_what_a_stopped_run_has_read(scans: Path) -> None:
    read(output="part.csv")
    with pytest.raises(KeyboardInterrupt):
        read(engine=stopping_after(2))
    with pytest.raises(OutputError, match=r"out\.csv\.journal holds what a run read.*--overwrite"):
        merge([Path("part.csv")], Path("out.csv"), Silent())
    assert read().read == COUNT - 2  # type: ignore[attr-defined]
    Path("out.csv").unlink()
    journal = Journal(journal_of(Path("out.csv")))
    journal.know([replace(table("part.csv")["scans/0.png"], path="scans/other.png")])
    journal.save()
    for file in Path().glob("out.csv.journal*"):
        shutil.copy(file, f"killed-{file}")
    journal.close()
    for again in (lambda: merge([Path("part.csv")], Path("out.csv"), Silent()), read):
        for file in Path().glob("killed-*"):
            shutil.copy(file, file.name.removeprefix("killed-"))
        assert again().images == COUNT, "nothing of a merge that was killed"  # type: ignore[attr-defined]
        Path("out.csv").unlink()


def test_places_that_cannot_be_written(scans: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown format.*\.parquet"):
        read(output="out.doc")
    with pytest.raises(OutputError, match="cannot write"):
        read(output="missing/out.csv")
    Path("folder.csv").mkdir()
    with pytest.raises(OutputError, match="is a folder of parts"):
        read(output="folder.csv")
    Path("folder.csv", "letter.txt").write_text("kept")
    with pytest.raises(OutputError, match="is a folder of other files"):
        read(output="folder.csv")
    Path("out.csv.journal").write_text("something else " * 100)
    with pytest.raises(OutputError, match=r"not a database; expected a journal"):
        read()
    Path("out.csv.journal").unlink()
    Path("out.csv.journal").mkdir()
    for overwrite in (False, True):
        with pytest.raises(OutputError, match=r"cannot write out\.csv\.journal"):
            read(overwrite=overwrite)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")  # noqa: PTH110
def test_a_full_disk_keeps_the_table_that_was_there(scans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read()
    before = Path("out.csv").read_bytes()
    (scans / "9.png").write_bytes((scans / "4.png").read_bytes())

    def full(_: Path, found: Iterable[Record]) -> None:
        with open("/dev/full", "w") as file:  # noqa: PTH123
            file.writelines(record.path for record in found)

    with monkeypatch.context() as patch:
        patch.setitem(FORMATS, ".csv", FORMATS[".csv"]._replace(write=full))
        with pytest.raises(OutputError, match="no space is left"):
            read()
    assert Path("out.csv").read_bytes() == before
    summary = read()
    assert (summary.images, summary.read) == (COUNT + 1, 0), "what was read before the disk was full is kept"  # type: ignore[attr-defined]
