"""Many images into one table: what is read, kept, read again, merged; read by the real reader in this process."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

import pendigit
from batch_reading import COUNT, SCANS, Silent, here, read, stopping_after, table
from pendigit.batches.inputs import Shard
from pendigit.batches.run import journal_of, merge, read_many
from pendigit.batches.settings import Answer, Item, Settings
from pendigit.batches.table import read_table
from pendigit.commands import run
from pendigit.errors import OutputError, UsageError
from pendigit.reading.options import ReadOptions


def test_a_table_says_what_the_images_say(scans: Path) -> None:
    summary = read()
    found = table()
    assert list(found) == SCANS
    for path, record in found.items():
        assert record.rows == (Path(path).stem,)
        reading = pendigit.load_reader().read(path)
        digit = reading.rows[0].digits[0]
        assert record.digits[0][:6] == (digit.digit, round(digit.confidence, 6), *digit.box)
        assert record.lowest_probability == round(digit.confidence, 6)
        assert record.accepted == (digit.confidence >= 0.9)
        assert (record.error, len(record.digest or ""), record.model) == (None, 64, Settings.of().identity)
        assert record.milliseconds > 0
    assert (summary.images, summary.read, summary.failed) == (COUNT, COUNT, 0)  # type: ignore[attr-defined]
    assert sorted(path.name for path in Path().iterdir()) == ["out.csv", "scans"], "no journal is left"


def test_a_limit_on_the_error_decides_what_is_accepted(scans: Path) -> None:
    blurred = Image.open(scans / "3.png").filter(ImageFilter.GaussianBlur(4))
    blurred.save(scans / "3.png")
    read_many(["scans"], Path("out.csv"), Settings.of(None, ReadOptions(max_error=0.01)), here, Silent())
    reader = pendigit.load_reader()
    for path, record in table().items():
        reading = reader.read(path, max_error=0.01)
        assert record.rows == tuple(row.text for row in reading.rows)
        assert record.accepted == (reading.count > 0 and reading.kept == reading.count)
        assert record.model.endswith(" max_error=0.01")


def test_a_stopped_run_goes_on_and_reads_nothing_twice(scans: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        read(engine=stopping_after(4))
    assert journal_of(Path("out.csv")).exists()
    assert not Path("out.csv").exists()
    asked: list[Item] = []

    def engine(items: Iterable[Item], how: Settings) -> Iterator[list[Answer]]:
        asked.extend(items)
        return here(asked, how)

    summary = read(engine=engine)
    assert [known is not None for _, known in asked] == [True] * 4 + [False] * 2
    assert (summary.images, summary.read) == (COUNT, 2)  # type: ignore[attr-defined]
    assert len(table()) == COUNT


def test_new_and_changed_images_are_read_again_and_vanished_ones_kept(scans: Path) -> None:
    read()
    before = table()
    (scans / "0.png").write_bytes((scans / "1.png").read_bytes())
    (scans / "9.png").write_bytes((scans / "4.png").read_bytes())
    (scans / "5.png").unlink()
    summary = read()
    after = table()
    assert summary.read == 2  # type: ignore[attr-defined]
    assert (after["scans/0.png"].rows, after["scans/9.png"].rows) == (("1",), ("4",))
    assert after["scans/3.png"] == before["scans/3.png"]
    assert list(after)[-1] == "scans/5.png"
    assert after["scans/5.png"] == before["scans/5.png"]
    assert read(overwrite=True).images == COUNT  # type: ignore[attr-defined]


def test_another_models_or_inputs_output_is_refused(scans: Path) -> None:
    read("scans/more")
    with pytest.raises(OutputError, match=r"not among these inputs, such as scans/more/2.png.*--overwrite"):
        read("scans/0.png")
    with pytest.raises(OutputError, match=r"another model or with other settings.*--overwrite"):
        read_many(["scans"], Path("out.csv"), Settings.of("classic"), here, Silent())
    with pytest.raises(OutputError, match="other settings"):
        read_many(["scans"], Path("out.csv"), Settings.of(None, ReadOptions(keep=".")), here, Silent())
    assert list(table()) == ["scans/more/2.png"]
    Path("scans/more/2.png").rename("scans/more/3.png")
    with pytest.raises(OutputError, match="not among these inputs"):
        read()  # none of those it holds is left
    assert not journal_of(Path("out.csv")).exists(), "a run that was refused leaves nothing"


def test_shards_merge_to_the_table_of_one_run(scans: Path) -> None:
    read(output="whole.jsonl")
    for index in (1, 2, 3):
        read(output=f"{index}.parquet", shard=Shard(index, 3))
    parts = [Path(f"{index}.parquet") for index in (3, 1, 2)]
    summary = merge(parts, Path("merged.jsonl"), Silent())
    whole, merged = table("whole.jsonl"), table("merged.jsonl")
    assert list(whole) == list(merged)
    assert [replace(record, milliseconds=0) for record in whole.values()] == [
        replace(record, milliseconds=0) for record in merged.values()
    ]
    assert summary.images == COUNT
    with pytest.raises(OutputError, match="exists already"):
        merge(parts, Path("merged.jsonl"), Silent())
    (scans / "0.png").write_bytes((scans / "1.png").read_bytes())
    read("scans/0.png", output="changed.csv")
    with pytest.raises(OutputError, match=r"two tables hold scans/0\.png with different contents"):
        merge([Path("changed.csv"), *parts], Path("again.csv"), Silent())
    with pytest.raises(OutputError, match=r"missing\.csv is no table"):
        merge([Path("missing.csv")], Path("again.csv"), Silent())
    assert not list(Path().glob("again*"))


def test_a_table_in_parts_is_the_table_in_one(scans: Path) -> None:
    read(output="one.parquet")
    assert read(output="parts.parquet", part_rows=4).read == COUNT  # type: ignore[attr-defined]
    parts = Path("parts.parquet")
    assert sorted(each.name for each in parts.iterdir()) == ["part-00000.parquet", "part-00001.parquet"]
    assert len(list(read_table(parts / "part-00000.parquet"))) == 4
    assert list(table("parts.parquet")) == list(table("one.parquet")) == SCANS
    assert read(output="parts.parquet", part_rows=COUNT).read == 0  # type: ignore[attr-defined]
    assert [each.name for each in Path("parts.parquet").iterdir()] == ["part-00000.parquet"], (
        "no part of before is left"
    )
    with pytest.raises(OutputError, match=r"is a folder of parts.*give --part-rows"):
        read(output="parts.parquet")
    with pytest.raises(OutputError, match=r"is one file.*leave out --part-rows"):
        read(output="one.parquet", part_rows=4)
    with pytest.raises(UsageError, match=r"in parts.*\.parquet"):
        read(output="out.csv", part_rows=4)
    assert not [each for each in Path().iterdir() if each.name.startswith(".")], "no drafts are left"


def test_the_command_line(scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (scans / "1.png").write_bytes(b"no picture")
    assert run(["read", "scans", "-o", "out.csv", "--workers", "1"]) == 3
    captured = capsys.readouterr()
    assert captured.out.startswith("out.csv: 6 images (6 read now), ")
    assert "pendigit: 1 of 6 could not be read; the first: scans/1.png is no picture" in captured.err
    with Path("out.csv").open(newline="") as file:
        assert [row["rows"] for row in csv.DictReader(file)] == ["0", "", "3", "4", "5", "2"]
    assert run(["merge", "out.csv", "-o", "out.jsonl"]) == 0
    assert capsys.readouterr().out.startswith("out.jsonl: 6 images (0 read now)")
    for words, code, line in (
        (["nowhere", "-o", "x.csv"], 3, "no images found in nowhere"),
        (["scans", "-o", "x.doc"], 2, "unknown format"),
        (["scans", "-o", "x.csv", "--engine", "spark"], 2, "--engine spark"),
        (["scans", "-o", "x.csv", "--json"], 2, "--json"),
        (["scans", "--shard", "1/2"], 2, "-o FILE"),
        (["scans/0.png", "-o", "x.csv", "--keep", "!"], 2, "separators '!'"),
    ):
        assert run(["read", *words]) == code, words
        assert line in capsys.readouterr().err
    assert not list(Path().glob("x*"))
