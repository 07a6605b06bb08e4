"""The row network that ships: any width, several slants where a row leaves doubt, and files that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pendigit.errors import ModelError
from pendigit.models import shipped
from pendigit.reading.columns import read_columns
from pendigit.reading.networks import load_row_network
from pendigit.rowframe import BLANK, CLASSES, COLUMN, OTHER, ROW_HEIGHT, slanted, to_row
from pendigit.rownet import BESIDE, FULLER, PAPER, SLANTS, RowNetwork, doubtful
from pendigit.writing.forms import write
from pendigit.writing.pens import draw
from pendigit.writing.slips import on_slip
from pendigit.writing.strings import random_hand, write_line
from written_rows import touching_numbers


def test_the_network_that_ships_takes_rows_of_any_width() -> None:
    network = load_row_network()
    for width in (4, 100, 640):
        judged = network.judge(np.zeros((ROW_HEIGHT, width), np.uint8))
        assert judged.shape == (width // COLUMN, CLASSES)
        assert np.allclose(np.exp(judged).sum(axis=1), 1, atol=1e-4)
        assert read_columns(judged).digits == ()


def test_a_slanted_row_keeps_its_middle_and_comes_back() -> None:
    rng = np.random.default_rng(1)
    digits = {str(digit): draw(rng, write(rng, digit), 0.09) for digit in range(10)}
    line = write_line(rng, "3524", lambda rng, c: digits[c], random_hand(rng, touching=0), 6)
    frame = to_row(on_slip(rng, line, hard=0).grey)
    leaning = slanted(frame, 0.3)
    assert leaning.shape == frame.shape
    assert (leaning[ROW_HEIGHT // 2] == frame[ROW_HEIGHT // 2]).all()
    assert np.abs(slanted(leaning, -0.3).astype(int) - frame)[:, 8:-8].mean() < 4


def test_columns_in_doubt_are_judged_by_their_slants_together() -> None:
    network, doubted = load_row_network(), []
    for text, picture in touching_numbers(12):
        frame = to_row(picture)
        ended = np.pad(frame, ((0, 0), (0, PAPER)))
        chances = np.exp(network.logits(np.stack([ended, *(slanted(ended, slant) for slant in SLANTS)])))
        doubt = np.flatnonzero(doubtful(np.log(chances[0])))
        apart = np.abs(np.arange(chances.shape[1])[:, None] - doubt).min(axis=1, initial=chances.shape[1])
        again = (apart <= BESIDE)[: frame.shape[1] // COLUMN]
        expected = np.where(apart[:, None] <= BESIDE, chances.mean(axis=0), chances[0])[: len(again)]
        expected[:, BLANK] *= np.exp(-FULLER)
        off = np.abs(np.exp(network.judge(frame)) - expected / expected.sum(axis=1, keepdims=True))
        assert off[~again].max(initial=0) < 1e-6
        assert off[again].max(initial=0) < 0.05  # a part is seen without what is further away than its context
        doubted.append(doubt.size > 0)
        assert doubted[-1] or "".join(map(str, read_columns(network.judge(frame)).digits)) == text
    assert 2 <= sum(doubted) <= 10


def test_of_a_long_row_only_what_is_in_doubt_is_seen_again(monkeypatch: pytest.MonkeyPatch) -> None:
    network, seen = load_row_network(), []
    once = network.logits
    monkeypatch.setattr(network, "logits", lambda frames: (seen.append(frames.size), once(frames))[1])
    row = np.concatenate([to_row(picture) for _, picture in touching_numbers(12)], axis=1)
    network.judge(row)
    first, *again = seen
    assert first == ROW_HEIGHT * (row.shape[1] + PAPER)
    assert 1 <= len(again) <= 12
    assert 0 < sum(again) < 0.7 * len(SLANTS) * first


def columns_of(signs: list[dict[int, float]]) -> np.ndarray:
    """Log probabilities (T, 12): some classes' in each column, and nothing."""
    columns = np.full((len(signs), CLASSES), 1e-9, np.float32)
    for column, chances in zip(columns, signs, strict=True):
        column[BLANK] = 1 - sum(chances.values())
        column[list(chances)] = list(chances.values())
    return np.log(columns)


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ([{}, {}], []),
        ([{7: 0.5}, {7: 0.99}, {7: 0.3}, {}], []),  # only where it ends is in doubt
        ([{7: 0.99}, {2: 0.97}], []),
        ([{7: 0.99}, {}, {7: 0.97}], []),
        ([{OTHER: 0.5}, {}], []),  # a sign or nothing: no digit either way
        ([{7: 0.8}, {7: 0.7}, {}], [0, 1]),
        ([{7: 0.99}, {}, {7: 0.1}], [2]),
        ([{7: 0.99}, {2: 0.6}], [1]),
        ([{7: 0.9, 1: 0.07}, {7: 0.99}], [0]),
    ],
)
def test_columns_leave_doubt_where_no_digit_surely_stands(signs: list[dict[int, float]], expected: list[int]) -> None:
    assert np.flatnonzero(doubtful(columns_of(signs))).tolist() == expected


def test_a_file_that_is_no_row_network(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="use a row network"):
        RowNetwork(shipped()["classic"])
    with pytest.raises(ModelError):
        RowNetwork(tmp_path / "missing.onnx")
