"""The table in its formats: written as a stream, and read back."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from pendigit.batches.record import ReadDigit, Record
from pendigit.errors import OutputError, PendigitError, UsageError
from pendigit.extras import load, require
from pendigit.files import publish, publish_folder

COLUMNS = tuple(field.name for field in fields(Record))
PARQUET = ".parquet"
PART = "part-{:0>5}.parquet"  # of a table in parts: the same records are in the part of the same name each time
BETWEEN = " | "  # rows in one cell
AFTER = "; "  # digits in one cell
ROW_GROUP = 2_000  # records: those of full pages take some 20 MB on their way into Parquet
SHEET_ROWS = 1_048_575  # Excel's limit, its header apart
NOT_XML = re.compile("[\\0-\\x08\\x0b\\x0c\\x0e-\\x1f\\ufffe\\uffff]")  # what no Excel file can hold
CELL = 32_767  # characters: Excel's limit


class Format(NamedTuple):
    """How a table becomes a file, and a file a table."""

    write: Callable[[Path, Iterable[Record]], None]
    read: Callable[[Path], Iterator[Record]]
    modules: tuple[str, ...] = ()  # of the extra [table]


def check_format(path: Path, part_rows: int | None = None) -> Format:
    """The format of a table's file, by its ending. Raises UsageError, MissingExtraError."""
    known = FORMATS if part_rows is None else {PARQUET: FORMATS[PARQUET]}
    found = known.get(path.suffix.lower())
    if found is None:
        raise UsageError(
            f"the output {path}, of an unknown format" if part_rows is None else f"the output {path} in parts",
            f"a name that ends in {', '.join(known)}",
            "choose one of these" if part_rows is None else "name it so, or leave --part-rows out",
        )
    require("table", *found.modules)
    return found


def write_table(path: Path, records: Iterable[Record], part_rows: int | None = None) -> None:
    """Publish a table, whole or not at all; with `part_rows` as a folder of Parquet files of so many records each.

    Raises OutputError, UsageError for what its format cannot hold.
    """
    write = check_format(path, part_rows).write
    if part_rows is None:
        with publish(path) as draft:
            write(draft, records)
        return
    with publish_folder(path) as folder:
        for number, part in enumerate(_parts(records, part_rows)):
            with publish(folder / PART.format(number)) as draft:
                write(draft, part)


def _parts(records: Iterable[Record], most: int) -> Iterator[Iterable[Record]]:
    """Records by so many at a time, each part to be used up before the next; no records are one part."""
    each = iter(records)
    yield islice(each, most)
    for first in each:
        yield chain([first], islice(each, most - 1))


def read_table(path: Path) -> Iterator[Record]:
    """The records of a table that `write_table` wrote. Raises OutputError for any other file."""
    read = check_format(path).read
    try:
        for part in sorted(path.glob(PART.format("*"))) if path.is_dir() else [path]:
            yield from read(part)
    except PendigitError:
        raise
    except Exception as error:  # each format's library has errors of its own for a file that is damaged
        raise OutputError(
            f"{path} is no table of pendigit's ({type(error).__name__}: {error})",
            f"a file with the columns {', '.join(COLUMNS)}",
            "name another one, or write it anew with --overwrite",
        ) from error


def check_place(path: Path, part_rows: int | None) -> None:
    """Raises OutputError where something else than such a table is: a folder of other files, a file for a folder."""
    if path.is_dir() and not all(each.match(PART.format("*")) for each in path.iterdir()):
        raise OutputError(f"the output {path} is a folder of other files", "a new name", "name another output")
    if path.exists() and path.is_dir() != (part_rows is not None):
        seen, do = ("a folder of parts", "give") if path.is_dir() else ("one file", "leave out")
        raise OutputError(f"the output {path} is {seen}", "the same form as before", f"{do} --part-rows")


def _write_lines(path: Path, records: Iterable[Record]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(_nested(record), ensure_ascii=False) + "\n" for record in records)


def _read_lines(path: Path) -> Iterator[Record]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield _from_nested(json.loads(line))


def _write_csv(path: Path, records: Iterable[Record]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_flat(record) for record in records)


def _read_csv(path: Path) -> Iterator[Record]:
    csv.field_size_limit(1 << 30)  # the digits of a full page are more than the usual 131,072 characters
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        yield from _from_flat(next(rows, []), rows)


def _write_excel(path: Path, records: Iterable[Record]) -> None:
    workbook = load("table", "openpyxl").Workbook(write_only=True)
    sheet = workbook.create_sheet("images")
    sheet.freeze_panes = "B2"
    sheet.append(COLUMNS)
    for count, record in enumerate(records):
        if count == SHEET_ROWS:
            raise UsageError(f"more than {SHEET_ROWS:,} images for an Excel sheet", "fewer", "write .parquet or .csv")
        sheet.append([_cell(sheet, value) for value in _flat(record)])
    workbook.save(path)


