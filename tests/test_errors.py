"""Every error is one line that says what was seen, what was expected and what to do, and has its own exit code."""

from __future__ import annotations

import pickle

import pytest

from pendigit import errors
from pendigit.errors import PendigitError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PendigitError)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_says_three_things_in_one_line_and_survives_a_process_boundary(kind: type[PendigitError]) -> None:
    error = kind("a\nb", "c\t d", "e")
    assert str(error) == "a b; expected c d; e"
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.seen, copy.expected, copy.do) == (kind, str(error), "a\nb", "c\t d", "e")


def test_exit_codes_are_distinct_and_are_no_success() -> None:
    codes = [kind.exit_code for kind in KINDS] + [errors.EXIT_BUG, errors.EXIT_INTERRUPTED]
    assert len(set(codes)) == len(codes)
    assert all(0 < code < 256 for code in codes)


def test_every_kind_is_documented() -> None:
    assert all(kind.__doc__ for kind in KINDS)
    assert len(KINDS) >= 8
