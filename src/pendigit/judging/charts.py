"""The charts of a report, as SVG that takes its colours from the page, so that light and dark show the same chart."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pendigit.doubt import Threshold
from pendigit.judging.calibration import Bin, Hits, Shares
from pendigit.judging.metrics import wilson_interval
from pendigit.judging.rejection import risks
from pendigit.judging.report import Curve, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Drawn in these, and replaced by the page's variables of the same names.
INK, MUTED, BLUE, ORANGE = "#010101", "#020202", "#030303", "#040404"
VARIABLES = {INK: "currentColor", MUTED: "var(--muted)", BLUE: "var(--blue)", ORANGE: "var(--orange)"}
WIDTH, HEIGHT = 4.6, 3.1  # inches: half a desktop's page, a whole telephone's, with text of 9 points in both
SMALL_HEIGHT = 2.3  # inches
FEWEST_SHOWN = 0.5  # coverage: below it no one would go
STEPS = 400  # places at which a curve over ten thousand digits is drawn


def draw_reliability(bins: Sequence[Bin]) -> str:
    """Accuracy against confidence, with 95 % intervals, and how many predictions each bin holds."""
    figure = _figure(HEIGHT + 0.6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    upper.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    for each in bins:
        upper.plot([each.confidence] * 2, wilson_interval(each.correct, each.count), color=BLUE, linewidth=1.4)
    upper.plot([b.confidence for b in bins], [b.accuracy for b in bins], "o", color=BLUE, markersize=5)
    upper.set_ylabel("right")
    upper.set_ylim(-0.03, 1.03)
    middles, widths = [(b.low + b.high) / 2 for b in bins], [(b.high - b.low) * 0.86 for b in bins]
    lower.bar(middles, [b.count for b in bins], widths, color=MUTED)
    lower.set_yscale("log")
    lower.set_ylim(0.7, 3 * max((b.count for b in bins), default=1))
    lower.set_ylabel("digits")
    lower.set_xlabel("stated confidence")
    lower.set_xlim(0, 1.02)
    for axes in (upper, lower):
        _dress(axes)
    _percent(upper, "y")
    _percent(lower, "x")
    lower.yaxis.get_minor_locator().set_params(numticks=1)
    return _svg(figure, "Reliability diagram: the share that is right against the stated confidence")


def draw_coverage(confidence: Shares, correct: Hits, thresholds: Sequence[Threshold]) -> str:
    """The error among the accepted against the share accepted; dots where an error is promised."""
    figure = _figure(HEIGHT + 0.6)
    axes = figure.subplots()
    count = len(confidence)
    places = np.unique(np.linspace(max(1, int(FEWEST_SHOWN * count)), count, STEPS).astype(np.int64))
    errors = risks(confidence, correct)[places - 1]
    axes.plot(places / count, errors, color=BLUE, linewidth=1.8)
    wrong = int((~correct).sum())
    best = np.maximum(0, places - (count - wrong)) / places  # where every mistake is rejected first
    axes.plot(places / count, best, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    strictest = {each.threshold: each for each in reversed(thresholds)}  # of those at one place
    for each in strictest.values():
        accepted = confidence >= each.threshold
        place = float(accepted.mean()), float((~correct[accepted]).mean())
        axes.plot(*place, "o", color=ORANGE, markersize=6)
        label = f"≤ {each.max_error * 100:g}%"
        axes.annotate(label, place, (-4, 7), textcoords="offset points", ha="right", color=INK, fontsize=9)
    axes.set_xlim(FEWEST_SHOWN, 1.01)
    axes.set_ylim(bottom=-0.03 * max(errors.max(), 1e-4), top=1.25 * max(errors.max(), 1e-4))
    axes.set_xlabel("accepted")
    axes.set_ylabel("wrong among the accepted")
    _dress(axes)
    _percent(axes, "x")
    _percent(axes, "y", None)
    return _svg(figure, "Error among the accepted predictions against the share that is accepted")


def draw_digitness(report: Report) -> str:
    """The share of the digits, and of what is none, that has at least a confidence."""
    figure = _figure(HEIGHT)
    axes = figure.subplots()
    levels = np.linspace(0, 1, STEPS)
    kinds = [("digits", report.confidence, BLUE, "-")]
    kinds += [
        (each.name, each.confidence, ORANGE, dashes)
        for each, dashes in zip(report.others, ("-", "--", "-.", ":"), strict=True)
    ]
    for name, confidence, colour, dashes in kinds:
        above = 1 - np.searchsorted(np.sort(confidence), levels) / len(confidence)
        axes.plot(levels, above, color=colour, linewidth=1.8, linestyle=dashes, label=name)
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.02, 1.03)
    axes.set_xlabel("confidence: probability times digitness")
    axes.set_ylabel("have at least as much")
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    _dress(axes)
    _percent(axes, "x")
    _percent(axes, "y")
    return _svg(figure, "How confident the model is of digits, and of what is none")


def draw_curve(curve: Curve) -> str:
    """Accuracy against the amount of a change, with its 95 % band."""
    figure = _figure(SMALL_HEIGHT)
    axes = figure.subplots()
    values, low, high = np.array(curve.accuracies).T
    axes.fill_between(curve.amounts, low, high, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(curve.amounts, values, color=BLUE, linewidth=1.8, marker="o", markersize=3.5)
    axes.set_ylim(0, 1.03)
    axes.set_xlabel(curve.unit)
    _dress(axes)
    _percent(axes, "y")
    return _svg(figure, f"{curve.name}: accuracy against {curve.unit}")


def _figure(height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), layout="constrained")


def _dress(axes: Axes) -> None:
    axes.grid(axis="y", color=MUTED, alpha=0.35, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(MUTED)
    axes.tick_params(colors=INK, which="both", labelsize=9, length=3)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(INK)
        label.set_fontsize(9)


def _percent(axes: Axes, axis: str, decimals: int | None = 0) -> None:
    from matplotlib.ticker import PercentFormatter

    getattr(axes, f"{axis}axis").set_major_formatter(PercentFormatter(1, decimals))


def _svg(figure: Figure, title: str) -> str:
    """The figure as an SVG element for a page: the page's font and colours, no size of its own, no ids to collide."""
    import matplotlib

    drawn = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": title}):
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(drawn, format="svg", transparent=True, metadata=nothing)
    text = drawn.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", text)
    text = re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', rf'<svg \1 role="img" aria-label="{title}">', text, count=1)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, variable)
    return text.replace("xlink:href", "href")
