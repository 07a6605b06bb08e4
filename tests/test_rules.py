"""Rules: the search against trying everything, automata against python-stdnum, and what cannot be obeyed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from math import exp, inf, log
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from stdnum import ean, iban, isbn, issn, luhn
from stdnum.iso7064 import mod_97_10

import pendigit
from pendigit.commands import run
from pendigit.errors import ImageError, PendigitError, UsageError
from pendigit.reading.automata import Between, Count, Pattern, Table
from pendigit.reading.checks import find_check, guide
from pendigit.reading.lattice import Edge, Lattice, Rule, paths, weight
from pendigit.reading.reader import Reader
from pendigit.reading.rules import PageRules, Rules
from pendigit.reading.sums import best_sum
from pendigit.writing.conditions import Conditions
from pendigit.writing.glyphs import glyphs_of
from pendigit.writing.pages import write_page

Pixels = NDArray[np.uint8]
FEW = settings(max_examples=40, deadline=None, derandomize=True)
DIGITS = st.text("0123456789", max_size=14)
IBAN = "CH## #### #### #### #### #"


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


def accepts(rule: Rule, text: str) -> bool:
    state = rule.start
    for digit in text:
        state = rule.step(state, int(digit))
        if state is None:
            return False
    return rule.ends(state)


@FEW
@given(DIGITS, st.integers(0, 10**6), st.integers(0, 10**6))
def test_between_counts_as_arithmetic_does(text: str, one: int, other: int) -> None:
    low, high = sorted((one, other))
    inside = [str(low), str(high), str((low + high) // 2), "00" + str(low)]
    for number in [text, *inside, str(low - 1).strip("-"), str(high + 1)]:
        assert accepts(Between(low, high), number) == (number != "" and low <= int(number) <= high)


def test_every_short_number_between_bounds() -> None:
    for low, high in ((0, 0), (9, 10), (99, 400)):
        for length in range(1, 4):
            for digits in product("0123456789", repeat=length):
                text = "".join(digits)
                assert accepts(Between(low, high), text) == (low <= int(text) <= high), (low, high, text)


def valid(name: str, rng: np.random.Generator) -> str:
    """A random number that passes, made by python-stdnum, of digits alone."""
    digits = "".join(map(str, rng.integers(0, 10, 24)))
    made = {
        "luhn": lambda: digits[:9] + luhn.calc_check_digit(digits[:9]),
        "ean": lambda: digits[:12] + ean.calc_check_digit(digits[:12]),
        "isbn": lambda: "978" + digits[:9] + ean.calc_check_digit("978" + digits[:9]),
        "issn": lambda: digits[:7] + issn.calc_check_digit(digits[:7]),
        "iso7064.mod_97_10": lambda: digits[:12] + mod_97_10.calc_check_digits(digits[:12]),
    }
    return made[name]()


@pytest.mark.parametrize("name", ["luhn", "ean", "isbn", "issn", "iso7064.mod_97_10"])
def test_automata_say_what_stdnum_says(name: str) -> None:
    rng = np.random.default_rng(7)
    rule = guide(name)
    assert rule is not None
    judge, passed = find_check(name), 0
    for _ in range(200):
        text = valid(name, rng)
        if rng.random() < 0.5:  # another digit, another length
            at = rng.integers(len(text))
            text = text[:at] + str(rng.integers(10)) * int(rng.integers(0, 3)) + text[at + 1 :]
        if not text.isdigit() or (name == "isbn" and len(text) == 9):
            continue  # an X is not read; nine digits are an ISBN only with a 0 before them
        passed += judge(text)
        assert accepts(rule, text) == judge(text), text
    assert passed > 40


@FEW
@given(st.text("0123456789", min_size=1, max_size=9))
def test_a_known_length_does_not_change_what_luhns_check_says(text: str) -> None:
    rule = guide("luhn", length=len(text))
    assert rule is not None
    assert accepts(rule, text) == luhn.is_valid(text) == accepts(Table(rule), text)


def test_old_isbns_too() -> None:
    rule = guide("isbn")
    assert rule is not None
    rng = np.random.default_rng(8)
    texts = ["".join(map(str, rng.integers(0, 10, 10))) for _ in range(600)]
    assert [accepts(rule, text) for text in texts] == [isbn.is_valid(text) for text in texts]
    assert any(map(isbn.is_valid, texts))


def test_an_iban_needs_its_countrys_letters() -> None:
    rules = Rules(pattern=IBAN, check="iban")
    text = "9300762011623852957"  # of CH93 0076 2011 6238 5295 7, the standard's own example
    assert iban.is_valid(rules.dress(text))
    assert rules.dress(text) == "CH93 0076 2011 6238 5295 7"
    for number in (text, text[:5] + "9" + text[6:], "8" + text[1:]):
        assert accepts(rules.automaton, number) == iban.is_valid(rules.dress(number))
    with pytest.raises(UsageError, match="letters"):
        Rules(check="iban")


@pytest.mark.parametrize(
    "options",
    [
        {"digits": 0},
        {"digits": (4, 3)},
        {"digits": 99},
        {"pattern": ""},
        {"pattern": "AB-"},
        {"pattern": "####", "digits": 5},
        {"between": (5, 4)},
        {"between": (-3, -1)},
        {"between": (1000, 2000), "digits": 3},
        {"check": "luhm"},
        {"check": "os.path"},
        {"check": "util"},
        {"check": "../luhn"},
        {"check": "isbn", "digits": 7},
        {"check": "imei", "digits": 5},
        {"check": "ean", "pattern": "####"},
    ],
    ids=str,
)
def test_rules_that_cannot_be_obeyed_say_so_in_a_line(options: dict[str, object]) -> None:
    with pytest.raises(PendigitError) as caught:
        Rules(**options)  # type: ignore[arg-type]
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("options", [{"rows": 0}, {"sum_of": (0,)}, {"sum_of": (1, 1)}, {"rows": 3, "sum_of": (3,)}])
def test_rules_of_pages_that_cannot_be(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        PageRules(Rules(), **options)  # type: ignore[arg-type]


def test_rules_that_go_together() -> None:
    assert Rules(digits=16, check="luhn", pattern="4### #### #### ####").automaton.start is not None
    assert Table(Count(3, 2)).start is None
    assert next(paths(Lattice(1, [Edge(0, 1, 3, 0.0, 0)]), Table(Count(3, 2))), None) is None
    assert Pattern("##-1#").dress("2213") == "22-13"
    assert str(Rules(digits=(2, 4), check="luhn", between=(1, 99))) == "digits 2-4, check luhn, between 1:99"


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


@cache
def reader() -> Reader:
    return pendigit.load_reader()


def written(*rows: str, seed: int = 3) -> Pixels:
    _, (frames, labels) = pendigit.load_data("mini")
    return write_page(np.random.default_rng(seed), glyphs_of(frames, labels), Conditions(), rows).picture


def test_a_page_read_by_rules_says_both() -> None:
    picture = written("4992739871", "271828", seed=4)
    free = reader().read(picture)
    assert free.rows[1].text == "271828"
    assert all(row.ruled is None for row in free.rows)
    ruled = reader().read(picture, digits=(6, 10)).rows
    assert [row.text for row in ruled] == [row.text for row in free.rows]
    assert all(row.ruled and row.ruled.obeys and row.ruled.fit == 1 for row in ruled)
    six = reader().read(picture, rows=2, digits=6, pattern="###-###").rows
    assert six[1].text == "-".join((free.rows[1].text[:3], free.rows[1].text[3:]))
    assert six[1].ruled is not None
    assert six[1].ruled.unruled == free.rows[1].text


def test_a_rule_mends_and_a_rule_that_nothing_obeys_reads_nothing() -> None:
    picture = written("4992739871")
    free = reader().read(picture, rows=1).rows[0]
    wrong = str((int(free.text[-1]) + 1) % 10)  # the ink is clear, the rule says otherwise
    mended = reader().read(picture, pattern="#" * 9 + wrong).rows[0]
    assert mended.text == free.text[:9] + wrong
    assert mended.ruled is not None
    assert mended.ruled.unruled == free.text
    assert mended.ruled.fit < 0.5
    assert mended.digits[9].digit == int(wrong)
    assert mended.digits[9].probability == mended.digits[9].probabilities[int(wrong)]
    none = reader().read(picture, digits=35).rows[0]
    assert (none.text, none.digits) == ("", ())
    assert none.to_dict()["ruled"] == {"unruled": free.text, "obeys": False, "fit": 0.0, "share": 0.0, "others": []}


def test_a_network_of_single_digits_obeys_too() -> None:
    single = Reader(reader().classifier)
    picture = written("31415926")
    free = single.read(picture).rows[0]
    assert single.read(picture, digits=len(free.text)).rows[0].text == free.text
    assert len(single.read(picture, digits=7, rows=1).rows[0].digits) == 7
    for check in ("luhn", "damm"):
        assert find_check(check)(single.read(picture, check=check).rows[0].text)


def test_rows_that_add_up() -> None:
    rows = reader().read(written("1204", "377", "1581"), rows=3, sum_of=()).rows
    assert int(rows[0].text) + int(rows[1].text) == int(rows[2].text)
    with pytest.raises(ImageError, match="3 rows of digits found; expected 5"):
        reader().read(written("1204", "377", "1581"), rows=5)
    with pytest.raises(UsageError, match="sum over 3 rows"):
        reader().read(written("1204", "377", "1581"), sum_of=(1, 4))


def test_the_command_shows_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = written("4992739871")
    free = reader().read(picture).rows[0].text
    path = str(tmp_path / "page.png")
    cv2.imwrite(path, picture[:, :, ::-1])
    wrong = str((int(free[-1]) + 1) % 10)
    assert run(["read", path, "--pattern", "#####-####" + wrong, "--rows", "1"]) == 0
    said = capsys.readouterr().out
    assert f"{free[:5]}-{free[5:9]}{wrong}" in said
    assert f"without rules: {free}" in said
    assert run(["read", path, "--digits", "30-40"]) == 0
    assert "no number obeys" in capsys.readouterr().out
    for bad in (["--between", "9:1"], ["--digits", "x"], ["--check", "luhm"], ["--sum-of", "one"], ["--rows", "0"]):
        assert run(["read", path, *bad]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert run(["read", path, "--rows", "4"]) == 3
    assert "expected 4" in capsys.readouterr().err
