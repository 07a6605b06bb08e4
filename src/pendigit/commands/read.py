"""`pendigit read`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pendigit.commands.batch import (
    Address,
    EngineName,
    FailFast,
    OfShards,
    Output,
    Overwrite,
    PartRows,
    TableOptions,
    Watch,
    Workers,
    read_into_table,
)
from pendigit.commands.limits import MaxError, describe_kept
from pendigit.commands.overlays import Overlays
from pendigit.commands.terminal import say, say_error
from pendigit.errors import ImageError, MissingExtraError, PendigitError, UsageError
from pendigit.models import DEFAULT

if TYPE_CHECKING:
    from pendigit.reading.options import ReadOptions
    from pendigit.results import Reading, Row

    FileReader = Callable[[str], list[Reading]]

UNSURE = 0.9  # probability: a row with a less sure digit is marked


def read(
    sources: Annotated[list[str], typer.Argument(help="Photos, scans, folders, patterns, lists (.txt) or URLs.")],
    model: Annotated[str | None, typer.Option(help="A model: name, file or run folder.", show_default=DEFAULT)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    overlay: Annotated[Path | None, typer.Option(help="Draw what was read onto the photos, into this folder.")] = None,
    region: Annotated[str | None, typer.Option(help="Read a part: x,y,width,height in pixels.")] = None,
    keep: Annotated[str, typer.Option(help="Separators to report too, any of .,-", show_default=False)] = "",
    drawn: Annotated[bool, typer.Option("--drawn", help="They were drawn on a screen, not photographed.")] = False,
    max_error: MaxError = None,
    digits: Annotated[str | None, typer.Option(help="Digits of each number: 5, or 3-6.")] = None,
    rows: Annotated[int | None, typer.Option(help="How many rows there are.")] = None,
    pattern: Annotated[str | None, typer.Option(help="The numbers' form, such as ####-##.")] = None,
    check: Annotated[str | None, typer.Option(help="A check digit: luhn, isbn, iban, nl.bsn, ...")] = None,
    between: Annotated[str | None, typer.Option(help="The least and greatest number: 0:100.")] = None,
    sum_of: Annotated[str | None, typer.Option(help="Rows that the last one sums: all, or 1,2.")] = None,
    server: Annotated[
        str | None, typer.Option(help="Let a running pendigit serve read, at this address; token: PENDIGIT_TOKEN.")
    ] = None,
    output: Output = None,
    overwrite: Overwrite = False,
    fail_fast: FailFast = False,
    workers: Workers = None,
    shard: OfShards = None,
    engine: EngineName = "local",
    address: Address = None,
    watch: Watch = False,
    part_rows: PartRows = None,
) -> None:
    """Read the numbers on photos and scans. Exit code 3 if a picture could not be read."""
    from pendigit.batches.settings import Settings
    from pendigit.reading.options import ReadOptions

    options = ReadOptions.parse(
        {
            "region": region, "keep": keep, "drawn": drawn, "max_error": max_error, "digits": digits, "rows": rows,
            "pattern": pattern, "check": check, "between": between, "sum_of": sum_of,
        }
    )  # fmt: skip
    table = TableOptions(output, overwrite, fail_fast, workers, shard, engine, address, watch, part_rows)
    if table != TableOptions():
        if as_json or overlay is not None or server is not None:
            raise UsageError("--json, --overlay or --server with a table", "one of them", "run it twice")
        read_into_table(sources, table, Settings.of(model, options))
        return
    read_file = reading_here(model, options) if server is None else reading_there(server, model, options)
    read_and_show(sources, read_file, options, as_json, overlay)


def read_and_show(
    sources: list[str], read_file: FileReader, options: ReadOptions, as_json: bool, overlay: Path | None
) -> None:
    """Read file after file, print what each says, and at the end which could not be read."""
    from pendigit.batches.inputs import find_inputs

    answers: list[dict[str, Any]] = []
    failures: list[tuple[str, PendigitError]] = []
    kept = count = 0
    paths = [each.path for each in sorted(find_inputs(sources))]
    overlays = Overlays.of(overlay, paths)
    for path in paths:
        try:
            readings = read_file(path)
        except (ImageError, MissingExtraError) as error:
            failures.append((path, error))
            answers.append({"source": path, "error": str(error)})
            continue
        for number, reading in enumerate(readings, 1):
            name = path if len(readings) == 1 else f"{path}, page {number}"
            answers.append({"source": path, "page": number} | reading.to_dict())
            kept, count = kept + reading.kept, count + reading.count
            if overlays is not None:
                overlays.save(path, number, len(readings) > 1, reading)
            if not as_json:
                show(name, reading, several=len(paths) > 1 or len(readings) > 1)
    if as_json:
        say(json.dumps(answers))
    elif options.max_error is not None:
        say(describe_kept(kept, count, options.max_error))
    for path, failure in failures:
        say_error(str(failure) if path in str(failure) else f"{path}: {failure}")
    if failures:
        raise typer.Exit(ImageError.exit_code)


def reading_here(model: str | None, options: ReadOptions) -> FileReader:
    """What reads a file's pages in this process."""
    import pendigit
    from pendigit.reading.photo import open_pages

    reader = pendigit.load_reader(model)
    if options.max_error is not None:
        reader.limit(options.max_error)  # one that cannot be kept is refused before anything is read
    return lambda path: [reader.read(page, options) for page in open_pages(path)]


def reading_there(server: str, model: str | None, options: ReadOptions) -> FileReader:
    """What lets a server read them."""
    from pendigit.reading.remote import RemoteReader

    remote = RemoteReader(server, os.environ.get("PENDIGIT_TOKEN"), model)
    return lambda path: remote.read_file(path, options)


def show(path: str, reading: Reading, several: bool) -> None:
    """Print a reading, a line for each row, groups apart; its file's name first where there are several."""
    if several:
        say(f"{path}:")
    if not reading.rows:
        say("no digits found; pendigit doctor shows why")
    for row in reading.rows:
        notes = _notes(row)
        say(("  ".join(row.groups) or "no number obeys") + (f"  ({'; '.join(notes)})" if notes else ""))


def _notes(row: Row) -> list[str]:
    """What rules changed, and what is doubtful: the rejected digits, or without a limit, the unsure ones."""
    notes = []
    if row.ruled is not None and row.ruled.unruled != "".join(str(digit.digit) for digit in row.digits):
        notes.append(f"without rules: {row.ruled.unruled or 'nothing'}")
    rejected = [digit.doubt for digit in row.digits if digit.doubt is not None]
    unsure = [f"{digit.digit} {digit.probability:.0%}" for digit in row.digits if digit.probability < UNSURE]
    if rejected:
        notes.append("?: " + ", ".join(rejected))
    elif unsure:
        notes.append("unsure: " + ", ".join(unsure))
    return notes
