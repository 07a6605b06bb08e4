"""What is said of how far a job is."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest

from pendigit.commands import progress as shown
from pendigit.commands.progress import TableProgress


def test_a_second_count_has_a_rate_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = itertools.count(0.0, 20.0)  # seconds: each look is late enough for a line
    monkeypatch.setattr(shown, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    with TableProgress() as table:
        for done, total in ((1, 9), (3, 9), (0, 5), (1, 5), (2, 5)):
            table.reading(done, total, 0)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" of")[0] for line in lines] == [f"reading  {done}" for done in (1, 3, 0, 1, 2)]
    assert "left" in lines[1]
    assert "left" in lines[-1]
    assert "-" not in "".join(lines)
