"""`pendigit read`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pendigit.commands.terminal import say, say_error
from pendigit.errors import ImageError, MissingExtraError, PendigitError, UsageError
from pendigit.models import DEFAULT

if TYPE_CHECKING:
    from pendigit.reading.stages import Region
    from pendigit.results import Reading

    FileReader = Callable[[str, Region | None, str, bool], list[Reading]]

UNSURE = 0.9  # probability: a row with a less sure digit is marked


def read(
    sources: Annotated[list[str], typer.Argument(help="Photos and scans, or folders of them.")],
    model: Annotated[str | None, typer.Option(help="A model: name, file or run folder.", show_default=DEFAULT)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    overlay: Annotated[Path | None, typer.Option(help="Draw what was read onto the photos, into this folder.")] = None,
    region: Annotated[str | None, typer.Option(help="Read a part: x,y,width,height in pixels.")] = None,
    keep: Annotated[str, typer.Option(help="Separators to report too, any of .,-", show_default=False)] = "",
    drawn: Annotated[bool, typer.Option("--drawn", help="They were drawn on a screen, not photographed.")] = False,
    server: Annotated[
        str | None, typer.Option(help="Let a running pendigit serve read, at this address; token: PENDIGIT_TOKEN.")
    ] = None,
) -> None:
    """Read the numbers on photos and scans. Exit code 3 if a picture could not be read."""
    part = parse_region(region)
    read_file = reading_here(model) if server is None else reading_there(server, model)
    answers: list[dict[str, Any]] = []
    failures: list[tuple[str, PendigitError]] = []
    paths = find_pictures(sources)
    for path in paths:
        try:
            readings = read_file(path, part, keep, drawn)
        except (ImageError, MissingExtraError) as error:
            failures.append((path, error))
            answers.append({"source": path, "error": str(error)})
            continue
        for number, reading in enumerate(readings, 1):
            name = path if len(readings) == 1 else f"{path}, page {number}"
            answers.append({"source": path, "page": number} | reading.to_dict())
            if overlay is not None:
                save_overlay(overlay, path, number, len(readings) > 1, reading)
            if not as_json:
                show(name, reading, several=len(paths) > 1 or len(readings) > 1)
    if as_json:
        say(json.dumps(answers))
    for path, failure in failures:
        say_error(str(failure) if path in str(failure) else f"{path}: {failure}")
    if failures:
        raise typer.Exit(ImageError.exit_code)


def reading_here(model: str | None) -> FileReader:
    """What reads a file's pages in this process."""
    import pendigit
    from pendigit.reading.images import load_pages

    reader = pendigit.load_reader(model)
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


def show(path: str, reading: Reading, several: bool) -> None:
    """Print a reading, a line for each row, groups apart; its file's name first where there are several."""
    if several:
        say(f"{path}:")
    if not reading.rows:
        say("no digits found; pendigit doctor shows why")
    for row in reading.rows:
        unsure = [digit for digit in row.digits if digit.probability < UNSURE]
        note = "  (unsure: " + ", ".join(f"{digit.digit} {digit.probability:.0%}" for digit in unsure) + ")"
        say("  ".join(row.groups) + (note if unsure else ""))


ENDINGS = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".heic", ".heif", ".avif", ".pdf")
