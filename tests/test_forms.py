"""Filled forms: found again however the scan lies, read by their rules; another form is refused."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from pendigit.commands import run
from pendigit.errors import ImageError, PendigitError
from pendigit.ink import to_grey
from pendigit.reading.align import align, find_print
from pendigit.reading.template import load_template
from pendigit.writing.conditions import Conditions
from pendigit.writing.printed import PrintedForm, fill_form, print_form
from written_pages import Pixels, reader, sure_glyphs

PLACES = {"account": 8, "net": 5, "tax": 4, "total": 5}
VALUES = {"account": "49927398716"[3:], "net": "4310", "tax": "862", "total": "5172"}
RULES = {"account": "digits: 8", "net": "between: 1:99999", "total": "sum_of: [net, tax]"}


@cache
def printed(title: str = "Payment order", boxed: bool = True) -> PrintedForm:
    return print_form(title, PLACES, boxed)


@cache
def filled(conditions: Conditions, boxed: bool = True) -> Pixels:
    return fill_form(np.random.default_rng(4), sure_glyphs(), printed(boxed=boxed), VALUES, conditions)


def template_of(folder: Path, form: PrintedForm) -> Path:
    cv2.imwrite(str(folder / "empty.png"), form.picture)
    fields = [
        f"  {name}: {{region: {list(region)}{', ' * (name in RULES)}{RULES.get(name, '')}}}"
        for name, region in form.regions.items()
    ]
    path = folder / "form.yaml"
    path.write_text("\n".join(["reference: empty.png", "fields:", *fields]))
    return path


@pytest.mark.parametrize(
    ("conditions", "boxed"),
    [
        (Conditions(), True),
        (Conditions(skew=0.8, shadow=0.5), False),
        (Conditions(perspective=0.4, grain=0.4), True),
        (Conditions(desk=0.5), False),
    ],
    ids=["as it is", "turned", "seen askew", "on a desk"],
)
def test_a_form_is_read_however_its_scan_lies(tmp_path: Path, conditions: Conditions, boxed: bool) -> None:
    scan = filled(conditions, boxed)
    form = reader().read_form(scan, template_of(tmp_path, printed(boxed=boxed)))
    assert {name: row.text for name, row in form.fields.items()} == VALUES
    assert form.present > 0.8
    box = form.fields["total"].digits[0].box
    assert cv2.countNonZero((to_grey(scan)[box[1] : box[3], box[0] : box[2]] < 120).astype(np.uint8))


@pytest.mark.parametrize(
    ("scale", "degrees", "shift", "size"),
    [(0.7, 0, 30, (900, 1200)), (1.4, 3, 260, (1400, 1700)), (1.0, -6, 0, (900, 1200))],
)
def test_where_a_form_lies(scale: float, degrees: float, shift: float, size: tuple[int, int]) -> None:
    empty = printed().picture
    matrix = cv2.getRotationMatrix2D((400, 500), degrees, scale)
    matrix[:, 2] += shift
    scan = cv2.warpAffine(empty, matrix, size, borderValue=243)
    aligned = align(find_print(empty), np.asarray(scan, np.uint8), [])
    assert aligned is not None
    points = np.array([[[100, 200], [700, 300], [400, 600]]], np.float32)
    expected = cv2.transform(points, matrix)
    assert np.abs(cv2.perspectiveTransform(points, aligned.to_scan) - expected).max() < 2


def test_another_form_is_refused(tmp_path: Path) -> None:
    template = template_of(tmp_path, printed())
    other = print_form("Delivery note", {"number": 8, "pieces": 5, "weight": 4, "date": 5}, True)
    scan = fill_form(np.random.default_rng(5), sure_glyphs(), other, {"number": "12345678"}, Conditions(skew=0.3))
    blank = np.full((1100, 850), 240, np.uint8)
    noise = np.random.default_rng(6).integers(0, 256, (600, 500), np.uint8)
    for picture in (scan, blank, noise):
        with pytest.raises(ImageError, match=r"does not match form\.yaml"):
            reader().read_form(picture, template)


def test_a_field_that_is_cut_off_is_not_guessed(tmp_path: Path) -> None:
    scan = filled(Conditions())
    with pytest.raises(ImageError, match=r"cuts off the field account|does not match"):
        reader().read_form(scan[:, : scan.shape[1] - 200], template_of(tmp_path, printed()))


def test_an_empty_field_stays_empty(tmp_path: Path) -> None:
    values = {"net": "4310", "total": "5172"}
    scan = fill_form(np.random.default_rng(7), sure_glyphs(), printed(), values, Conditions())
    form = reader().read_form(scan, template_of(tmp_path, printed()))
    assert {name: row.text for name, row in form.fields.items()} == {"account": "", "tax": "", **values}
    assert not form.fields["account"].ruled.obeys  # type: ignore[union-attr]


EMPTY = "reference: empty.png\nfields:\n"
BAD = {
    "a: [1": "YAML",
    "fields: {a: {region: [1, 2, 30, 40]}}": "reference",
    EMPTY: "at least one",
    EMPTY + "  a: {region: [0, 0, 30, 40]}\n  a: {region: [50, 0, 30, 40]}": "a twice",
    EMPTY + "  a: {region: [0, 0, 30, 40]}\n  b: {region: [20, 20, 30, 40]}": "overlap",
    EMPTY + "  a: {region: [840, 0, 30, 40]}": "inside the reference of 850x1100",
    EMPTY + "  a: {region: [1, 2, 3]}": "left, top, width, height",
    EMPTY + "  a: {region: [0, 0, 30, 40], colour: red}": "colour",
    EMPTY + "  a: {region: [0, 0, 30, 40], check: luhm}": "the field a.*luhm",
    EMPTY + "  a: {region: [0, 0, 30, 40], digits: 2, between: 1000:2000}": "no number can obey",
    EMPTY + "  a: {region: [0, 0, 30, 40], pattern: ####}": "pattern|YAML",
    EMPTY + "  a: {region: [0, 0, 30, 40], sum_of: [b]}": "sum of b",
    "reference: missing.png\nfields: {a: {region: [1, 2, 30, 40]}}": "missing.png",
}


@pytest.mark.parametrize(("text", "words"), BAD.items(), ids=range(len(BAD)))
def test_a_bad_template_says_why_in_a_line(tmp_path: Path, text: str, words: str) -> None:
    path = template_of(tmp_path, printed())
    path.write_text(text)
    with pytest.raises(PendigitError, match=words) as caught:
        load_template(path)
    assert caught.value.exit_code in {2, 3}
    assert "\n" not in str(caught.value)


def test_numbers_in_a_template_are_no_times_of_day(tmp_path: Path) -> None:
    path = template_of(tmp_path, printed())
    path.write_text(EMPTY + "  a: {region: [0, 0, 30, 40], between: 1:30}")
    assert load_template(path).fields[0].rules.between == (1, 30)


def test_the_command_makes_a_row_for_each_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    template = template_of(tmp_path, printed())
    cv2.imwrite(str(tmp_path / "scan.png"), filled(Conditions())[:, :, ::-1])
    cv2.imwrite(str(tmp_path / "other.png"), np.full((900, 700), 240, np.uint8))
    paths = [str(tmp_path / name) for name in ("scan.png", "other.png")]
    table, drawn = tmp_path / "table.csv", tmp_path / "drawn"
    assert run(["form", str(template), *paths, "-o", str(table), "--overlay", str(drawn)]) == 3
    said = capsys.readouterr()
    assert VALUES["account"] in said.out
    assert "other.png: the scan does not match" in said.err
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [rows[0][name] for name in VALUES] == list(VALUES.values())
    assert [rows[1][name] for name in VALUES] == [""] * 4
    assert "does not match" in rows[1]["note"]
    assert (drawn / "scan.png.png").exists()
    assert run(["form", str(template), *paths, "--json"]) == 3
    answers = json.loads(capsys.readouterr().out)
    assert answers[0]["fields"]["tax"]["text"] == VALUES["tax"]
    assert "fields" not in answers[1]
