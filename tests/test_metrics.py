"""Scores against SciPy and against counts done by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax
from scipy.stats import binomtest, mannwhitneyu

from pendigit.errors import DataError
from pendigit.judging.evaluation import evaluate_frames, score
from pendigit.judging.metrics import (
    area_under_roc,
    confident_mistakes,
    confusion_matrix,
    negative_log_likelihood,
    precision_recall,
    wilson_interval,
)


@given(st.integers(1, 70_000).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_the_interval_is_scipys_wilson_interval(pair: tuple[int, int]) -> None:
    correct, count = pair
    low, high = wilson_interval(correct, count)
    expected = binomtest(correct, count).proportion_ci(0.95, method="wilson")
    assert low == pytest.approx(expected.low, abs=1e-12)
    assert high == pytest.approx(expected.high, abs=1e-12)
    assert 0 <= low <= correct / count + 1e-12
    assert correct / count - 1e-12 <= high <= 1


def test_nothing_counted_leaves_everything_open() -> None:
    assert wilson_interval(0, 0) == (0, 1)


def test_confusion_counts_true_against_predicted() -> None:
    confusion = confusion_matrix([3, 3, 5, 9, 0], [3, 5, 5, 0, 0])
    assert {(i, j): int(confusion[i, j]) for i, j in np.argwhere(confusion)} == {
        (3, 3): 1,
        (3, 5): 1,
        (5, 5): 1,
        (9, 0): 1,
        (0, 0): 1,
    }
    assert confusion.shape == (10, 10)
    assert confusion_matrix(np.zeros(0, np.uint8), np.zeros(0, np.int64)).sum() == 0


def test_labels_of_one_byte_do_not_overflow() -> None:
    labels = np.array([9], np.uint8)  # 9 * 10 + 9 fits, 30 * 10 would not: the product is taken in 64 bits
    assert confusion_matrix(labels, labels)[9, 9] == 1


def test_precision_and_recall_by_hand() -> None:
    precision, recall = precision_recall(confusion_matrix([1, 1, 1, 2, 2, 3], [1, 1, 2, 2, 1, 1]))
    assert precision[1:5] == [2 / 4, 1 / 2, None, None]
    assert recall[1:5] == [2 / 3, 1 / 2, 0.0, None]


def test_the_loss_is_the_negative_log_likelihood() -> None:
    random = np.random.default_rng(0)
    logits, labels = random.normal(size=(50, 10)) * 3, random.integers(0, 10, 50)
    expected = -log_softmax(logits, axis=1)[np.arange(50), labels].mean()
    assert negative_log_likelihood(labels, softmax(logits, axis=1)) == pytest.approx(expected, rel=1e-9)


def test_a_flat_zero_costs_much_but_not_everything() -> None:
    certain = np.eye(10)[[4]]
    assert negative_log_likelihood([4], certain) == 0
    assert 20 < negative_log_likelihood([5], certain) < 40


def test_confident_mistakes_come_first_and_right_answers_never() -> None:
    probabilities = np.full((4, 10), 0.0)
    probabilities[0, [1, 2]] = 0.6, 0.4  # label 2: wrong at 0.6
    probabilities[1, [1, 2]] = 0.9, 0.1  # label 2: wrong at 0.9
    probabilities[2, 7] = 1.0  # right
    probabilities[3, [3, 4]] = 0.6, 0.4  # label 4: wrong at 0.6, later
    assert confident_mistakes([2, 2, 7, 4], probabilities).tolist() == [1, 0, 3]


def test_score_counts_total_correct_over_total_seen() -> None:
    probabilities = np.eye(10, dtype=np.float32)[[0, 1, 2, 3]] * 0.91 + 0.009
    scores = score(probabilities, np.array([0, 1, 2, 9], np.uint8), "some model", "some:test")
    assert (scores.count, scores.correct, scores.accuracy) == (4, 3, 0.75)
    assert scores.confusion[9][3] == 1
    assert np.trace(scores.confusion) == 3
    assert scores.loss == pytest.approx(-(3 * np.log(0.919) + np.log(0.009)) / 4, rel=1e-5)
    plain = json.loads(json.dumps(scores.to_dict(), allow_nan=False))
    assert plain["precision"][4] is None
    assert plain["model"] == "some model"
    assert plain["data"] == "some:test"


def test_nothing_to_score_is_an_error() -> None:
    class Nothing:
        name = "nothing"

        def predict_proba(self, frames: object) -> np.ndarray:
            return np.zeros((0, 10), np.float32)

    with pytest.raises(DataError, match="some:test is empty"):
        evaluate_frames(Nothing(), [], [], "some:test")  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.lists(st.integers(0, 5), min_size=1, max_size=20))
def test_the_area_under_the_roc_curve_is_the_u_statistic(ours: list[int], theirs: list[int]) -> None:
    expected = mannwhitneyu(ours, theirs).statistic / (len(ours) * len(theirs))
    assert area_under_roc(ours, theirs) == pytest.approx(expected)
