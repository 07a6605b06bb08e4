"""`pendigit form`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pendigit.commands.overlays import Overlays
from pendigit.commands.terminal import say, say_error
from pendigit.errors import ImageError, MissingExtraError
from pendigit.models import DEFAULT

if TYPE_CHECKING:
    from pendigit.reading.reader import Reader
    from pendigit.reading.template import Template
    from pendigit.results import Form, Row


@dataclass(frozen=True)
class Scan:
    """One scan, and the form on it or why there is none."""

    source: str
    page: int
    form: Form | None
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        said = {"error": self.error} if self.form is None else self.form.to_dict()
        return {"source": self.source, "page": self.page} | said


def form(
    template: Annotated[Path, typer.Argument(help="The form's template, a YAML file.")],
    sources: Annotated[list[str], typer.Argument(help="Scans of the form filled, or folders of them.")],
    model: Annotated[str | None, typer.Option(help="A model: name, file or run folder.", show_default=DEFAULT)] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write a CSV file, a row for each form.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    overlay: Annotated[Path | None, typer.Option(help="Draw what was read onto the scans, into this folder.")] = None,
) -> None:
    """Read the numbers of filled forms, a row for each. Exit code 3 if a scan could not be read or is another form."""
    import pendigit
    from pendigit.batches.inputs import find_inputs
    from pendigit.reading.template import load_template

    known = load_template(template)
    reader = pendigit.load_reader(model)
    paths = [each.path for each in sorted(find_inputs(sources))]
    overlays = Overlays.of(overlay, paths)
    scans = [scan for path in paths for scan in read_scans(path, known, reader, overlays)]
    names = [field.name for field in known.fields]
    if output is not None:
        publish_table(output, names, scans)
    if as_json:
        say(json.dumps([scan.to_dict() for scan in scans]))
    else:
        show(names, scans)
    failures = [scan for scan in scans if scan.form is None]
    for scan in failures:
        say_error(scan.error if scan.source in scan.error else f"{scan.source}: {scan.error}")
    if failures:
        raise typer.Exit(ImageError.exit_code)


def read_scans(path: str, template: Template, reader: Reader, overlays: Overlays | None) -> Iterator[Scan]:
    """Each page of a file, and the form on it or why there is none."""
    from pendigit.reading.images import load_pages
    from pendigit.results import Reading

    try:
        pages = load_pages(path)
    except (ImageError, MissingExtraError) as error:
        yield Scan(path, 1, None, str(error))
        return
    for number, page in enumerate(pages, 1):
        try:
            found = reader.read_form(page, template)
        except ImageError as error:
            yield Scan(path, number, None, str(error))
            continue
        if overlays is not None:
            overlays.save(path, number, len(pages) > 1, Reading(tuple(found.fields.values())))
        yield Scan(path, number, found)


def note(scan: Scan) -> str:
    """What rules changed on a form, or could not be obeyed; why there is none."""
    if scan.form is None:
        return scan.error
    return "; ".join(f"{name}: {said}" for name, row in scan.form.fields.items() if (said := _said(row)))


def _said(row: Row) -> str:
    if row.ruled is None or row.ruled.unruled in ("", "".join(str(digit.digit) for digit in row.digits)):
        return ""
    return f"{row.ruled.unruled} without rules" if row.ruled.obeys else f"no number obeys, {row.ruled.unruled} read"


def cells(names: list[str], scan: Scan) -> list[str]:
    """The numbers of one form in the order of the names; "" where there is none."""
    return ["" if scan.form is None else scan.form.fields[name].text for name in names]


def publish_table(path: Path, names: list[str], scans: list[Scan]) -> None:
    """Write a CSV file, a row for each scan. Raises OutputError."""
    from pendigit.files import publish_text

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["source", "page", *names, "note"])
    writer.writerows([scan.source, scan.page, *cells(names, scan), note(scan)] for scan in scans)
    publish_text(path, text.getvalue())


def show(names: list[str], scans: list[Scan]) -> None:
    """Print a table, a row for each form that was read."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("form", overflow="fold")
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("note", style="dim", overflow="fold")
    for scan in scans:
        if scan.form is not None:
            several = sum(other.source == scan.source for other in scans) > 1
            name = f"{scan.source}, page {scan.page}" if several else scan.source
            table.add_row(name, *cells(names, scan), note(scan))
    if table.row_count:
        Console(highlight=False, markup=False).print(table)
