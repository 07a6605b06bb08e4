"""The search for the likeliest numbers that obey rules, against trying everything."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import exp, inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import luhn

from pendigit.reading.checks import find_check
from pendigit.reading.lattice import Edge, Lattice, paths, weight
from pendigit.reading.rules import Rules
from pendigit.reading.sums import best_sum

FEW = settings(max_examples=40)


@st.composite
def lattices(draw: st.DrawFn) -> Lattice:
    """Up to five positions, each joined to the next, and other edges."""
    end = draw(st.integers(1, 5))
    digits, score = st.sampled_from([None, 0, 1, 2, 7]), st.floats(-9, 0).map(lambda value: round(value, 3))
    pairs = [(at, at + 1) for at in range(end)]
    pairs += draw(st.lists(st.tuples(st.integers(0, end - 1), st.integers(1, end)).filter(lambda p: p[0] < p[1])))
    return Lattice(end, [Edge(*pair, draw(digits), draw(score), index) for index, pair in enumerate(pairs[:14])])


RULES = st.sampled_from(
    [
        Rules(),
        Rules(digits=2),
        Rules(digits=(2, 3)),
        Rules(pattern="#1-#"),
        Rules(between=(7, 120)),
        Rules(check="luhn"),
        Rules(digits=3, check="luhn", between=(0, 500)),
        Rules(check="damm"),
    ]
)


def every_way(lattice: Lattice, at: int = 0, text: str = "", score: float = 0.0) -> Iterator[tuple[str, float]]:
    if at == lattice.end:
        yield text, score
    for edge in lattice.after[at]:
        yield from every_way(
            lattice, edge.end, text + ("" if edge.digit is None else str(edge.digit)), score + edge.score
        )


def obeys(text: str, rules: Rules) -> bool:
    """What the options say, in words of their own."""
    least, most = rules.digits if isinstance(rules.digits, tuple) else (rules.digits or 1, rules.digits or 99)
    return (
        least <= len(text) <= most
        and (rules.pattern is None or (len(text) == 3 and text[1] == "1"))
        and (rules.between is None or rules.between[0] <= int(text) <= rules.between[1])
        and (rules.check is None or find_check(rules.check)(text))
    )


@FEW
@given(lattices(), RULES)
def test_the_search_finds_what_trying_everything_finds(lattice: Lattice, rules: Rules) -> None:
    best: dict[str, float] = {}
    for text, score in every_way(lattice):
        if text and obeys(text, rules):
            best[text] = max(score, best.get(text, -inf))
    found = list(rules.numbers(lattice))
    assert {path.text for path in found} == set(best)
    assert [path.score for path in found] == pytest.approx(sorted(best.values(), reverse=True))
    for path in found:
        assert path.score == pytest.approx(best[path.text])
        assert "".join(str(edge.digit) for edge in path.edges) == path.text
        assert all(one.end <= other.start for one, other in zip(path.edges, path.edges[1:], strict=False))


@FEW
@given(lattices())
def test_a_numbers_probability_is_that_of_all_its_ways(lattice: Lattice) -> None:
    sums: dict[str, float] = {}
    for text, score in every_way(lattice):
        sums[text] = sums.get(text, 0.0) + exp(score)
    for text, total in sums.items():
        assert weight(lattice, text) == pytest.approx(log(total))
    assert weight(lattice, "9") == -inf


def row(*places: dict[int, float]) -> Lattice:
    """A row whose digits each have some probabilities."""
    edges = [Edge(at, at + 1, digit, log(p), at) for at, place in enumerate(places) for digit, p in place.items()]
    return Lattice(len(places), edges)


def test_a_check_digit_mends_the_likeliest_error() -> None:
    read = row({7: 0.6, 1: 0.4}, {9: 1.0}, {9: 0.9, 4: 0.1}, {2: 1.0}, {7: 0.3, 1: 0.6}, {3: 1.0})
    assert next(paths(read)).text == "799213"
    mended = next(Rules(check="luhn").numbers(read)).text
    right = [text for text, _ in every_way(read) if luhn.is_valid(text)]
    assert mended in right
    assert mended == max(right, key=lambda text: weight(read, text))


def test_numbers_of_a_column_add_up() -> None:
    rows = [row({1: 0.9, 7: 0.1}, {2: 1.0}), row({3: 0.6, 8: 0.4}, {0: 1.0}), row({9: 0.7, 4: 0.3}, {2: 0.9, 7: 0.1})]
    streams = [Rules().numbers(each) for each in rows]
    found = best_sum(streams[:2], streams[2])
    assert found is not None
    assert [path.text for path in found[0]] + [found[1].text] == ["12", "80", "92"]
    assert best_sum([Rules().numbers(rows[0])], Rules().numbers(rows[1])) is None


@FEW
@given(st.integers(0, 2**32))
def test_sums_are_the_likeliest_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [
        row(*(dict(zip(range(4), rng.dirichlet([0.5] * 4) + 1e-9, strict=True)) for _ in range(2))) for _ in range(3)
    ]
    numbers = [list(Rules().numbers(each)) for each in rows]
    best = max(
        (
            sum(path.score for path in ways)
            for ways in product(*numbers)
            if int(ways[0].text) + int(ways[1].text) == int(ways[2].text)
        ),
        default=None,
    )
    found = best_sum([iter(numbers[0]), iter(numbers[1])], iter(numbers[2]))
    assert (found is None) == (best is None)
    if found is not None:
        assert sum(path.score for path in (*found[0], found[1])) == pytest.approx(best)
