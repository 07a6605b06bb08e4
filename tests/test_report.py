"""The report: what it says is what was measured, and the page needs nothing but itself."""

from __future__ import annotations

import base64
import importlib.util
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

import pendigit
from pendigit.classifier import Classifier, Judgement
from pendigit.commands import run
from pendigit.datasets import Dataset
from pendigit.judging import report as measuring
from pendigit.judging.charts import VARIABLES
from pendigit.judging.page import MISTAKES, render
from pendigit.judging.report import CHANGES, Report, judge

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Counts what a page holds, and that every element that is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.references: set[str] = set()
        self.words = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        for name, value in attrs:
            if name == "id":
                self.ids[value or ""] += 1
            if name in {"href", "src", "clip-path"}:
                self.references.add(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += "" if self.open[-1:] == ["style"] else f" {data}"


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "SAMPLE", 100)
        assert run(["report", "classic", "-o", str(path), "--data", "mini:test"]) == 0
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_the_page_needs_nothing_but_itself(text: str, page: Page) -> None:
    assert len(text) < 3_000_000
    assert not page.tags.keys() & {"script", "link", "iframe", "object"}
    assert not re.search(r"https?:|@import|url\((?!#)", text)
    assert all(count == 1 for count in page.ids.values())
    inside = {name.removeprefix("url(").removesuffix(")") for name in page.references if not name.startswith("data:")}
    assert {name.removeprefix("#") for name in inside} <= page.ids.keys()
    assert page.tags["h1"] == page.tags["main"] == page.tags["header"] == 1
    assert page.tags["svg"] == 2 + len(CHANGES)
    assert text.count('role="img" aria-label=') == page.tags["svg"]


def test_charts_take_the_pages_colours(text: str) -> None:
    charts = "".join(re.findall(r"<svg.*?</svg>", text, re.DOTALL))
    assert not re.search(r"#[0-9a-f]{6}\b(?!\")", re.sub(r'="(url\()?#\w+', "", charts)), "no colour of their own"
    for variable in VARIABLES.values():
        assert variable in charts
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_the_page_says_what_was_measured(page: Page) -> None:
    expected = pendigit.evaluate("classic", "mini:test")
    low, high = expected.interval
    for words in (f"{expected.accuracy:.2%}", f"{low:.2%} to {high:.2%}", f"{expected.loss:.4f}", "1,000 digits"):
        assert words in page.words
    for digit, recall in enumerate(expected.recall):
        assert recall is not None
        assert f"{recall:.2%}" in page.words, digit
    for name in ("shot noise", "canny edges", "Shift", "Size", "Rotation", "Stroke", "network classic", "0.41 MB"):
        assert name in page.words


def test_mistakes_are_pictures_of_the_frames(text: str, mini: Dataset) -> None:
    found = re.findall(r'alt="a (\d)" src="data:image/png;base64,([^"]+)".*?→ <b>(\d)</b><br>([\d.]+)%', text)
    predicted = pendigit.load_classifier("classic").predict_proba(mini.x_test)
    wrong = predicted.argmax(axis=1) != mini.y_test
    assert len(found) == min(MISTAKES, wrong.sum()) > 5
    shares = [float(share) for *_, share in found]
    assert shares == sorted(shares, reverse=True)
    for label, content, read, _ in found:
        frame = cv2.imdecode(np.frombuffer(base64.b64decode(content), np.uint8), cv2.IMREAD_UNCHANGED)
        (index,) = np.flatnonzero((mini.x_test == frame).all(axis=(1, 2)))
        assert (mini.y_test[index], predicted[index].argmax()) == (int(label), int(read))


def made_of(answers: np.ndarray) -> Classifier:
    """A classifier with fixed answers, whatever it is shown."""

    class Made(Classifier):
        name = "made <b>up</b>"

        def judge(self, frames: npt.ArrayLike) -> Judgement:
            return answers[: len(np.asarray(frames))], None

    return Made()


def judged(answers: np.ndarray, labels: np.ndarray) -> Report:
    frames = np.zeros((len(labels), 28, 28), np.uint8)
    made = made_of(answers.astype(np.float32))
    return judge(made, frames, labels, model=made.name, data="some:test", timed=made, size=10, origin={"recipe": "{"})


@pytest.mark.parametrize("always_right", [True, False])
def test_a_classifier_that_is_always_right_and_one_that_guesses(
    always_right: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "SAMPLE", 20)
    labels = np.random.default_rng(0).integers(0, 10, 1_000).astype(np.uint8)
    answers = np.eye(10)[labels if always_right else np.roll(labels, 1)] * 0.91 + 0.009
    made = judged(answers, labels)
    page = Page(render(made))
    assert "made <b>up</b>" in page.words, "a name is no HTML"
    assert "the file does not say" in page.words
    if always_right:
        assert made.risk == (0, 0, 0)
        assert [(each.max_error, each.coverage) for each in made.thresholds] == [
            (limit, 1) for limit in (0.005, 0.01, 0.02, 0.05)
        ]
        assert "There are none." in page.words
        assert "at most 0.5% of the rest are wrong" in page.words
    else:
        assert made.thresholds == ()
        assert "No error below 5% can be promised" in page.words
        assert made.calibration[0] == pytest.approx(0.919 - made.evaluation.accuracy, abs=1e-6)


def test_curves_and_suite_are_accuracies_on_the_sample(monkeypatch: pytest.MonkeyPatch, mini: Dataset) -> None:
    monkeypatch.setattr(measuring, "SAMPLE", 200)
    classifier = pendigit.load_classifier("classic")
    names = {"model": "classic", "data": "mini:test"}
    made = judge(classifier, mini.x_test, mini.y_test, **names, timed=classifier, size=1, origin={})
    chosen = np.linspace(0, 999, 200).astype(np.int64)
    plain = float((classifier.predict(mini.x_test[chosen]) == mini.y_test[chosen]).mean())
    assert made.sample == 200
    for curve in made.curves:
        at_rest = curve.accuracies[curve.amounts.index(1 if curve.name == "Size" else 0)]
        assert at_rest[0] == pytest.approx(plain, abs=0.015)
        assert at_rest[0] >= max(value for value, _, _ in curve.accuracies) - 0.02
        assert all(low <= value <= high for value, low, high in curve.accuracies)
    assert len(made.suite) == 15
    assert 0 < made.seconds < 0.1


def test_bad_input_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", "nothing", "-o", str(tmp_path / "r.html")]) == 2
    assert run(["report", "classic", "-o", str(tmp_path / "r.html"), "--data", "mini:middle"]) == 2
    monkeypatch.setattr(measuring, "SAMPLE", 5)
    for name, code in (("r.txt", 6), ("missing/r.html", 6)):
        assert run(["report", "classic", "-o", str(tmp_path / name), "--data", "mini:test:0-9"]) == code
    capsys.readouterr()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert run(["report", "classic", "-o", str(tmp_path / "r.html")]) == 8
    line = capsys.readouterr().err
    assert "pendigit[report]" in line
    assert line.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
