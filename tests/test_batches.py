"""Many images into one table: what is found, what is kept, what is refused; read by the real reader in this process."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

import pendigit
from pendigit.batches.gather import run_together
from pendigit.batches.inputs import Shard, fetch, find_inputs
from pendigit.batches.journal import Journal
from pendigit.batches.record import ReadDigit, Record
from pendigit.batches.run import journal_of, merge, read_many
from pendigit.batches.settings import Answer, Item, Settings
from pendigit.batches.table import FORMATS, read_table, write_table
from pendigit.batches.worker import Worker
from pendigit.classifier import Classifier, OnnxClassifier, Probabilities
from pendigit.commands import run
from pendigit.datasets import Dataset
from pendigit.errors import ImageError, OutputError, UsageError
from pendigit.models import find_model
from pendigit.reading.options import ReadOptions

COUNT = 6


@pytest.fixture
def scans(mini: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with `scans/` in it: six digits, 0 to 5, one of them in a folder below."""
    monkeypatch.chdir(tmp_path)
    folder = Path("scans")
    (folder / "more").mkdir(parents=True)
    for digit in range(COUNT):
        frame = mini.x_train[np.flatnonzero(mini.y_train == digit)[3]]
        place = folder / "more" if digit == 2 else folder
        Image.fromarray(255 - np.pad(frame, 8)).save(place / f"{digit}.png")
    return folder


class Quiet:
    """Remembers how far a run came."""

    def __init__(self) -> None:
        self.done: list[tuple[int, int, int]] = []

    def reading(self, done: int, total: int, failed: int) -> None:
        self.done.append((done, total, failed))

    def publishing(self) -> None: ...


worker = cache(Worker)  # one for each settings


def here(items: Iterable[Item], how: Settings) -> Iterator[list[Answer]]:
    """An engine: one worker in this process, an image at a time."""
    for item in items:
        yield worker(how).read([item])


def stopping_after(count: int) -> Callable[[Iterable[Item], Settings], Iterator[list[Answer]]]:
    """An engine that Ctrl-C stops."""

    def engine(items: Iterable[Item], how: Settings) -> Iterator[list[Answer]]:
        for number, answers in enumerate(here(items, how)):
            if number == count:
                raise KeyboardInterrupt
            yield answers

    return engine


def read(source: str | Path = "scans", output: str = "out.csv", **options: object) -> object:
    engine = options.pop("engine", here)
    return read_many([str(source)], Path(output), Settings.of(), engine, Quiet(), **options)  # type: ignore[arg-type]


def table(output: str = "out.csv") -> dict[str, Record]:
    records = list(read_table(Path(output)))
    found = {record.path: record for record in records}
    assert len(found) == len(records), "every image is there once"
    return found


def paths(*sources: str) -> list[str]:
    return [each.path for each in sorted(find_inputs(sources))]


def test_folders_patterns_lists_and_files_are_found_in_order(scans: Path) -> None:
    (scans / ".hidden.png").write_bytes(b"")
    (scans / "notes.md").write_text("no image")
    inside = ["scans/0.png", "scans/1.png", "scans/3.png", "scans/4.png", "scans/5.png", "scans/more/2.png"]
    assert paths("scans") == inside
    assert paths("scans/**/[2-4].png") == ["scans/3.png", "scans/4.png", "scans/more/2.png"]
    Path("list.txt").write_text("scans/5.png\n\nscans/0.png\r\nnowhere.png\n", encoding="utf-8-sig")
    assert paths("list.txt") == ["scans/5.png", "scans/0.png", "nowhere.png"]
    assert paths("scans/4.png", "scans/more") == ["scans/4.png", "scans/more/2.png"]
    url = f"file://{scans.resolve()}"
    assert paths(url) == [f"{url}/{path.removeprefix('scans/')}" for path in inside]
    assert fetch(f"{url}/0.png") == (scans / "0.png").read_bytes()
    for empty in ("nowhere", "scans/*.gif", "nowhere.txt"):
        with pytest.raises(ImageError, match=r"no images found|cannot read the list"):
            paths(empty)
    with pytest.raises(UsageError, match="foo://"):
        paths("foo://bucket/scans")


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True), st.integers(1, 9))
def test_shards_part_the_images(names: list[str], count: int) -> None:
    shards = [Shard.parse(f"{index}/{count}") for index in range(1, count + 1)]
    assert all(sum(shard.holds(name) for shard in shards) == 1 for name in names)


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "-1/2", "1/0", ""])
def test_shards_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--shard"):
        Shard.parse(text)


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
shares = st.integers(0, 10**6).map(lambda number: number / 10**6)
digits = st.builds(
    ReadDigit, st.integers(0, 9), shares, *[st.integers(0, 9999)] * 4, st.integers(0, 9), st.integers(1, 3)
)
records = st.builds(
    Record,
    path=texts.map(lambda text: f"x{text}x"),
    rows=st.lists(st.text("0123456789.- ", min_size=1).map(lambda row: f"1{row}1"), max_size=3).map(tuple),
    lowest_probability=st.none() | shares,
    accepted=st.booleans(),
    error=st.none() | texts,
    milliseconds=st.integers(0, 10**6).map(lambda number: number / 1000),
    digits=st.lists(digits, max_size=3).map(tuple),
    digest=st.none() | st.just("a" * 64),
    model=st.just("b" * 64),
)


