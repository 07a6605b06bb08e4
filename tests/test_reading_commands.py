"""`pendigit read` and `pendigit doctor`: what they print, draw and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from pendigit.commands import run
from written_pages import ROWS, page


def photo(folder: Path, name: str, seed: int = 3) -> Path:
    path = folder / name
    cv2.imwrite(str(path), cv2.cvtColor(page(seed).picture, cv2.COLOR_RGB2BGR))
    return path


def test_read_prints_a_line_a_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["read", str(photo(tmp_path, "page.png")), "--overlay", str(tmp_path / "drawn")]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.split("  (unsure")[0].replace(" ", "") for line in printed] == list(ROWS)
    assert cv2.imread(str(tmp_path / "drawn" / "page.png.png")).shape == page(3).picture.shape


def test_drawn_pictures_of_one_name_stay_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sizes = {}
    for place, side in (("in/a", 60), ("in/b", 70), ("other", 80)):
        Path(place).mkdir(parents=True)
        cv2.imwrite(f"{place}/1.png", np.full((side, side), 255, np.uint8))
        sizes[place] = (side, side, 3)
    assert run(["read", "in", "other/../other/1.png", "--overlay", "drawn"]) == 0
    assert {place: cv2.imread(f"drawn/{place}/1.png.png").shape for place in sizes} == sizes
    assert run(["read", "in/a/../a/1.png", "--overlay", "alone"]) == 0
    assert [path.name for path in Path("alone").iterdir()] == ["1.png.png"]


def test_read_goes_on_after_a_broken_file_and_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo(tmp_path, "b.png")
    (tmp_path / "a.png").write_text("no picture")
    (tmp_path / "c.jpg").write_bytes(photo(tmp_path, "b.png").read_bytes()[:200])
    assert run(["read", str(tmp_path), "--json"]) == 3
    shown = capsys.readouterr()
    answers = json.loads(shown.out)
    assert ["error" in answer for answer in answers] == [True, False, True]
    assert answers[1]["text"].split("\n") == list(ROWS)
    assert len(shown.err.splitlines()) == 2
    assert "a.png" in shown.err


def test_doctor_draws_every_stage_and_says_what_it_saw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "stages.png"
    assert run(["doctor", str(photo(tmp_path, "page.png")), "-o", str(picture)]) == 0
    assert ROWS[0] in capsys.readouterr().out.replace(" ", "")
    assert min(cv2.imread(str(picture)).shape[:2]) > 300
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((200, 300, 3), 240, np.uint8))
    assert run(["read", str(blank)]) == 0
    assert "no digits found" in capsys.readouterr().out
    assert run(["doctor", str(blank), "-o", str(picture)]) == 0
    assert "no digit" in capsys.readouterr().out.lower()


@pytest.mark.parametrize(
    ("words", "code", "seen"),
    [
        (["--region", "1,2,3"], 2, "--region 1,2,3"),
        (["--region", "5000,0,10,10"], 3, "the region 5000,0,10,10"),
        (["--keep", "x"], 2, "separators 'x'"),
        (["--model", "nobody"], 2, "unknown model 'nobody'"),
        (["--engine", "ray"], 2, "without a table; expected -o FILE"),
        (["--fail-fast"], 2, "without a table; expected -o FILE"),
        (["-o", "x.csv", "--address", "127.0.0.1:9"], 2, "--address with --engine local"),
    ],
)
def test_bad_questions_get_one_line(
    words: list[str], code: int, seen: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["read", str(photo(tmp_path, "page.png")), *words]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert seen in line
