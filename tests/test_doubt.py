"""Limits on the error: as they are written, what a model promises, and digits that become "?"."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pendigit.classifier import OnnxClassifier
from pendigit.commands import run
from pendigit.datasets import Dataset
from pendigit.doubt import Threshold, as_metadata, confidence, parse_limit, threshold_for, thresholds_in
from pendigit.errors import DataError, ImageError, ModelError, OutputError, UsageError
from pendigit.judging.stamp import stamp
from pendigit.models import find_model
from pendigit.reading.reader import Reader, load_reader
from pendigit.results import Digit, PlacedDigit, Reading, Row

TWO = (Threshold(0.9, 0.01, 0.95, 1_000, 900, 3), Threshold(0.5, 0.05, 0.95, 1_000, 980, 30))


def sure(digit: int, share: float) -> list[float]:
    return [share if other == digit else (1 - share) / 9 for other in range(10)]


@pytest.fixture(scope="module")
def reader() -> Reader:
    return load_reader()


@pytest.mark.parametrize(("text", "share"), [("1%", 0.01), ("0.01", 0.01), ("0.5%", 0.005), ("1e-3", 0.001)])
def test_limits_as_people_write_them(text: str, share: float) -> None:
    assert parse_limit(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["0", "1", "abc", "", "%", "100%", "-1%", "nan", "1,5%", "2"])
def test_what_is_no_limit(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match=r"above 0 and below 1, such as 0\.01 or 1%"):
        parse_limit(text)
    assert run(["predict", "mini:test:0", f"--max-error={text}"]) == 2
    assert run(["read", "none.png", f"--max-error={text}"]) == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_a_limit_gets_the_nearest_promise_below_it() -> None:
    metadata = as_metadata(TWO)
    assert thresholds_in(metadata, "mine") == TWO
    assert threshold_for(0.01, metadata, "mine") == TWO[0]
    assert threshold_for(0.03, metadata, "mine").threshold == 0.9
    assert threshold_for(0.03, metadata, "mine").max_error == 0.03
    assert threshold_for(0.4, metadata, "mine").threshold == 0.5
    with pytest.raises(UsageError, match=r"error of 0\.1000%; expected at least 1\.0000%.*mine promises; .*calibrate"):
        threshold_for(0.001, metadata, "mine")


@pytest.mark.parametrize("text", [None, "[]", "{", '[{"threshold": 1}]', "7", "null"])
def test_a_model_without_a_promise_says_what_would_give_one(text: str | None) -> None:
    with pytest.raises(ModelError, match=r"mine is not calibrated; .*pendigit calibrate FOLDER"):
        threshold_for(0.01, {} if text is None else {"thresholds": text}, "mine")


def test_every_model_that_ships_with_digitness_is_calibrated() -> None:
    found = thresholds_in(OnnxClassifier(find_model()).metadata, "reader")
    limits = [each.max_error for each in found]
    assert 0.01 in limits
    assert limits == sorted(limits)
    thresholds = [each.threshold for each in found]
    assert thresholds == sorted(thresholds, reverse=True)
    assert 0 < thresholds[-1] < thresholds[0] < 1
    assert all(each.wrong <= each.max_error * each.accepted for each in found)


def test_confidence_is_that_of_a_digit_and_of_this_one() -> None:
    assert confidence(0.8, None) == 0.8
    assert Digit.of(sure(3, 0.8), 0.5).confidence == pytest.approx(0.4)
    np.testing.assert_allclose(confidence(np.array([0.8, 1]), np.array([0.5, 0])), [0.4, 0])


def test_a_rejected_digit_says_why() -> None:
    hardly, torn = (Digit.of(sure(3, share), digitness).within(TWO[0]) for share, digitness in [(0.99, 0.2), (0.6, 1)])
    assert (hardly.text, hardly.doubt, hardly.accepted) == ("?", "hardly a digit (20%)", False)
    assert torn.doubt == "3 (60%) or 0 (4%)"
    fine = Digit.of(sure(3, 0.99), 0.99).within(TWO[0])
    assert (fine.text, fine.doubt, fine.accepted) == ("3", None, True)
    assert json.loads(json.dumps(torn.to_dict()))["text"] == "?"


def test_rejected_digits_of_a_row_keep_its_separators() -> None:
    digits = [PlacedDigit.at((k, 0, k + 1, 1), sure(k, share), 1.0) for k, share in enumerate([0.99, 0.5, 0.99])]
    row = Row(("0.1", "-2"), tuple(digits))
    read = Reading((row,)).within(TWO[0])
    assert read.text == "0.?-2"
    assert read.within(TWO[1]).text == "0.1-2", "a later limit judges anew"
    assert (read.count, read.kept, read.max_error) == (3, 2, 0.01)
    plain = json.loads(json.dumps(read.to_dict()))
    assert [digit["accepted"] for digit in plain["rows"][0]["digits"]] == [True, False, True]
    assert (plain["kept"], plain["count"], plain["max_error"]) == (2, 3, 0.01)


def test_predicting_within_a_limit_gives_strings(reader: Reader, mini: Dataset) -> None:
    frames, labels = mini.x_test[:200], mini.y_test[:200]
    plain, limited = reader.predict(frames), reader.predict(frames, max_error=0.01)
    assert (limited.dtype.kind, limited.shape) == ("U", (200,))
    kept = limited != "?"
    assert 0.8 < kept.mean() < 1
    assert (limited[kept] == plain[kept].astype(str)).all()
    assert (limited[kept] == labels[kept].astype(str)).mean() >= 0.98
    assert (reader.predict(frames, max_error=0.05) != "?").sum() >= kept.sum()
    assert [digit.text for digit in reader.digits(frames, 0.01)] == limited.tolist()
    assert reader.predict([], max_error=0.01).shape == (0,)


def test_blank_paper_and_noise_are_no_digits(reader: Reader) -> None:
    random = np.random.default_rng(0)
    blank = [np.full((60, 40), grey, np.uint8) for grey in (0, 128, 255)]
    noise = [random.integers(0, 256, (side, side), np.uint8) for side in (28, 28, 28, 60, 200)]
    noise += [np.clip(random.normal(200, 8, (120, 90)), 0, 255).astype(np.uint8) for _ in range(5)]
    assert reader.predict([*blank, *noise], max_error=0.05).tolist() == ["?"] * (len(blank) + len(noise))
    assert reader.digits(blank, 0.05)[0].doubt == "hardly a digit (0%)"
    for picture in [*blank, *noise]:
        assert reader.read(picture, max_error=0.05).kept == 0
    with pytest.raises(ImageError, match="image 0: no ink"):
        reader.predict(blank)


def test_a_broken_picture_is_still_an_error(reader: Reader, mini: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"^image 1: cannot read .*none\.png"):
        reader.predict([mini.x_test[0], tmp_path / "none.png"], max_error=0.01)


def test_an_uncalibrated_model_refuses_a_limit(
    mini: Dataset, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = load_reader(finished)
    with pytest.raises(ModelError, match="not calibrated"):
        plain.predict(mini.x_test[:1], max_error=0.01)
    with pytest.raises(ModelError, match="not calibrated"):
        plain.read(mini.x_test[0], max_error=0.01)
    assert run(["predict", "mini:test:0", "--model", str(finished), "--max-error", "1%"]) == ModelError.exit_code
    assert "pendigit calibrate" in capsys.readouterr().err


def test_predict_says_how_many_it_kept(mini: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "found.csv"
    assert run(["predict", "mini:test:0-99", "--max-error", "1%", "-o", str(table)]) == 0
    printed = capsys.readouterr().out
    rows = [line.split(",") for line in table.read_text().splitlines()[1:]]
    kept = sum(row[2] != "?" for row in rows)
    assert f"kept {kept} of 100 digits, for an error of at most 1% among them" in printed
    assert run(["predict", "mini:test:0-99", "--max-error", "1%", "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)
    assert [answer["text"] for answer in answers] == [row[2] for row in rows]
    assert all(("doubt" in answer) == (not answer["accepted"]) for answer in answers)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default model, with a promise for which no digit is sure enough."""
    path = tmp_path_factory.mktemp("models") / "strict.onnx"
    stamp(find_model(), path, as_metadata([Threshold(1.1, 0.01, 0.95, 1_000, 900, 3)]))
    return path


