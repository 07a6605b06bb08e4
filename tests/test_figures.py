"""The pictures of a run: what they show, and that the files are whole."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from pendigit.errors import OutputError
from pendigit.judging import figures
from pendigit.judging.evaluation import score

RANDOM = np.random.default_rng(0)
FRAMES = RANDOM.integers(0, 256, (50, 28, 28), np.uint8)


def texts(figure: Figure) -> list[str]:
    return [found.get_text() for found in figure.findobj(Text) if found.get_text()]


def test_the_example_says_the_predicted_digit_beside_its_probabilities() -> None:
    probabilities = [0.0, 0.01, 0.0, 0.2, 0.0, 0.0, 0.0, 0.79, 0.0, 0.0]
    figure = figures.draw_example(FRAMES[0], probabilities)
    assert "Predicted digit: 7" in texts(figure)
    assert {"79.0%", "20.0%", "1.0%"} <= set(texts(figure))
    picture, bars = figure.axes
    np.testing.assert_array_equal(np.asarray(picture.images[0].get_array()), FRAMES[0])
    assert [bar.get_width() for bar in bars.patches] == probabilities
    coloured = [digit for digit, bar in enumerate(bars.patches) if bar.get_facecolor() == to_rgba(figures.BLUE)]
    assert coloured == [7]


def test_curves_show_validation_only_where_there_is_one() -> None:
    alone = figures.draw_curves([0.5, 0.3], [0.8, 0.9], [None, None], [None, None])
    assert [axes.get_title(loc="left") for axes in alone.axes] == ["Loss", "Accuracy"]
    assert [len(axes.lines) for axes in alone.axes] == [1, 1]
    both = figures.draw_curves([0.5, 0.3], [0.8, 0.9], [0.6, 0.4], [0.7, 0.8])
    assert [len(axes.lines) for axes in both.axes] == [2, 2]
    np.testing.assert_array_equal(both.axes[1].lines[1].get_ydata(), [0.7, 0.8])
    np.testing.assert_array_equal(both.axes[1].lines[1].get_xdata(), [1, 2])
    assert len(figures.draw_curves([], [], [], []).axes) == 2


def test_the_confusion_shows_its_counts_and_colours_only_errors() -> None:
    predicted = np.array([0, 1, 1, 1, 4])
    scores = score(np.eye(10, dtype=np.float32)[predicted], np.array([0, 1, 1, 7, 4]), "m", "some:test")
    figure = figures.draw_confusion(scores)
    (axes,) = figure.axes
    colours = np.ma.filled(np.ma.asarray(axes.images[0].get_array()), 0)
    assert np.argwhere(colours).tolist() == [[7, 1]]
    written = {(int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in axes.texts}
    assert written == {(0, 0): "1", (1, 1): "2", (4, 4): "1", (7, 1): "1"}
    assert "80.00% of 5 right" in texts(figure)


@pytest.mark.parametrize("count", [0, 3, figures.MISTAKES_SHOWN])
def test_mistakes_show_what_was_read_as_what(count: int) -> None:
    probabilities = np.full((count, 10), 0.01, np.float32)
    probabilities[:, 4] = 0.91
    labels = np.full(count, 9, np.uint8)
    figure = figures.draw_mistakes(FRAMES[:count], labels, probabilities)
    assert sum(bool(re.fullmatch(r"9\D+4\D+91(\.0)?\s?%", text)) for text in texts(figure)) == count
    assert any(text.startswith("The most confident mistakes") for text in texts(figure)) == (count > 0)
    drawn = np.concatenate([np.asarray(image.get_array()).ravel() for axes in figure.axes for image in axes.images])
    assert drawn.sum(dtype=np.int64) == FRAMES[:count].sum(dtype=np.int64)


def test_figures_are_published_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "example.png"
    figures.publish_figure(figures.draw_example(FRAMES[0], [0.1] * 10), path)
    with Image.open(path) as picture:
        picture.load()
        assert picture.format == "PNG"
        assert picture.width > 600
        assert picture.height > 300
        assert len(np.unique(np.asarray(picture.convert("L")))) > 50, "something is drawn"
    before = path.read_bytes()

    def half(_self: Figure, draft: Path, **_: object) -> None:
        draft.write_bytes(before[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", half)
    with pytest.raises(OutputError, match="no space is left"):
        figures.publish_figure(figures.draw_curves([1], [1], [None], [None]), path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["example.png"]


def test_without_a_screen_no_window_is_opened() -> None:
    before = pyplot.get_fignums()
    assert figures.show_figure(figures.draw_example(FRAMES[0], [0.1] * 10)) is False
    assert pyplot.get_fignums() == before, "nor is one left for the next plt.show()"
