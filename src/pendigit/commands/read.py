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
    TableOptions,
    Watch,
    Workers,
    read_into_table,
)
from pendigit.commands.limits import MaxError, describe_kept
from pendigit.commands.terminal import say, say_error
from pendigit.doubt import parse_limit
from pendigit.errors import ImageError, MissingExtraError, PendigitError, UsageError
from pendigit.models import DEFAULT

if TYPE_CHECKING:
    from pendigit.reading.stages import Region
    from pendigit.results import Reading, Row

    FileReader = Callable[[str, Region | None, str, bool, float | None], list[Reading]]

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
) -> None:
    """Read the numbers on photos and scans. Exit code 3 if a picture could not be read."""
    from pendigit.batches.inputs import find_inputs
    from pendigit.batches.settings import Settings

    part = parse_region(region)
    limit = None if max_error is None else parse_limit(max_error)
    if output is not None or watch or shard is not None:
        if as_json or overlay is not None or server is not None:
            raise UsageError("--json, --overlay or --server with a table", "one of them", "run it twice")
        options = TableOptions(output, overwrite, fail_fast, workers, shard, engine, address, watch)
        read_into_table(sources, options, Settings.of(model, part, keep, drawn, limit))
        return
    read_file = reading_here(model, limit) if server is None else reading_there(server, model)
    kept = count = 0
    answers: list[dict[str, Any]] = []
    failures: list[tuple[str, PendigitError]] = []
    paths = [each.path for each in sorted(find_inputs(sources))]
    for path in paths:
        try:
            readings = read_file(path, part, keep, drawn, limit)
        except (ImageError, MissingExtraError) as error:
            failures.append((path, error))
            answers.append({"source": path, "error": str(error)})
            continue
        for number, reading in enumerate(readings, 1):
            name = path if len(readings) == 1 else f"{path}, page {number}"
            answers.append({"source": path, "page": number} | reading.to_dict())
            kept, count = kept + reading.kept, count + reading.count
            if overlay is not None:
                save_overlay(overlay, path, number, len(readings) > 1, reading)
            if not as_json:
                show(name, reading, several=len(paths) > 1 or len(readings) > 1)
    if limit is not None and not as_json:
        say(describe_kept(kept, count, limit))
    if as_json:
        say(json.dumps(answers))
    for path, failure in failures:
        say_error(str(failure) if path in str(failure) else f"{path}: {failure}")
    if failures:
        raise typer.Exit(ImageError.exit_code)


def reading_here(model: str | None, limit: float | None) -> FileReader:
    """What reads a file's pages in this process. A limit that cannot be kept is refused before anything is read."""
    import pendigit
    from pendigit.reading.images import load_pages

    reader = pendigit.load_reader(model)
    if limit is not None:
        reader.limit(limit)
    return lambda path, *options: [reader.read(page, *options) for page in load_pages(path)]


def reading_there(server: str, model: str | None) -> FileReader:
    """What lets a server read them."""
    from pendigit.reading.remote import RemoteReader

    return RemoteReader(server, os.environ.get("PENDIGIT_TOKEN"), model).read_file


def save_overlay(folder: Path, path: str, number: int, several: bool, reading: Reading) -> None:
    """Publish a page with its reading drawn on it, named after its file and page. Raises OutputError."""
    from pendigit.reading.images import load_page
    from pendigit.reading.overlay import draw_overlay, publish_picture

    name = Path(path).name + (f"-{number}" if several else "")
    publish_picture(folder / f"{name}.png", draw_overlay(load_page(path, number)[0], reading))


def parse_region(text: str | None) -> Region | None:
    """Four whole numbers as on the command line. Raises UsageError."""
    if text is None:
        return None
    try:
        left, top, width, height = (int(number) for number in text.split(","))
    except ValueError as error:
        raise UsageError(
            f"--region {text}", "four whole numbers x,y,width,height", "measure in pixels of the upright picture"
        ) from error
    return left, top, width, height


def show(path: str, reading: Reading, several: bool) -> None:
    """Print a reading, a line for each row, groups apart; its file's name first where there are several."""
    if several:
        say(f"{path}:")
    if not reading.rows:
        say("no digits found; pendigit doctor shows why")
    for row in reading.rows:
        say("  ".join(row.groups) + _note(row))


def _note(row: Row) -> str:
    """What is doubtful about a row: the rejected digits, or where no limit is asked for, the unsure ones."""
    rejected = [digit.doubt for digit in row.digits if digit.doubt is not None]
    if rejected:
        return f"  (?: {', '.join(rejected)})"
    unsure = [f"{digit.digit} {digit.probability:.0%}" for digit in row.digits if digit.probability < UNSURE]
    return f"  (unsure: {', '.join(unsure)})" if unsure else ""