def test_read_and_doctor_mark_what_is_unsure(
    strict: Path, mini: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    page = np.pad(np.hstack([np.pad(frame, ((0, 0), (0, 6))) for frame in mini.x_test[:3]]), 20)
    Image.fromarray(np.kron(255 - page, np.ones((3, 3), np.uint8))).save("page.png")
    assert run(["read", "page.png", "--json", "--max-error", "2%"]) == 0
    (plain,) = json.loads(capsys.readouterr().out)
    assert plain["count"] == 3
    limited = ["page.png", "--model", str(strict), "--max-error", "1%"]
    assert run(["read", *limited, "--overlay", "drawn"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("???  (?: ")
    assert "kept 0 of 3 digits, for an error of at most 1% among them" in printed
    assert run(["doctor", *limited]) == 0
    assert capsys.readouterr().out.count("is rejected: ") == 3


def test_a_stamped_model_answers_as_before(strict: Path, reader: Reader, mini: Dataset) -> None:
    stamped = load_reader(strict)
    assert (stamped.predict_proba(mini.x_test[:50]) == reader.predict_proba(mini.x_test[:50])).all()
    before, after = (each.classifier.metadata for each in (reader, stamped))  # type: ignore[attr-defined]
    assert before | as_metadata(thresholds_in(after, "strict")) == after


def test_a_folder_of_ones_own_gives_a_calibrated_model(
    mini: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, made = tmp_path / "own.npz", tmp_path / "mine.onnx"
    np.savez(own, x_train=mini.x_train, y_train=mini.y_train, x_test=mini.x_test, y_test=mini.y_test)
    assert run(["calibrate", str(own), "--model", "classic", "--out", str(made), "--max-error", "3%"]) == 0
    assert "an error of at most 3% leaves" in capsys.readouterr().out
    found = thresholds_in(OnnxClassifier(made).metadata, "mine")
    assert 0.03 in [each.max_error for each in found]
    assert [each.max_error for each in found] == sorted(each.max_error for each in found)
    mine, plain = load_reader(made), load_reader("classic")
    limited = mine.predict(mini.x_test, max_error=0.03)
    kept = limited != "?"
    assert 0.8 < kept.mean() < 1
    assert (limited[kept] != mini.y_test[kept].astype(str)).mean() <= 0.03 + 0.02, (
        "the promise, and 1,000 digits' chance"
    )
    assert (mine.predict(mini.x_test[:50]) == plain.predict(mini.x_test[:50])).all()


def test_a_folder_that_is_too_small_says_how_many_it_takes(
    mini: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for index, (frame, label) in enumerate(zip(mini.x_test[:100], mini.y_test[:100], strict=True)):
        folder = tmp_path / "own" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(frame).save(folder / f"{index}.png")
    made = tmp_path / "mine.onnx"
    assert run(["calibrate", str(tmp_path / "own"), "--out", str(made)]) == DataError.exit_code
    line = capsys.readouterr().err
    assert "100 digits to calibrate on" in line
    assert "at least 374" in line
    assert run(["calibrate", str(tmp_path / "own"), "--out", str(made), "--max-error", "5%"]) == 0
    assert run(["calibrate", str(tmp_path / "none"), "--out", str(made)]) == DataError.exit_code
    assert run(["calibrate", "mini", "--out", str(tmp_path / "mine.txt")]) == OutputError.exit_code
    assert run(["calibrate", "mini", "--out", str(made), "--max-error", "0"]) == UsageError.exit_code
    assert run(["calibrate", "mini", "--out", str(made), "--model", str(tmp_path / "no.onnx")]) == ModelError.exit_code
    assert {path.name for path in tmp_path.iterdir()} == {"own", "mine.onnx"}
