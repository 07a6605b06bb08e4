"""Thresholds: bounds against SciPy, and the promise kept as often as it says over many calibration sets."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from pendigit.errors import DataError, UsageError
from pendigit.judging.rejection import (
    MOST,
    area_under_risks,
    binomial_tail,
    find_threshold,
    least_count,
    promises,
    risks,
    upper_bound,
)

COUNTS = st.integers(1, 20_000).flatmap(lambda count: st.tuples(st.integers(0, min(count, 300)), st.just(count)))


@given(COUNTS, st.floats(1e-5, 0.999))
def test_the_tail_is_scipys(pair: tuple[int, int], share: float) -> None:
    assert binomial_tail(*pair, share) == pytest.approx(binom.cdf(*pair, share), rel=1e-8, abs=1e-100)


def test_the_tail_of_what_never_or_always_happens() -> None:
    assert (binomial_tail(0, 5, 0.0), binomial_tail(4, 5, 1.0), binomial_tail(5, 5, 1.0)) == (1, 0, 1)


@given(COUNTS, st.floats(1e-4, 0.3))
def test_the_bound_is_clopper_pearsons(pair: tuple[int, int], risk: float) -> None:
    expected = binomtest(*pair, alternative="less").proportion_ci(1 - risk, method="exact").high
    assert upper_bound(*pair, risk) == pytest.approx(expected, rel=1e-8)


def test_nothing_counted_promises_nothing() -> None:
    assert upper_bound(0, 0, 0.05) == upper_bound(3, 3, 0.05) == 1


def test_risks_by_hand_and_ties_shared() -> None:
    confidence, correct = np.array([0.9, 0.5, 0.7, 0.7]), np.array([True, True, False, True])
    np.testing.assert_allclose(risks(confidence, correct), [0, 0.25, 1 / 3, 0.25])
    assert area_under_risks(confidence, correct) == pytest.approx((0.25 + 1 / 3 + 0.25) / 4)
    assert area_under_risks(confidence[:0], correct[:0]) == 0
    assert area_under_risks(confidence, np.ones(4, bool)) == 0


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=50))
def test_order_changes_no_risk(pairs: list[tuple[int, bool]]) -> None:
    confidence, correct = np.array([p for p, _ in pairs]) / 8, np.array([hit for _, hit in pairs], bool)
    found = risks(confidence, correct)
    np.testing.assert_allclose(found, risks(confidence[::-1], correct[::-1]), atol=1e-12)
    assert found[-1] == pytest.approx(1 - correct.mean())
    shuffled = [np.random.default_rng(seed).permutation(len(pairs)) for seed in range(200)]
    at = len(pairs) // 2
    first = [1 - correct[order][np.argsort(-confidence[order], kind="stable")][: at + 1].mean() for order in shuffled]
    assert found[at] == pytest.approx(np.mean(first), abs=0.17), "equal ones count as if in random order"


def test_too_few_digits_say_how_many_are_needed() -> None:
    needed = least_count(0.01)
    assert needed == 374, "299 right ones in a row are too improbable at 1 % of errors, and a fifth sets the ladder"
    enough = np.linspace(0.5, 1, needed)
    with pytest.raises(DataError, match=r"373 digits.*at least 374 .* 1\.000% .* 95\.0%"):
        find_threshold(enough[1:], np.ones(needed - 1, bool), 0.01)
    found = find_threshold(enough, np.ones(needed, bool), 0.01)
    assert (found.threshold, found.accepted, found.wrong, found.coverage) == (0, 299, 0, 1)
    with pytest.raises(DataError, match=r"\d of the 299 most confident digits wrong; .*check the labels"):
        find_threshold(enough, np.arange(needed) % 100 != 0, 0.01)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_a_limit_is_a_share(share: float) -> None:
    with pytest.raises(UsageError, match="above 0 and below 1"):
        find_threshold(np.ones(1_000), np.ones(1_000, bool), share)
    with pytest.raises(UsageError, match="a level of"):
        find_threshold(np.ones(1_000), np.ones(1_000, bool), 0.1, level=share)


def test_the_lowest_threshold_that_can_be_promised_is_taken() -> None:
    confidence = np.arange(1, 10_001) / 10_000
    correct = confidence > 0.049  # 490 errors, all below that
    found = find_threshold(confidence, correct, 0.01)
    assert found.count == 8_000
    assert 0.035 < found.threshold < 0.049
    assert 0.95 < found.coverage < 0.97
    assert binom.cdf(found.wrong, found.accepted, 0.01) <= 0.05
    assert binom.cdf(found.wrong + 30, found.accepted + 30, 0.01) > 0.05, "a rung further down"
    assert find_threshold(confidence, correct, 0.001).threshold > found.threshold
    assert find_threshold(confidence, correct, 0.001).wrong < found.wrong
    assert find_threshold(confidence, correct, 0.06).threshold == 0
    assert find_threshold(confidence[::-1], correct[::-1], 0.01).threshold == pytest.approx(found.threshold, abs=0.01)
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (plain["level"], plain["max_error"]) == (0.95, 0.01)


def test_equal_confidences_are_accepted_or_rejected_together() -> None:
    confidence = np.repeat([0.6, 1.0], [300, 3_000])
    correct = np.repeat([False, True], [300, 3_000])
    found = find_threshold(confidence, correct, 0.01)
    assert (found.threshold, found.wrong) == (1.0, 0)
    assert found.coverage == pytest.approx(3_000 / 3_300, abs=0.02)


def world(random: np.random.Generator, count: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Confidences and whether each is right, and no calibration in them: what is promised must hold anyhow."""
    confidence = np.round(1 - random.random(count) ** 3 * 0.6, 3 if kind == "tied" else 16)
    error = (1 - confidence) ** 1.5 * 0.4
    if kind == "wavy":  # the most confident are wrong more often than those below them
        error = np.where(confidence > 0.999, 0.03, error)
    return confidence, random.random(count) >= error


