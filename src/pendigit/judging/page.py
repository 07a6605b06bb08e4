"""A report as one HTML page that needs nothing else: no script, no network, no other file."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import cv2
import numpy as np

from pendigit.classifier import DIGITS, Frames
from pendigit.doubt import Threshold
from pendigit.errors import OutputError
from pendigit.files import publish_text
from pendigit.judging.charts import draw_coverage, draw_curve, draw_digitness, draw_reliability
from pendigit.judging.metrics import wilson_interval
from pendigit.judging.rejection import LIMITS
from pendigit.judging.report import Corrupted, Estimate, Report
from pendigit.results import Evaluation

TEMPLATE = Path(__file__).with_name("page.html")
MISTAKES = 24  # as many as one looks at
FIRST = ("file", "sha256", "recipe", "data_digest")  # what one wants to know of a model's origin
ENOUGH = 0.9  # accepted: the strictest promise that leaves as much is the one to tell first
HEAT = 70  # per cent of the colour for the most frequent confusion, which leaves its number legible


def check_ending(path: Path) -> None:
    """Raises OutputError for a name that a browser would not take for a page."""
    if path.suffix.lower() not in {".html", ".htm"}:
        raise OutputError(f"{path} names no page", "an ending .html", "add it")


def publish_page(report: Report, path: Path) -> None:
    """Write the page to `path`, an .html file. Raises OutputError."""
    check_ending(path)
    publish_text(path, render(report))


def render(report: Report) -> str:
    """The page's HTML."""
    evaluation = report.evaluation
    mean = float(np.mean([each.accuracy[0] for each in report.suite]))
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(f"{evaluation.model} on {evaluation.data}"),
        model=escape(evaluation.model),
        verdict=_verdict(report),
        tiles=_tiles(report, mean),
        digits=_digits(evaluation),
        confusion=_confusion(evaluation),
        mistakes_intro=_mistakes_intro(report),
        mistakes=_mistakes(report),
        reliability=draw_reliability(report.bins),
        coverage=draw_coverage(report.confidence, report.correct, report.thresholds),
        thresholds=_thresholds(report.thresholds),
        others_intro=_others_intro(report),
        digitness="" if report.digitness is None else f'<figure class="half">{draw_digitness(report)}</figure>',
        others=_others(report),
        sample=f"{report.sample:,}",
        curves="".join(f"<figure><h3>{curve.name}</h3>{draw_curve(curve)}</figure>" for curve in report.curves),
        suite_mean=_share(mean),
        suite=_suite(report.suite),
        origin=_origin(report.origin),
    )


def _verdict(report: Report) -> str:
    evaluation = report.evaluation
    right = f"<b>{_share(evaluation.accuracy)}</b>"
    text = f"Of {evaluation.count:,} digits of {escape(evaluation.data)}, it reads {right} right."
    if not report.thresholds:
        return f"{text} No error below {_limit(LIMITS[-1])} can be promised by rejecting the least certain."
    best = ([each for each in report.thresholds if each.coverage >= ENOUGH] or report.thresholds[-1:])[0]
    return (
        f"{text} If it may reject the least certain {_share(1 - best.coverage)}, "
        f"at most {_limit(best.max_error)} of the rest are wrong."
    )


def _tiles(report: Report, mean: float) -> str:
    evaluation = report.evaluation
    low, high = evaluation.interval
    tiles = [
        ("Accuracy", _share(evaluation.accuracy), f"{_share(low)} to {_share(high)}"),
        ("Loss", f"{report.loss[0]:.4f}", f"nats, {report.loss[1]:.4f} to {report.loss[2]:.4f}"),
        ("Calibration error", *_with_interval(report.calibration)),
        ("Risk (AURC)", *_with_interval(report.risk)),
        ("Corrupted", _share(mean), f"mean of {len(report.suite)}"),
        ("One frame", _time(report.seconds), f"one thread; {_size(report.size)} on disk"),
    ]
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>" for name, value, note in tiles)
    return f'<dl class="tiles">{cells}</dl>'


def _digits(evaluation: Evaluation) -> str:
    counts = np.asarray(evaluation.confusion)
    rows = []
    for digit, row in enumerate(counts):
        others = sorted(((int(count), other) for other, count in enumerate(row) if other != digit and count))[::-1]
        rows.append(
            [
                str(digit),
                f"{row.sum():,}",
                _measured(counts[digit, digit], row.sum()),
                _measured(counts[digit, digit], counts[:, digit].sum()),
                ", ".join(f"{other} ({count})" for count, other in others[:3]) or "-",
            ]
        )
    return _table(["digit", "count", "recall", "precision", "also read as"], rows, dict.fromkeys((2, 3, 4), "text"))


def _confusion(evaluation: Evaluation) -> str:
    counts = np.asarray(evaluation.confusion)
    most = max(1, int((counts * (1 - np.eye(DIGITS, dtype=counts.dtype))).max()))
    head = "".join(f'<th scope="col">{digit}</th>' for digit in range(DIGITS))
    rows = []
    for true, row in enumerate(counts):
        cells = "".join(_cell(int(count), most, true == read) for read, count in enumerate(row))
        rows.append(f'<tr><th scope="row">{true}</th>{cells}</tr>')
    return f'<table class="confusion"><thead><tr><td></td>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _cell(count: int, most: int, right: bool) -> str:
    if right:
        return f'<td class="right">{count}</td>'
    return f'<td style="--heat: {HEAT * count / most:.0f}">{count or ""}</td>'


