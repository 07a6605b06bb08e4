"""Reviewing a table: which digits are asked about, what a verdict changes, and the routes behind the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from pendigit.batches.record import ReadDigit, Record
from pendigit.batches.review import Review, corrected
from pendigit.batches.table import read_table, write_table
from pendigit.commands import run
from pendigit.datasets import Dataset
from pendigit.errors import OutputError
from pendigit.reading.images import load_image
from pendigit.serving.app import make_app
from pendigit.serving.settings import Settings

MODEL = "m" * 64


def record(path: str, rows: tuple[str, ...], shares: tuple[float, ...], accepted: bool = False) -> Record:
    """A record whose digits stand 40 pixels apart."""
    places = [(row, sign) for row, text in enumerate(rows) for sign in text if sign.isdecimal()]
    digits = tuple(
        ReadDigit(int(sign), share, 40 * at, 0, 40 * at + 40, 44, row, 1, share >= 0.9)
        for at, ((row, sign), share) in enumerate(zip(places, shares, strict=True))
    )
    return Record(path, rows, min(shares, default=None), accepted, None, 1.0, digits, "d" * 64, MODEL)


@pytest.fixture
def table(mini: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of two images: `sure.png`, and `page.png` with five digits in two rows, three of them doubtful."""
    monkeypatch.chdir(tmp_path)
    digits = [np.pad(255 - mini.x_train[number], ((8, 8), (6, 6)), constant_values=255) for number in range(5)]
    Image.fromarray(np.hstack(digits)).save("page.png")
    Image.fromarray(digits[0]).save("sure.png")
    records = [
        record("page.png", ("1.2 3", "45"), (0.99, 0.5, 0.95, 0.3, 0.8)),
        record("sure.png", ("7",), (0.99,), accepted=True),
        Record.failed("gone.png", None, MODEL, "cannot read gone.png"),
    ]
    write_table(Path("out.csv"), records)
    return Path("out.csv")


def test_the_largest_doubt_comes_first(table: Path) -> None:
    review = Review(table)
    assert [(doubt.digit, doubt.probability, doubt.row, doubt.place) for doubt in review.doubts] == [
        (4, 0.3, "45", 0),
        (2, 0.5, "1.2 3", 1),
        (5, 0.8, "45", 1),
    ]


def test_verdicts_change_the_copy_and_survive(table: Path) -> None:
    before = table.read_bytes()
    review = Review(table)
    review.decide(review.doubts[0], 9)
    review.decide(review.doubts[1], None)
    review.decide(review.doubts[2], 6)
    review.undo(review.doubts[2])
    with review.log.open("a") as file:
        file.write('{"path": "page.png", "ind')  # a crash amid a line
    again = Review(table)
    assert again.verdicts == {("page.png", 3): 9, ("page.png", 1): None}
    assert again.publish() == 2
    page, sure, gone = read_table(Path("out.corrected.csv"))
    assert page.rows == ("1. 3", "95")
    assert [(digit.digit, digit.probability) for digit in page.digits] == [(1, 0.99), (3, 0.95), (9, 1.0), (5, 0.8)]
    assert (page.lowest_probability, page.accepted) == (0.8, False)
    again.decide(again.doubts[2], 5)
    again.publish()
    page, *others = read_table(Path("out.corrected.csv"))
    assert (page.rows, page.accepted) == (("1. 3", "95"), True)
    assert others == [sure, gone]
    assert table.read_bytes() == before
    assert [each.rows for each in (sure, gone)] == [("7",), ()]


def test_a_digit_that_is_none_leaves_its_row() -> None:
    found = corrected(record("a", ("7",), (0.2,)), {0: None})
    assert (found.rows, found.digits, found.lowest_probability, found.accepted) == (("",), (), None, False)


def test_tables_that_cannot_be_reviewed(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OutputError, match="its own corrected copy"):
        Review(table, table)
    assert run(["review", "missing.csv"]) == OutputError.exit_code
    assert "missing.csv is no table" in capsys.readouterr().err
    write_table(Path("fine.csv"), [record("sure.png", ("7",), (0.99,), accepted=True)])
    assert run(["review", "fine.csv"]) == 0
    assert "nothing to review" in capsys.readouterr().out


@pytest.fixture
def client(table: Path) -> Iterator[TestClient]:
    settings = Settings(store=Path("corrections.sqlite"), workers=1)
    with TestClient(make_app(settings, Review(table)), base_url="http://localhost") as client:
        yield client


def test_the_page_asks_and_notes(client: TestClient) -> None:
    assert client.get("/review.html").status_code == 200
    found = client.get("/v1/review").json()
    assert (found["table"], found["corrected"], found["count"], found["decided"]) == (
        "out.csv",
        "out.corrected.csv",
        3,
        0,
    )
    assert [each["digit"] for each in found["doubts"]] == [4, 2, 5]
    crop = client.get("/v1/review/0/crop")
    assert crop.headers["content-type"] == "image/png"
    assert load_image(crop.content).shape[0] == 220
    said = client.post("/v1/review/0?digit=9").json()
    assert (said["decided"], said["verdict"]) == (True, 9)
    kept = client.get("/v1/corrections").json()["corrections"]
    assert [(each["digit"], each["read"], each["box"]) for each in kept] == [(9, 4, [120, 0, 160, 44])]
    assert client.post("/v1/review/0?digit=none").json()["verdict"] is None
    assert client.get("/v1/corrections").json()["count"] == 0, "the first verdict's correction is taken back"
    assert client.delete("/v1/review/0").json()["decided"] is False
    client.post("/v1/review/1?digit=2")
    assert client.post("/v1/review/publish").json() == {"corrected": "out.corrected.csv", "decided": 1}
    assert next(iter(read_table(Path("out.corrected.csv")))).digits[1].probability == 1.0
    assert client.get("/v1/review/99/crop").status_code == 404
    assert client.post("/v1/review/0?digit=11").status_code == 422