@pytest.mark.parametrize("ending", FORMATS)
@settings(deadline=None, max_examples=15)
@given(some=st.lists(records, max_size=4))
def test_tables_come_back_as_they_were(
    ending: str, some: list[Record], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / f"round{ending}"
    write_table(path, some)
    assert list(read_table(path)) == some


def test_excel_keeps_texts(tmp_path: Path) -> None:
    import openpyxl

    record = Record("=1+1", ("007",), 0.5, False, "bell \a", 1.0, (), None, "m")
    write_table(tmp_path / "t.xlsx", [record])
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx").active
    assert [sheet.cell(2, column).value for column in (1, 2, 5)] == ["=1+1", "007", "bell \\x07"]
    assert sheet.cell(2, 1).data_type == "s"


@pytest.mark.parametrize("ending", FORMATS)
def test_files_that_are_no_tables(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"t{ending}"
    path.write_text("something\nelse\n")
    with pytest.raises(OutputError, match=r"is no table of pendigit's .*--overwrite"):
        list(read_table(path))
    assert path.read_text() == "something\nelse\n"


def test_digits_of_many_images_go_to_the_network_together(mini: Dataset) -> None:
    class Counting(OnnxClassifier):
        """The real classifier, counting its calls."""

        calls = 0

        def judge(self, frames: npt.ArrayLike) -> tuple[Probabilities, Probabilities | None]:
            self.calls += 1
            return super().judge(frames)

    def job(start: int, questions: int, classifier: Classifier) -> list[int]:
        """Ask one, two or no times."""
        found: list[int] = []
        for question in range(questions):
            frames = mini.x_test[start + question : start + question + 3]
            probabilities, surely = classifier.judge(frames)
            found += probabilities.argmax(axis=1).tolist()
            expected = alone.digitness(frames)
            assert surely is not None
            assert expected is not None
            assert np.allclose(surely, expected, atol=1e-5)
        return found

    counting, alone = Counting(find_model()), OnnxClassifier(find_model())
    jobs = [(start, start % 3) for start in range(10)]
    answers = run_together([lambda each, job_=job_: job(*job_, each) for job_ in jobs], counting)
    expected = [job(start, questions, alone) for start, questions in jobs]
    assert sorted(answer for answer, _ in answers) == sorted(expected)
    assert counting.calls == 2, "one call for the first questions, one for the second"

    def failing(classifier: Classifier) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(run_together([failing], counting))


def test_a_table_says_what_the_images_say(scans: Path) -> None:
    summary = read()
    found = table()
    assert list(found) == [
        "scans/0.png",
        "scans/1.png",
        "scans/3.png",
        "scans/4.png",
        "scans/5.png",
        "scans/more/2.png",
    ]
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
    read_many(["scans"], Path("out.csv"), Settings.of(None, ReadOptions(max_error=0.01)), here, Quiet())
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
        read_many(["scans"], Path("out.csv"), Settings.of("classic"), here, Quiet())
    with pytest.raises(OutputError, match="other settings"):
        read_many(["scans"], Path("out.csv"), Settings.of(None, ReadOptions(keep=".")), here, Quiet())
    assert list(table()) == ["scans/more/2.png"]
    Path("scans/more/2.png").rename("scans/more/3.png")
    with pytest.raises(OutputError, match="not among these inputs"):
        read()  # none of those it holds is left
    assert not journal_of(Path("out.csv")).exists(), "a run that was refused leaves nothing"


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


def test_shards_merge_to_the_table_of_one_run(scans: Path) -> None:
    read(output="whole.jsonl")
    for index in (1, 2, 3):
        read(output=f"{index}.parquet", shard=Shard(index, 3))
    parts = [Path(f"{index}.parquet") for index in (3, 1, 2)]
    summary = merge(parts, Path("merged.jsonl"), Quiet())
    whole, merged = table("whole.jsonl"), table("merged.jsonl")
    assert list(whole) == list(merged)
    assert [replace(record, milliseconds=0) for record in whole.values()] == [
        replace(record, milliseconds=0) for record in merged.values()
    ]
    assert summary.images == COUNT
    with pytest.raises(OutputError, match="exists already"):
        merge(parts, Path("merged.jsonl"), Quiet())
    (scans / "0.png").write_bytes((scans / "1.png").read_bytes())
    read("scans/0.png", output="changed.csv")
    with pytest.raises(OutputError, match=r"two tables hold scans/0\.png with different contents"):
        merge([Path("changed.csv"), *parts], Path("again.csv"), Quiet())
    with pytest.raises(OutputError, match=r"missing\.csv is no table"):
        merge([Path("missing.csv")], Path("again.csv"), Quiet())
    assert not list(Path().glob("again*"))


def test_one_run_at_a_time(scans: Path) -> None:
    journal = Journal(Path("out.csv.journal"))
    with pytest.raises(OutputError, match=r"locked.*wait for the other run"):
        read()
    journal.close()
    assert read().images == COUNT  # type: ignore[attr-defined]


def test_places_that_cannot_be_written(scans: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown format.*\.parquet"):
        read(output="out.doc")
    with pytest.raises(OutputError, match="cannot write"):
        read(output="missing/out.csv")
    Path("folder.csv").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        read(output="folder.csv")
    Path("out.csv.journal").write_text("something else " * 100)
    with pytest.raises(OutputError, match=r"not a database; expected a journal"):
        read()


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
