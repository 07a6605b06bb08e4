"""`pendigit read` into a table, and `pendigit merge`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from pendigit.commands.terminal import say, say_error
from pendigit.errors import ImageError, UsageError

if TYPE_CHECKING:
    from pendigit.batches.run import Engine, Summary
    from pendigit.batches.settings import Settings

_TABLE = "Write a table (.parquet, .csv, .jsonl, .xlsx), a row each; a run that was stopped goes on."
Output: TypeAlias = Annotated[Path | None, typer.Option("-o", "--output", help=_TABLE)]
Overwrite: TypeAlias = Annotated[bool, typer.Option("--overwrite", help="Write the table anew, whatever it holds.")]
FailFast: TypeAlias = Annotated[bool, typer.Option("--fail-fast", help="Stop at the first picture not read.")]
Workers: TypeAlias = Annotated[int | None, typer.Option(min=1, help="Processes.", show_default="one for each core")]
OfShards: TypeAlias = Annotated[str | None, typer.Option("--shard", help="This machine's part, such as 2/8.")]
EngineName: TypeAlias = Annotated[str, typer.Option(help="Who reads into the table: local or ray.")]
Address: TypeAlias = Annotated[str | None, typer.Option(help="A Ray cluster, host:port.", show_default="this machine")]
PartRows: TypeAlias = Annotated[
    int | None, typer.Option(min=1, help="Write a folder of Parquet files of so many rows each.", show_default=False)
]
Watch: TypeAlias = Annotated[bool, typer.Option("--watch", help="Go on with what comes into the folders, to Ctrl-C.")]


@dataclass(frozen=True)
class TableOptions:
    """What `pendigit read` is told about a table."""

    output: Path | None = None
    overwrite: bool = False
    fail_fast: bool = False
    workers: int | None = None
    shard: str | None = None
    engine: str = "local"
    address: str | None = None
    watch: bool = False
    part_rows: int | None = None


def read_into_table(sources: list[str], options: TableOptions, settings: Settings) -> None:
    """Read into a table, with a live bar. Exit code 3 if a picture could not be read."""
    from pendigit.batches.inputs import Shard
    from pendigit.batches.run import read_many
    from pendigit.batches.table import check_format
    from pendigit.commands.progress import TableProgress

    output = options.output
    if output is None:
        seen = "an option that is a table's, such as --watch or --engine, without a table"
        raise UsageError(seen, "-o FILE", "name the table to write")
    check_format(output, options.part_rows)
    shard = Shard.parse(options.shard) if options.shard else None
    engine = _engine(options)
    if options.watch:
        _watch(sources, output, settings, engine, options)
        return
    with TableProgress() as progress:
        summary = read_many(
            sources, output, settings, engine, progress,
            shard=shard, overwrite=options.overwrite, fail_fast=options.fail_fast,
            part_rows=options.part_rows,
        )  # fmt: skip
    say(describe(output, summary))
    if summary.failed:
        say_error(f"{summary.failed:,} of {summary.images:,} could not be read; the first: {summary.first_error}")
        raise typer.Exit(ImageError.exit_code)


def merge(
    tables: Annotated[list[Path], typer.Argument(help="Tables that pendigit read wrote, such as those of shards.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The table to write.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace it if it exists.")] = False,
) -> None:
    """Make one table of several, in the order of the paths; a picture that several hold is there once."""
    from pendigit.batches.run import merge as merge_tables
    from pendigit.commands.progress import TableProgress

    with TableProgress() as progress:
        summary = merge_tables(tables, output, progress, overwrite)
    say(describe(output, summary))


def describe(output: Path, summary: Summary) -> str:
    """A table in one line."""
    doubtful = summary.images - summary.accepted - summary.failed
    images = "1 image" if summary.images == 1 else f"{summary.images:,} images"
    return (
        f"{output}: {images} ({summary.read:,} read now), {summary.accepted:,} accepted, "
        f"{doubtful:,} doubtful, {summary.failed:,} not read"
    )


def _watch(sources: list[str], output: Path, settings: Settings, engine: Engine, options: TableOptions) -> None:
    from pendigit.batches.watch import watch_folders
    from pendigit.commands.progress import TableProgress

    if options.shard or options.fail_fast or options.part_rows:
        raise UsageError("--watch with --shard, --fail-fast or --part-rows", "one of them", "leave the other out")

    def published(summary: Summary) -> None:
        say(describe(output, summary))

    def begun() -> None:
        say(f"watching {', '.join(sources)}; Ctrl-C ends it")

    progress, overwrite = TableProgress(), options.overwrite
    watch_folders(sources, output, settings, engine, progress, published, overwrite=overwrite, begun=begun)


def _engine(options: TableOptions) -> Engine:
    if options.address is not None and options.engine != "ray":
        raise UsageError(f"--address with --engine {options.engine}", "--engine ray", "add it, or leave --address out")
    if options.engine == "local":
        from pendigit.batches.settings import cores
        from pendigit.batches.workers import read_locally

        return partial(read_locally, workers=options.workers or cores())
    if options.engine == "ray":
        from pendigit.batches.cluster import read_on_ray

        return partial(read_on_ray, address=options.address, workers=options.workers)
    raise UsageError(f"--engine {options.engine}", "local or ray", "choose one")
