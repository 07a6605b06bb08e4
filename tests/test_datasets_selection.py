"""Digits chosen by a short text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_writers import as_npz, some
from pendigit.datasets import load_dataset
from pendigit.datasets.selection import PARTS, Selection, parse_selection, select
from pendigit.errors import DataError, UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mnist:test", Selection("mnist", "test")),
        ("mnist:test:0", Selection("mnist", "test", 0, 1)),
        ("mnist:test:0-99", Selection("mnist", "test", 0, 100)),
        ("mini:train:5-5", Selection("mini", "train", 5, 6)),
        ("path/to.npz:test:3", Selection("path/to.npz", "test", 3, 4)),
        (r"C:\sets\mnist.npz:train", Selection(r"C:\sets\mnist.npz", "train")),
        ("a:b/c.csv:train:1-2", Selection("a:b/c.csv", "train", 1, 3)),
    ],
)
def test_what_is_understood(text: str, expected: Selection) -> None:
    assert parse_selection(text) == expected


@given(st.sampled_from(["mini", "a/b.npz", r"D:\x"]), st.sampled_from(PARTS), st.integers(0, 10**6), st.data())
def test_the_text_of_a_selection_means_it(dataset: str, part: str, start: int, data: st.DataObject) -> None:
    stop = data.draw(st.integers(start + 1, start + 10**6))
    for selection in (Selection(dataset, part), Selection(dataset, part, start, stop)):
        assert parse_selection(str(selection)) == selection


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mnist", "^'mnist'; expected SET:PART"),
        ("", "^''; expected SET:PART"),
        (":test", "expected SET:PART"),
        ("mnist:tset", "part 'tset'.*write mnist:test"),
        ("mnist:test:", "range ''"),
        ("mnist:test:-1", "range '-1'"),
        ("mnist:test:1-", "range '1-'"),
        ("mnist:test:a", "range 'a'"),
        ("mnist:test:9-3", "range '9-3'.*write 3-9"),
        ("mnist:test:²", "range '²'"),
        ("mnist:test:1:2", "expected"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_selection(text)


def test_selecting(tmp_path: Path) -> None:
    mini = load_dataset("mini")
    frames, labels, indices = select(parse_selection("mini:test:7-9"))
    np.testing.assert_array_equal(frames, mini.x_test[7:10])
    np.testing.assert_array_equal(labels, mini.y_test[7:10])
    assert indices.tolist() == [7, 8, 9]
    (tmp_path / "it.npz").write_bytes(as_npz(some(mini, 5, 3)))
    frames, labels, indices = select(parse_selection(f"{tmp_path / 'it.npz'}:train"))
    np.testing.assert_array_equal(frames, mini.x_train[:5])
    assert indices.tolist() == [0, 1, 2, 3, 4]


def test_selecting_what_is_not_there() -> None:
    mini = load_dataset("mini")
    with pytest.raises(UsageError, match="index 1000 in mini:test:990-1000; expected 0 to 999"):
        select(parse_selection("mini:test:990-1000"), mini)
    with pytest.raises(DataError, match="some has no test part"):
        select(parse_selection("mini:test:0"), some(mini, 3, 0))
