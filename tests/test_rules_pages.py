"""Pages read by rules: what is mended, what is left out, and what the command shows."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from pendigit.commands import run
from pendigit.errors import ImageError, UsageError
from pendigit.reading.checks import find_check
from pendigit.reading.reader import Reader
from written_pages import Pixels, page, reader


def written(*rows: str) -> Pixels:
    return page(3, rows=rows).picture


def test_a_page_read_by_rules_says_both() -> None:
    picture = written("4992739871", "271828")
    free = reader().read(picture)
    assert free.rows[1].text == "271828"
    assert all(row.ruled is None for row in free.rows)
    ruled = reader().read(picture, digits=(6, 10)).rows
    assert [row.text for row in ruled] == [row.text for row in free.rows]
    assert all(row.ruled and row.ruled.obeys and row.ruled.fit == 1 for row in ruled)
    six = reader().read(picture, rows=2, digits=6, pattern="###-###").rows
    assert six[1].text == "-".join((free.rows[1].text[:3], free.rows[1].text[3:]))
    assert six[1].ruled is not None
    assert six[1].ruled.unruled == free.rows[1].text


def test_a_rule_mends_and_a_rule_that_nothing_obeys_reads_nothing() -> None:
    picture = written("4992739871")
    free = reader().read(picture, rows=1).rows[0]
    wrong = str((int(free.text[-1]) + 1) % 10)  # the ink is clear, the rule says otherwise
    mended = reader().read(picture, pattern="#" * 9 + wrong).rows[0]
    assert mended.text == free.text[:9] + wrong
    assert mended.ruled is not None
    assert mended.ruled.unruled == free.text
    assert mended.ruled.fit < 0.5
    assert mended.digits[9].digit == int(wrong)
    assert mended.digits[9].probability == mended.digits[9].probabilities[int(wrong)]
    none = reader().read(picture, digits=35).rows[0]
    assert (none.text, none.digits) == ("", ())
    assert none.to_dict()["ruled"] == {"unruled": free.text, "obeys": False, "fit": 0.0, "share": 0.0, "others": []}


def test_a_network_of_single_digits_obeys_too() -> None:
    single = Reader(reader().classifier)
    picture = written("31415926")
    free = single.read(picture).rows[0]
    assert single.read(picture, digits=len(free.text)).rows[0].text == free.text
    assert len(single.read(picture, digits=7, rows=1).rows[0].digits) == 7
    for check in ("luhn", "damm"):
        assert find_check(check)(single.read(picture, check=check).rows[0].text)


def test_rows_that_add_up() -> None:
    rows = reader().read(written("1204", "377", "1581"), rows=3, sum_of=()).rows
    assert int(rows[0].text) + int(rows[1].text) == int(rows[2].text)
    with pytest.raises(ImageError, match="3 rows of digits found; expected 5"):
        reader().read(written("1204", "377", "1581"), rows=5)
    with pytest.raises(UsageError, match="sum over 3 rows"):
        reader().read(written("1204", "377", "1581"), sum_of=(1, 4))


def test_the_command_shows_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = written("4992739871")
    free = reader().read(picture).rows[0].text
    path = str(tmp_path / "page.png")
    cv2.imwrite(path, picture[:, :, ::-1])
    wrong = str((int(free[-1]) + 1) % 10)
    assert run(["read", path, "--pattern", "#####-####" + wrong, "--rows", "1"]) == 0
    said = capsys.readouterr().out
    assert f"{free[:5]}-{free[5:9]}{wrong}" in said
    assert f"without rules: {free}" in said
    assert run(["read", path, "--digits", "30-40"]) == 0
    assert "no number obeys" in capsys.readouterr().out
    for bad in (["--between", "9:1"], ["--digits", "x"], ["--check", "luhm"], ["--sum-of", "one"], ["--rows", "0"]):
        assert run(["read", path, *bad]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert run(["read", path, "--rows", "4"]) == 3
    assert "expected 4" in capsys.readouterr().err
