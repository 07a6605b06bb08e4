"""Rules as automata: against arithmetic and python-stdnum, and what cannot be obeyed."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import ean, iban, isbn, issn, luhn
from stdnum.iso7064 import mod_97_10

from pendigit.errors import PendigitError, UsageError
from pendigit.reading.automata import Between, Count, Pattern, Table
from pendigit.reading.checks import find_check, guide
from pendigit.reading.lattice import Edge, Lattice, Rule, paths
from pendigit.reading.rules import PageRules, Rules

FEW = settings(max_examples=40)


DIGITS = st.text("0123456789", max_size=14)


IBAN = "CH## #### #### #### #### #"


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
