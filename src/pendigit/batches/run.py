"""Images to a table, start to end: list, read what is not read yet, publish."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeAlias

from pendigit.batches.inputs import Shard, find_inputs
from pendigit.batches.journal import Journal, is_begun
from pendigit.batches.record import Record
from pendigit.batches.settings import Answer, Item, Settings
from pendigit.batches.table import check_format, check_place, read_table, write_table
from pendigit.errors import ImageError, OutputError
from pendigit.files import sweep

Engine: TypeAlias = Callable[[Iterable[Item], Settings], Iterator[list[Answer]]]


class Progress(Protocol):
    """Hears how far a run has come."""

    def reading(self, done: int, total: int, failed: int) -> None:
        """Of `total` images `done` are done, and `failed` of these could not be read."""

    def publishing(self) -> None:
        """The table is being written."""


@dataclass(frozen=True)
class Summary:
    """A table that was published.

    Attributes:
        images: Its records.
        read: How many were read in this run; the others were known.
        accepted: Images with digits that are all sure enough.
        failed: Images that could not be read.
        first_error: What was wrong with the first of these.
    """

    images: int = 0
    read: int = 0
    accepted: int = 0
    failed: int = 0
    first_error: str | None = None

    def and_(self, record: Record) -> Summary:
        """One record more."""
        return replace(
            self,
            images=self.images + 1,
            accepted=self.accepted + record.accepted,
            failed=self.failed + (record.error is not None),
            first_error=self.first_error or _named(record),
        )


def read_many(
    sources: Iterable[str],
    output: Path,
    settings: Settings,
    engine: Engine,
    progress: Progress,
    *,
    shard: Shard | None = None,
    overwrite: bool = False,
    fail_fast: bool = False,
    part_rows: int | None = None,
) -> Summary:
    """Read every image of `sources` into the table `output`; go on where an earlier run was stopped.

    Args:
        sources: Files, folders, patterns, lists, URLs; see `find_inputs`.
        output: The table; its ending says which format.
        settings: How to read.
        engine: Who reads.
        progress: Hears of every step.
        shard: Read this part alone.
        overwrite: Forget what was read before.
        fail_fast: Stop at the first image that cannot be read.
        part_rows: Write a folder of Parquet files of so many records each.

    Raises:
        ImageError: There are no images; or one cannot be read, with `fail_fast`.
        OutputError: The output cannot be written, or holds other images or another model's readings.
        UsageError: Its format is unknown, or cannot hold so much.
    """
    journal = open_journal(output, settings, overwrite, part_rows)
    try:
        journal.forget()
        journal.add(each for each in find_inputs(sources) if shard is None or shard.holds(each.path))
        check_inputs(journal, output)
        count = read_waiting(journal, settings, engine, progress, fail_fast)
        summary = publish(journal, output, progress, part_rows)
    except BaseException:  # also Ctrl-C: what was read is kept
        journal.close()
        raise
    journal.remove()
    return replace(summary, read=count)


def journal_of(output: Path) -> Path:
    """Where the journal of a table stands while it grows."""
    return output.with_name(output.name + ".journal")


def open_journal(output: Path, settings: Settings, overwrite: bool = False, part_rows: int | None = None) -> Journal:
    """The journal of an output, with what is known already: from a run that was stopped, or from the table itself.

    Raises OutputError if that is another model's, or no such table.
    """
    check_format(output, part_rows)
    check_place(output, part_rows)
    path = journal_of(output)
    journal = Journal(path) if not overwrite and is_begun(path) else Journal.anew(path)
    try:
        model = journal.model()
        if model is None:
            if output.exists() and not overwrite:
                journal.know(_of_model(settings.identity, record, output) for record in read_table(output))
            journal.begin(settings.identity)
        elif model != settings.identity:
            raise _other_model(path, model, settings.identity)
    except BaseException:
        journal.close()
        raise
    return journal


def check_inputs(journal: Journal, output: Path) -> None:
    """Raises OutputError if the output holds images that exist and are not asked for."""
    stranger = journal.stranger()
    if stranger is not None:
        raise OutputError(
            f"{output} holds images that are not among these inputs, such as {stranger}",
            "the same inputs, or more",
            "name another output, or write it anew with --overwrite",
        )


def read_waiting(journal: Journal, settings: Settings, engine: Engine, progress: Progress, fail_fast: bool) -> int:
    """Read what waits in the journal; how many images were not as they were. Raises ImageError with `fail_fast`."""
    total, done, read, failed = journal.count(), 0, 0, 0
    progress.reading(0, total, 0)
    for answers in engine(journal.waiting(), settings):
        journal.write(answers)
        records = [answer for answer in answers if isinstance(answer, Record)]
        errors = [record for record in records if record.error is not None]
        done, read, failed = done + len(answers), read + len(records), failed + len(errors)
        progress.reading(done, total, failed)
        if errors and fail_fast:
            raise ImageError(f"{_named(errors[0])}", "pictures only", "leave --fail-fast out to read the others")
    journal.save()
    return read


def publish(journal: Journal, output: Path, progress: Progress, part_rows: int | None = None) -> Summary:
    """Write the table of all that was read. Raises OutputError."""
    progress.publishing()
    summary = Summary()

    def counted() -> Iterator[Record]:
        nonlocal summary
        for record in journal.records():
            summary = summary.and_(record)
            yield record

    write_table(output, counted(), part_rows)
    sweep(output)  # the journal is this run's alone
    return summary


def merge(tables: Iterable[Path], output: Path, progress: Progress, overwrite: bool = False) -> Summary:
    """Make one table of several, in the order of the images' paths; an image that several hold is there once.

    Raises OutputError for tables of different models or with different contents of one image.
    """
    check_format(output)
    path = journal_of(output)
    if not overwrite:
        if output.exists():
            raise OutputError(f"{output} exists already", "a new name", "name another output, or use --overwrite")
        if is_begun(path):
            do = "start that run again, name another output, or use --overwrite"
            raise OutputError(f"{path} holds what a run read before it was stopped", "a new name", do)
    journal = Journal.anew(path)
    try:
        model: str | None = None
        for table in tables:
            for record in read_table(table):
                model = model or record.model
                journal.know([_of_model(model, record, table)])
        summary = publish(journal, output, progress)
    finally:
        journal.remove()
    return summary


def _of_model(model: str, record: Record, output: Path) -> Record:
    if record.model != model:
        raise _other_model(output, record.model, model)
    return record


def _other_model(output: Path, seen: str, expected: str) -> OutputError:
    return OutputError(
        f"{output} was read by another model or with other settings ({seen})",
        f"this run's ({expected})",
        "use the same, name another output, or write it anew with --overwrite",
    )


def _named(record: Record) -> str | None:
    """A record's error, with its path."""
    if record.error is None:
        return None
    return record.error if record.path in record.error else f"{record.path}: {record.error}"
