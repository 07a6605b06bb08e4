"""The split and the built-in sample: fixed for good, with each label's share."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dataset_writers import some
from pendigit.datasets import MINI, load_dataset
from pendigit.datasets.split import split, stratified
from pendigit.errors import UsageError


def test_the_sample_is_what_it_says() -> None:
    mini = load_dataset("mini")
    assert mini.name == "mini"
    assert (mini.x_train.shape, mini.x_test.shape) == ((6000, 28, 28), (1000, 28, 28))
    assert mini.digest == "e0e9146f0882775755c9d7aa7bc498d327a1c0ffd13abf41a794e7accaf20756"
    assert MINI.stat().st_size < 1_500_000
    # A tenth of MNIST's own counts, to the next whole number.
    mnist = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert abs(np.bincount(mini.y_train) - np.array(mnist) / 10).max() < 1


@given(arrays.arrays(np.uint8, st.integers(1, 300), elements=st.integers(0, 9)), st.data())
def test_each_label_has_its_share(labels: np.ndarray, data: st.DataObject) -> None:
    size = data.draw(st.integers(0, len(labels)))
    drawn = stratified(labels, size)
    assert len(drawn) == size
    assert (np.diff(drawn) > 0).all()
    shares = np.bincount(labels, minlength=10) * size / len(labels)
    assert abs(np.bincount(labels[drawn], minlength=10) - shares).max() < 1


@pytest.mark.parametrize("validation", [0, 1, 600, 5999])
def test_the_split_parts_the_training_digits(validation: int) -> None:
    mini = load_dataset("mini")
    training, aside = split(mini, validation)
    assert len(aside) == validation
    np.testing.assert_array_equal(np.sort(np.concatenate([training, aside])), np.arange(6000))


def test_the_split_never_changes() -> None:
    _, aside = split(load_dataset("mini"), 1000)
    assert aside[:5].tolist() == [10, 12, 15, 16, 20]
    assert (
        hashlib.sha256(aside.astype("<i8").tobytes()).hexdigest()
        == "011f4238d542ed17fe973536b377d20c0dc52747a38da9ff26a4ecf28b90c315"
    )


@pytest.mark.parametrize("validation", [-1, 20, 21])
def test_sizes_out_of_range(validation: int) -> None:
    with pytest.raises(UsageError, match=f"^{validation} validation digits; expected 0 to 19, as some has 20"):
        split(some(load_dataset("mini"), 20, 5), validation)
