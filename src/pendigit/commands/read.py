"""`pendigit read`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pendigit.commands.terminal import say, say_error
from pendigit.errors import ImageError, MissingExtraError, PendigitError, UsageError
from pendigit.models import DEFAULT

if TYPE_CHECKING:
    from pendigit.reading.images import Pixels
    from pendigit.reading.stages import Region
    from pendigit.results import Reading

UNSURE = 0.9  # probability: a row with a less sure digit is marked


def read(
    sources: Annotated[list[str], typer.Argument(help="Photos and scans, or folders of them.")],
    model: Annotated[str | None, typer.Option(help="A model: name, file or run folder.", show_default=DEFAULT)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    overlay: Annotated[Path | None, typer.Option(help="Draw what was read onto the photos, into this folder.")] = None,
    region: Annotated[str | None, typer.Option(help="Read a part: x,y,width,height in pixels.")] = None,
    keep: Annotated[str, typer.Option(help="Separators to report too, any of .,-", show_default=False)] = "",
    drawn: Annotated[bool, typer.Option("--drawn", help="They were drawn on a screen, not photographed.")] = False,
    digits: Annotated[str | None, typer.Option(help="Digits of each number: 5, or 3-6.")] = None,
    rows: Annotated[int | None, typer.Option(help="How many rows there are.")] = None,
    pattern: Annotated[str | None, typer.Option(help="The numbers' form, such as ####-##.")] = None,
    check: Annotated[str | None, typer.Option(help="A check digit: luhn, isbn, iban, nl.bsn, ...")] = None,
    between: Annotated[str | None, typer.Option(help="The least and greatest number: 0:100.")] = None,
    sum_of: Annotated[str | None, typer.Option(help="Rows that the last one sums: all, or 1,2.")] = None,
) -> None:
    """Read the numbers on photos and scans. Exit code 3 if a picture could not be read."""
    import pendigit
    from pendigit.reading.images import load_pages
    from pendigit.reading.rules import Rules

    part = parse_region(region)
    rules = Rules.of(digits, pattern, check, between)
    asked = asdict(rules) | {"rows": rows, "sum_of": parse_rows(sum_of)}
    reader = pendigit.load_reader(model)
    answers: list[dict[str, Any]] = []
    failures: list[tuple[str, PendigitError]] = []
    paths = find_pictures(sources)
    for path in paths:
        try:
            pages = load_pages(path)
            readings = [reader.read(page, part, keep, drawn, **asked) for page in pages]
        except (ImageError, MissingExtraError) as error:
            failures.append((path, error))
            answers.append({"source": path, "error": str(error)})
            continue
        for number, (page, reading) in enumerate(zip(pages, readings, strict=True), 1):
            name = path if len(pages) == 1 else f"{path}, page {number}"
            answers.append({"source": path, "page": number} | reading.to_dict())
            if overlay is not None:
                save_overlay(overlay, path, number if len(pages) > 1 else None, page, reading)
            if not as_json:
                show(name, reading, several=len(paths) > 1 or len(pages) > 1)
    if as_json:
        say(json.dumps(answers))
    for path, failure in failures:
        say_error(str(failure) if path in str(failure) else f"{path}: {failure}")
    if failures:
        raise typer.Exit(ImageError.exit_code)


def save_overlay(folder: Path, path: str, number: int | None, page: Pixels, reading: Reading) -> None:
    """Publish a page with its reading drawn on it, named after its file and page. Raises OutputError."""
    from pendigit.reading.overlay import draw_overlay, publish_picture

    name = Path(path).name + ("" if number is None else f"-{number}")
    publish_picture(folder / f"{name}.png", draw_overlay(page, reading))


def find_pictures(sources: list[str]) -> list[str]:
    """The pictures of files and folders, a folder's in the order of their names. Raises ImageError for none."""
    found: list[str] = []
    for source in sources:
        folder = Path(source).expanduser()
        if not folder.is_dir():
            found.append(source)
            continue
        inside = [str(path) for path in sorted(folder.iterdir()) if path.suffix.lower() in ENDINGS]
        if not inside:
            raise ImageError(
                f"no pictures in {source}", f"files such as {', '.join(ENDINGS[:4])}", "name another folder"
            )
        found.extend(inside)
    return found


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


def parse_rows(text: str | None) -> tuple[int, ...] | None:
    """Row numbers as on the command line; "all" is (). Raises UsageError."""
    if text is None or text == "all":
        return None if text is None else ()
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError as error:
        raise UsageError(f"--sum-of {text}", "all, or row numbers such as 1,2", "count rows from 1") from error


def show(path: str, reading: Reading, several: bool) -> None:
    """Print a reading, a line for each row, groups apart; its file's name first where there are several."""
    if several:
        say(f"{path}:")
    if not reading.rows:
        say("no digits found; pendigit doctor shows why")
    for row in reading.rows:
        unsure = [digit for digit in row.digits if digit.probability < UNSURE]
        notes = ["unsure: " + ", ".join(f"{digit.digit} {digit.probability:.0%}" for digit in unsure)] if unsure else []
        if row.ruled is not None and row.ruled.unruled != "".join(str(digit.digit) for digit in row.digits):
            notes.insert(0, f"without rules: {row.ruled.unruled or 'nothing'}")
        text = "  ".join(row.groups) or "no number obeys"
        say(text + ("  (" + "; ".join(notes) + ")" if notes else ""))


ENDINGS = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".heic", ".heif", ".avif", ".pdf")