@pytest.mark.parametrize("kind", ["plain", "tied", "wavy"])
def test_the_promise_is_kept_as_often_as_it_says(kind: str) -> None:
    random = np.random.default_rng(0)
    level, rounds = 0.8, 300  # a level that is missed often enough to count
    future, right = world(random, 400_000, kind)
    order = np.argsort(future)
    errors_above = np.concatenate([np.cumsum(~right[order][::-1])[::-1], [0]])
    broken = given_up = 0
    for _ in range(rounds):
        try:
            found = find_threshold(*world(random, 1_500, kind), max_error=0.02, level=level)
        except DataError:
            given_up += 1
            continue
        start = np.searchsorted(future[order], found.threshold)
        broken += errors_above[start] / (len(future) - start) > 0.02
    assert binom.sf(broken - 1, rounds, 1 - level) > 0.01, f"broken {broken} times in {rounds}"
    assert broken > rounds / 50, "nor is it far more careful than it says"
    assert given_up < rounds / 2


def test_the_bound_of_one_coverage_is_missed_as_often_as_it_may() -> None:
    random = np.random.default_rng(0)
    bounds = np.array([upper_bound(wrong, 700, 0.1) for wrong in range(80)])
    missed = bounds[random.binomial(700, 0.03, 100_000)] < 0.03
    assert 0.06 < np.mean(missed) <= 0.105, "exact, and not much more careful than it must be"


def test_the_limit_is_kept_in_each_group() -> None:
    random = np.random.default_rng(1)
    groups = np.repeat([0, 1], [9_000, 3_000])
    confidence = random.random(12_000)
    error = np.where(groups == 1, (1 - confidence) ** 2 * 0.1, 0.0)  # all errors are in the small group
    correct = random.random(12_000) >= error
    mixed = find_threshold(confidence, correct, 0.02)
    apart = find_threshold(confidence, correct, 0.02, groups=groups)
    own = find_threshold(confidence[groups == 1], correct[groups == 1], 0.02)
    assert mixed.threshold < apart.threshold
    assert apart.threshold == pytest.approx(own.threshold, abs=0.05)
    assert ((1 - apart.threshold) ** 2 * 0.1 / 3) <= 0.02, "the true error above it in the worse group"
    with pytest.raises(DataError, match="100 digits to calibrate on"):
        find_threshold(confidence, correct, 0.02, groups=np.repeat([0, 1], [11_900, 100]))


def test_promises_go_from_the_strictest_and_never_accept_all() -> None:
    random = np.random.default_rng(2)
    confidence = random.random(8_000)
    correct = random.random(8_000) >= (1 - confidence) ** 3 * 0.1
    found = promises(confidence, correct)
    assert [each.max_error for each in found] == sorted(each.max_error for each in found)
    thresholds = [each.threshold for each in found]
    assert thresholds == sorted(thresholds, reverse=True)
    assert found[-1].threshold == pytest.approx(1 - MOST, abs=0.01)
    assert promises(confidence[:10], correct[:10]) == ()
