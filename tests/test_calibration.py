"""Calibration against SciPy's optimiser and counts done by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from pendigit.errors import DataError
from pendigit.judging.calibration import (
    LEAST_TEMPERATURE,
    calibration_error,
    confidences,
    fit_temperature,
    reliability,
    temper,
)
from pendigit.judging.metrics import bootstrap_interval, negative_log_likelihood


def draw(count: int, spread: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits (n, 10), their softmax, and labels drawn from it: calibrated by construction."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(count, 10)) * spread
    shares = softmax(logits, axis=1)
    labels = (shares.cumsum(axis=1) > random.random((count, 1))).argmax(axis=1)
    return logits, shares, labels


@pytest.mark.parametrize("true", [0.5, 1.0, 2.5])
def test_the_temperature_minimises_the_loss_as_scipy_does(true: float) -> None:
    logits, _, labels = draw(4_000, 3.0)
    shares = softmax(logits * true, axis=1).astype(np.float32)  # too certain by a factor of `true`
    found = fit_temperature(shares, labels)
    best = minimize_scalar(
        lambda power: negative_log_likelihood(labels, temper(shares, np.exp(power))), bounds=(-2, 2), method="bounded"
    )
    assert np.log(found) == pytest.approx(best.x, abs=2e-3)
    assert found == pytest.approx(true, rel=0.06)
    assert negative_log_likelihood(labels, temper(shares, found)) <= negative_log_likelihood(labels, shares) + 1e-9


def test_tempering_divides_logits_and_keeps_the_digit() -> None:
    logits, shares, _ = draw(200, 3.0)
    np.testing.assert_allclose(temper(shares, 2.0), softmax(logits / 2, axis=1), atol=1e-6)
    np.testing.assert_allclose(temper(shares, 1.0), shares, atol=1e-6)
    assert (temper(shares, 5.0).argmax(axis=1) == shares.argmax(axis=1)).all()


def test_labels_that_are_all_right_ask_for_certainty_and_none_for_an_error() -> None:
    shares = np.full((5, 10), 0.05) + np.eye(10)[[1, 2, 3, 4, 5]] * 0.5
    assert fit_temperature(shares, [1, 2, 3, 4, 5]) == pytest.approx(LEAST_TEMPERATURE)
    certain = np.eye(10, dtype=np.float32)[[1, 2, 3]]  # zeros, whose logarithm is not finite
    assert fit_temperature(certain, [1, 2, 4]) > 10
    with pytest.raises(DataError, match="no labels"):
        fit_temperature(np.empty((0, 10)), [])


def test_bins_by_hand() -> None:
    confidence = np.array([0.11, 0.12, 0.5, 0.95, 1.0])
    correct = np.array([True, False, True, True, False])
    bins = reliability(confidence, correct, bins=10)
    assert [(each.count, each.correct) for each in bins] == [(2, 1), (1, 1), (2, 1)]
    assert (bins[0].low, bins[0].high) == pytest.approx((0.1, 0.2))
    assert (bins[1].low, bins[1].high) == pytest.approx((0.4, 0.5)), "an edge belongs to the bin below it"
    assert bins[0].gap == pytest.approx(0.115 - 0.5)
    expected = (2 * (0.5 - 0.115) + 1 * 0.5 + 2 * (0.975 - 0.5)) / 5
    assert calibration_error(bins) == pytest.approx(expected)
    assert calibration_error(reliability(confidence[:0], correct[:0])) == 0


def test_adaptive_bins_hold_equally_many() -> None:
    random = np.random.default_rng(0)
    confidence = 1 - random.random(3_000) ** 6 * 0.5
    bins = reliability(confidence, random.random(3_000) < confidence, adaptive=True)
    assert [each.count for each in bins] == [200] * 15
    assert all(each.low < each.confidence <= each.high for each in bins)
    tied = reliability(np.ones(30), np.ones(30, bool), adaptive=True)
    assert [(each.count, each.correct) for each in tied] == [(30, 30)]


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60), st.booleans())
def test_bins_lose_nobody(pairs: list[tuple[float, bool]], adaptive: bool) -> None:
    confidence, correct = np.array([p for p, _ in pairs]), np.array([hit for _, hit in pairs], bool)
    bins = reliability(confidence, correct, adaptive=adaptive)
    assert sum(each.count for each in bins) == len(pairs)
    assert sum(each.correct for each in bins) == correct.sum()
    assert all(each.low <= each.confidence + 1e-12 and each.confidence <= each.high + 1e-12 for each in bins)
    assert 0 <= calibration_error(bins) <= 1


def test_a_calibrated_classifier_has_a_small_error_and_a_boastful_one_a_large() -> None:
    logits, shares, labels = draw(20_000, 2.0)
    assert calibration_error(reliability(*confidences(labels, shares))) < 0.015
    assert calibration_error(reliability(*confidences(labels, softmax(logits * 2, axis=1)))) > 0.08


@settings(max_examples=5)
@given(st.integers(0, 1_000))
def test_the_bootstrap_of_a_mean_is_as_wide_as_theory_says(seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=500)
    low, high = bootstrap_interval(lambda drawn: float(drawn.mean()), values, seed=seed)
    half = 1.96 * values.std() / np.sqrt(500)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=half / 4)
    assert (low, high) == bootstrap_interval(lambda drawn: float(drawn.mean()), values, seed=seed)
    assert bootstrap_interval(lambda drawn: float(drawn.mean()), values[:0]) == (0, 0)


def test_writers_who_differ_widen_the_interval() -> None:
    writers = np.repeat(np.arange(10), 100)
    values = writers / 10.0
    alone = bootstrap_interval(lambda drawn: float(drawn.mean()), values)
    whole = bootstrap_interval(lambda drawn: float(drawn.mean()), values, groups=writers)
    assert whole[1] - whole[0] > 5 * (alone[1] - alone[0])