def _cell(sheet: Any, value: Any) -> Any:
    """A value as Excel takes it: a text stays one, whatever it begins with, and control characters are written out."""
    if not isinstance(value, str):
        return value
    from openpyxl.cell import WriteOnlyCell

    text = NOT_XML.sub(lambda found: found.group().encode("unicode_escape").decode(), value)
    cell = WriteOnlyCell(sheet, text[:CELL])
    cell.data_type = "s"
    return cell


def _read_excel(path: Path) -> Iterator[Record]:
    workbook = load("table", "openpyxl").load_workbook(path, read_only=True)
    try:
        rows = workbook.worksheets[0].iter_rows(values_only=True)
        header = next(rows, ())
        yield from _from_flat(list(header), rows)
    finally:
        workbook.close()


def _write_parquet(path: Path, records: Iterable[Record]) -> None:
    pyarrow = load("table", "pyarrow")
    parquet = load("table", "pyarrow.parquet")
    with parquet.ParquetWriter(path, _schema(pyarrow)) as writer:
        each = iter(records)
        while group := [_nested(record) for record in islice(each, ROW_GROUP)]:
            writer.write_table(pyarrow.Table.from_pylist(group, schema=writer.schema))


def _read_parquet(path: Path) -> Iterator[Record]:
    with load("table", "pyarrow.parquet").ParquetFile(path) as file:
        for batch in file.iter_batches(ROW_GROUP):
            yield from map(_from_nested, batch.to_pylist())


def _schema(pyarrow: Any) -> Any:
    numbers = dict.fromkeys(ReadDigit._fields, pyarrow.int32()) | {
        "probability": pyarrow.float64(),
        "accepted": pyarrow.bool_(),
    }
    types = {
        "path": pyarrow.string(),
        "rows": pyarrow.list_(pyarrow.string()),
        "lowest_probability": pyarrow.float64(),
        "accepted": pyarrow.bool_(),
        "error": pyarrow.string(),
        "milliseconds": pyarrow.float64(),
        "digits": pyarrow.list_(pyarrow.struct(numbers)),
        "digest": pyarrow.string(),
        "model": pyarrow.string(),
    }
    return pyarrow.schema([(name, types[name]) for name in COLUMNS])


def _nested(record: Record) -> dict[str, Any]:
    """A record with its digits by name."""
    return record.to_dict() | {"digits": [digit._asdict() for digit in record.digits]}


def _from_nested(values: dict[str, Any]) -> Record:
    digits = [ReadDigit(**digit) for digit in values["digits"] or ()]
    return Record.from_dict({name: values[name] for name in COLUMNS} | {"digits": digits})


def _flat(record: Record) -> list[Any]:
    """A record with one value in each column: rows joined, digits as numbers with spaces between."""
    values = record.to_dict()
    values["rows"] = BETWEEN.join(record.rows)
    values["digits"] = AFTER.join(" ".join(f"{number:g}" for number in digit) for digit in record.digits)
    return [values[name] for name in COLUMNS]


def _from_flat(header: list[Any], rows: Iterable[Iterable[Any]]) -> Iterator[Record]:
    missing = set(COLUMNS) - set(header)
    if missing:
        raise ValueError(f"no column {', '.join(sorted(missing))}")
    for row in rows:
        text = dict(zip(header, ("" if value is None else str(value) for value in row), strict=False))
        yield Record(
            path=text["path"],
            rows=tuple(text["rows"].split(BETWEEN)) if text["rows"] else (),
            lowest_probability=float(text["lowest_probability"]) if text["lowest_probability"] else None,
            accepted=text["accepted"].lower() == "true",
            error=text["error"] or None,
            milliseconds=float(text["milliseconds"]),
            digits=tuple(_digits(text["digits"])),
            digest=text["digest"] or None,
            model=text["model"],
        )


def _digits(cell: str) -> Iterator[ReadDigit]:
    """A cell's digits; one that Excel's limit cut through is left out."""
    for part in cell.split(AFTER) if cell else ():
        numbers = part.split()
        if len(numbers) == len(ReadDigit._fields):
            left, top, right, bottom, row, page, accepted = map(int, numbers[2:])
            box = left, top, right, bottom
            yield ReadDigit(int(numbers[0]), float(numbers[1]), *box, row, page, bool(accepted))


FORMATS = {
    PARQUET: Format(_write_parquet, _read_parquet, ("pyarrow",)),
    ".csv": Format(_write_csv, _read_csv),
    ".jsonl": Format(_write_lines, _read_lines),
    ".xlsx": Format(_write_excel, _read_excel, ("openpyxl",)),
}