def _mistakes_intro(report: Report) -> str:
    count = len(report.mistakes[0])
    if count == 0:
        return "There are none."
    shown = f"the first {MISTAKES} of {count:,}" if count > MISTAKES else f"all {count}"
    return f"What it is, what it was read as, and how sure the model was: {shown}."


def _mistakes(report: Report) -> str:
    items = []
    for frame, label, shares in list(zip(*report.mistakes, strict=True))[:MISTAKES]:
        best = int(shares.argmax())
        caption = f"{label} → <b>{best}</b><br>{_share(float(shares[best]))}"
        items.append(f"<li><figure>{_image(frame, f'a {label}')}<figcaption>{caption}</figcaption></figure></li>")
    return f'<ul class="digits">{"".join(items)}</ul>' if items else ""


def _thresholds(thresholds: Iterable[Threshold]) -> str:
    rows = []
    promised = {each.max_error: each for each in thresholds}
    for limit in LIMITS:
        each = promised.get(limit)
        if each is None:
            rows.append([_limit(limit), "cannot be promised here", "", ""])
        else:
            seen = f"{each.wrong:,} of {each.accepted:,}"
            rows.append([_limit(limit), _share(each.coverage), f"{each.threshold:.4f}", seen])
    return _table(["error at most", "accepted", "confidence from", "wrong of these, as seen"], rows)


def _others_intro(report: Report) -> str:
    if report.digitness is None:
        return "The model cannot tell: it takes all it sees for digits, however little they look like one."
    tenth, hundredth = np.quantile(report.digitness, (0.1, 0.01))
    return (
        f"Digitness is how surely a frame shows one digit at all. Of these digits, 90 % have at least {tenth:.3f}, "
        f"and 99 % at least {hundredth:.3f}."
    )


def _others(report: Report) -> str:
    """What shows no digit, and how much of it is accepted all the same, for each promise."""
    rows = []
    for each in report.others:
        pictures = "".join(_image(frame, "") for frame in each.examples)
        shares = [_share(float((each.confidence >= limit.threshold).mean())) for limit in report.thresholds]
        rows.append([each.name, pictures, *(shares or [_share(float((each.confidence >= 0.5).mean()))])])
    heads = [f"accepted at {_limit(limit.max_error)}" for limit in report.thresholds] or ["confidence over 50 %"]
    return _table(["", "", *heads], rows, {0: "text", 1: "text wide examples"})


def _suite(suite: Iterable[Corrupted]) -> str:
    rows = []
    for each in suite:
        pictures = "".join(_image(frame, "") for frame in each.examples)
        bar = f'<i style="--share: {each.accuracy[0] * 100:.1f}"></i>'
        rows.append([each.name.replace("_", " "), pictures, bar, _beside(each.accuracy)])
    kinds = {0: "text", 1: "text wide examples", 2: "bar", 3: "text"}
    return _table(["corruption", "", "", "right"], rows, kinds)


def _origin(origin: Mapping[str, Any]) -> str:
    said = {key: origin.get(key, "the file does not say") for key in FIRST}
    entries = []
    for key, value in (said | dict(origin)).items():
        shown = ", ".join(f"{k} {v}" for k, v in value.items() if v != "") if isinstance(value, Mapping) else str(value)
        entries.append(f"<dt>{escape(key.replace('_', ' '))}</dt><dd>{escape(shown)}</dd>")
    return f'<dl class="origin">{"".join(entries)}</dl>'


def _table(head: list[str], rows: list[list[str]], kinds: Mapping[int, str] | None = None) -> str:
    """A table; `kinds` gives columns the classes that page.html knows."""

    def line(tag: str, contents: list[str]) -> str:
        classes = [f' class="{kinds[column]}"' if kinds and column in kinds else "" for column in range(len(contents))]
        cells = zip(classes, contents, strict=True)
        return f"<tr>{''.join(f'<{tag}{kind}>{content}</{tag}>' for kind, content in cells)}</tr>"

    return f"<table><thead>{line('th', head)}</thead><tbody>{''.join(line('td', row) for row in rows)}</tbody></table>"


def _image(frame: Frames, words: str) -> str:
    """A frame (28, 28) as an image inside the page."""
    content = cv2.imencode(".png", frame)[1].tobytes()
    return (
        f'<img width="28" height="28" alt="{words}" src="data:image/png;base64,{base64.b64encode(content).decode()}">'
    )


def _measured(right: int, count: int) -> str:
    """A share with its interval beside it."""
    return _beside((right / count, *wilson_interval(int(right), int(count)))) if count else "-"


def _beside(estimate: Estimate) -> str:
    value, low, high = estimate
    return f"{_share(value)}<small>{_share(low)} to {_share(high)}</small>"


def _with_interval(estimate: Estimate) -> tuple[str, str]:
    decimals = 2 if estimate[0] >= 0.001 else 3
    value, low, high = (f"{each:.{decimals}%}" for each in estimate)
    return value, f"{low} to {high}"


def _share(value: float) -> str:
    """A share in per cent: whole hundredths near the ends, where they count."""
    return f"{value:.2%}" if value > 0.9 or value < 0.1 else f"{value:.1%}"


def _limit(value: float) -> str:
    return re.sub(r"\.?0+%$", "%", f"{value:.3%}")


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms"


def _size(count: int) -> str:
    return f"{count / 1e6:.2f} MB"
