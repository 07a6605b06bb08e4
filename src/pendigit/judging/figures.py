"""The pictures of a run: learning curves, confusion, mistakes, the example. Matplotlib, without a screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib.backends.backend_agg  # noqa: F401 - loaded with the rest, not at the first drawing
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pendigit.classifier import DIGITS, SIDE
from pendigit.errors import OutputError
from pendigit.files import publish
from pendigit.results import Evaluation

INK = "#1f2937"  # text and axes
MUTED = "#9aa3af"  # what stays in the background
BLUE = "#2563eb"  # what was asked for
ORANGE = "#ea580c"  # what went wrong
FORMATS = (".png", ".jpg", ".pdf", ".svg", ".webp")
DPI = 120  # pixels an inch
TITLE = 0.45  # inches above the axes
MISTAKE_ROWS, MISTAKE_COLUMNS = 5, 8
MISTAKES_SHOWN = MISTAKE_ROWS * MISTAKE_COLUMNS  # as many as stay legible on one sheet
CELL_HEIGHT, CELL_WIDTH = SIDE + 10, SIDE + 14  # pixels of a frame's place on that sheet, its label above it


def draw_curves(
    loss: Sequence[float],
    accuracy: Sequence[float],
    val_loss: Sequence[float | None],
    val_accuracy: Sequence[float | None],
) -> Figure:
    """Loss (nats) and accuracy after each epoch, of training and, where given, of validation."""
    figure = _figure(8, 3.2, left=0.6, bottom=0.5, gap=0.25)
    epochs = range(1, len(loss) + 1)
    for axes, title, training, validation in zip(
        figure.subplots(1, 2), ("Loss", "Accuracy"), (loss, accuracy), (val_loss, val_accuracy), strict=True
    ):
        axes.plot(epochs, training, color=BLUE, marker="o", markersize=4, label="training")
        if any(value is not None for value in validation):
            values = [np.nan if value is None else value for value in validation]
            axes.plot(epochs, values, color=ORANGE, marker="o", markersize=4, label="validation")
            axes.legend(frameon=False)
        axes.set_title(title, loc="left", fontweight="bold")
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(axis="y", color=MUTED, alpha=0.3)
        _bare(axes)
    return figure


def draw_confusion(evaluation: Evaluation) -> Figure:
    """Counts of true digit against predicted digit; the colour shows the errors alone."""
    figure = _figure(5.6, 5.7, left=0.6, bottom=0.55)
    axes = figure.subplots()
    counts = np.asarray(evaluation.confusion)
    errors = counts * (1 - np.eye(DIGITS, dtype=counts.dtype))
    axes.imshow(np.ma.masked_equal(errors, 0), cmap="Oranges", vmin=0, vmax=max(1, int(errors.max()) * 1.4))
    for true, predicted in np.ndindex(counts.shape):
        count = int(counts[true, predicted])
        if count:
            right = true == predicted
            axes.text(predicted, true, str(count), ha="center", va="center", fontsize=8, color=BLUE if right else INK)
    axes.set_xticks(range(DIGITS))
    axes.set_yticks(range(DIGITS))
    axes.set_xlabel("predicted digit")
    axes.set_ylabel("true digit")
    axes.set_title(f"{evaluation.accuracy:.2%} of {evaluation.count:,} right", loc="left", fontweight="bold")
    _bare(axes)
    axes.tick_params(length=0)
    return figure


def draw_mistakes(
    frames: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8], probabilities: npt.NDArray[np.float32]
) -> Figure:
    """The most confident mistakes, in the order given: frames (n, 28, 28), labels (n,), probabilities (n, 10)."""
    figure = _figure(8, 5.1)
    title = "The most confident mistakes: what it is, what it was read as" if len(frames) else "No mistakes"
    axes = figure.subplots()
    axes.set_title(title, loc="left", fontweight="bold", pad=10)
    axes.axis("off")
    # One picture of all frames: as many axes as frames would take a second to draw.
    sheet = np.zeros((MISTAKE_ROWS * CELL_HEIGHT, MISTAKE_COLUMNS * CELL_WIDTH), np.uint8)
    for index in range(min(len(frames), MISTAKES_SHOWN)):
        row, column = divmod(index, MISTAKE_COLUMNS)
        y, x = row * CELL_HEIGHT + CELL_HEIGHT - SIDE, column * CELL_WIDTH + (CELL_WIDTH - SIDE) // 2
        sheet[y : y + SIDE, x : x + SIDE] = frames[index]
        best = int(probabilities[index].argmax())
        label = f"{labels[index]} → {best}   {probabilities[index, best]:.0%}"
        axes.text(x + SIDE / 2, y - 1, label, fontsize=8, color=INK, ha="center", va="bottom")
    axes.imshow(sheet, cmap="gray_r", vmin=0, vmax=255)
    return figure


def draw_example(
    picture: npt.NDArray[np.uint8], probabilities: Sequence[float], frame: npt.NDArray[np.uint8] | None = None
) -> Figure:
    """A picture, "Predicted digit: N" above it, and its ten probabilities (10,) beside it.

    The frame (28, 28) that the network saw is drawn between them where it is not the picture itself.
    """
    best = int(np.argmax(probabilities))
    framed = frame is not None and not np.array_equal(picture, frame)
    figure = _figure(9.5 if framed else 7, 3.2)
    left, *middle, right = figure.subplots(1, 3 if framed else 2, width_ratios=(1, 1, 1.25) if framed else (1, 1.25))
    left.imshow(picture, cmap="gray", vmin=0, vmax=255)
    left.axis("off")
    left.set_title(f"Predicted digit: {best}", loc="left", fontweight="bold", fontsize=13)
    for axes in middle:
        axes.imshow(frame, cmap="gray", vmin=0, vmax=255)
        axes.axis("off")
        axes.set_title("What the network sees", loc="left", fontsize=10, color=INK)
    bars = right.barh(range(DIGITS), probabilities, color=[BLUE if digit == best else MUTED for digit in range(DIGITS)])
    right.bar_label(bars, [f"{value:.1%}" if value >= 0.0005 else "" for value in probabilities], padding=3, fontsize=8)
    right.set_yticks(range(DIGITS))
    right.invert_yaxis()
    right.set_xlim(0, 1.18)  # room for the label of a bar of 1
    right.set_xticks([])
    right.set_title("Probability of each digit", loc="left", fontsize=10, color=INK)
    _bare(right)
    right.tick_params(length=0)
    right.spines["bottom"].set_visible(False)
    return figure


def draw_sheet(frames: npt.NDArray[np.uint8], title: str) -> Figure:
    """Rows of frames (rows, columns, 28, 28) uint8 in one picture."""
    rows, columns = frames.shape[:2]
    figure = _figure(columns * 0.6 + 0.4, rows * 0.6 + TITLE + 0.2)
    axes = figure.subplots()
    axes.imshow(frames.swapaxes(1, 2).reshape(rows * SIDE, columns * SIDE), cmap="gray_r", vmin=0, vmax=255)
    axes.set_title(title, loc="left", fontweight="bold")
    axes.axis("off")
    return figure


def publish_figure(figure: Figure, path: Path) -> None:
    """Write `figure` in the format that the name's ending says. Raises OutputError."""
    if path.suffix.lower() not in FORMATS:
        raise OutputError(f"{path} names no format of pictures", f"an ending among {', '.join(FORMATS)}", "add one")
    with publish(path) as draft:
        figure.savefig(draft, dpi=DPI, facecolor="white")


def show_figure(figure: Figure) -> bool:
    """Open the window that `plt.show()` opens and wait until it is closed; False, and nothing, without a screen."""
    from matplotlib import pyplot

    window = pyplot.figure(figsize=figure.get_size_inches())
    canvas = window.canvas
    if canvas.required_interactive_framework is None:
        pyplot.close(window)
        return False
    canvas.figure = figure
    figure.set_canvas(canvas)
    pyplot.show()
    return True


def _figure(
    width: float, height: float, left: float = 0.2, right: float = 0.2, bottom: float = 0.2, gap: float = 0.2
) -> Figure:
    """An empty figure of `width` x `height` inches, without pyplot and its global state.

    The margins are given, in inches: an engine that finds them would draw everything twice.
    """
    figure = Figure(figsize=(width, height))
    figure.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - TITLE / height, wspace=gap)
    return figure


def _bare(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(MUTED)
    axes.tick_params(colors=INK)
