"""Tables in each of their formats: written, read back, and told from other files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pendigit.batches.record import ReadDigit, Record
from pendigit.batches.table import FORMATS, read_table, write_table
from pendigit.errors import OutputError

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
@settings(max_examples=15)
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
