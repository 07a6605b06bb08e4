"""From a row network's columns to digits: which numbers the columns may say.

The network tells for each column what stands there (`rownet.py`). Many ways of reading along the columns give the same
number; all of them count (`ways.py`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from pendigit.reading.lattice import log_add
from pendigit.reading.ways import DIGITS, NOTHING, Logs, RowReading, Said, judged, probabilities
from pendigit.rowframe import BLANK, OTHER, runs

BEAM = 12  # beginnings kept at each column
LOG_LEAST = np.log(1e-3)  # a digit less likely in a column starts no reading
EMPTY = 0.999  # columns surer than this of nothing part stretches

Scores: TypeAlias = npt.NDArray[np.float32]  # (T, 12) log probabilities
Beams: TypeAlias = dict[tuple[int, ...], tuple[float, float]]


class Stretch(NamedTuple):
    """Columns in which something may stand, between others that are surely empty.

    Attributes:
        first, end: Columns, the latter exclusive.
        numbers: What they may say, as digits, each with its log probability.
    """

    first: int
    end: int
    numbers: dict[tuple[int, ...], float]


def read_columns(scores: Scores) -> RowReading:
    """Log probabilities (T, 12) of one row -> its digits; signs that are none count as nothing."""
    logs = _digits_or_nothing(scores)
    said: dict[int, list[Said]] = defaultdict(list)  # by how many digits they say
    for first, end in _spans(logs):
        beams = _beams(logs[first:end], BEAM)
        digits = max(beams, key=lambda text: log_add(*beams[text]))
        said[len(digits)].append(Said(first, logs[first:end], digits))
    read = [NOTHING, *(judged(alike) for count, alike in said.items() if count)]
    joined = RowReading(*(np.concatenate(parts) for parts in zip(*read, strict=True)))
    order = joined.middles.argsort(kind="stable")
    return RowReading(*(part[order] for part in joined))


def judge(scores: Scores, digits: tuple[int, ...]) -> RowReading:
    """Log probabilities (T, 12) of one row -> some digits, as if it said just these."""
    return judged([Said(0, _digits_or_nothing(scores), digits)]) if digits else NOTHING


def log_probability(scores: Scores, digits: tuple[int, ...]) -> float:
    """Log probabilities (T, 12) of one row -> that it says just these digits."""
    return float(probabilities(_digits_or_nothing(scores)[None], np.array([digits], np.intp))[0])


def _digits_or_nothing(scores: Scores) -> Logs:
    """(T, 12) -> (T, 11): the ten digits, and nothing or another sign."""
    logs = scores[:, : DIGITS + 1].astype(np.float64)
    logs[:, DIGITS] = np.logaddexp(scores[:, BLANK], scores[:, OTHER])
    return logs


def stretches(scores: Scores, beam: int = BEAM) -> list[Stretch]:
    """Log probabilities (T, 12) of one row -> its stretches from left to right; what each says is independent."""
    logs = _digits_or_nothing(scores)
    return [Stretch(first, end, _numbers(logs[first:end], beam)) for first, end in _spans(logs)]


def _spans(logs: Logs) -> list[tuple[int, int]]:
    """The first column of each stretch, and the one after its last."""
    return runs(logs[:, DIGITS] < np.log(EMPTY))


def _numbers(logs: Logs, beam: int) -> dict[tuple[int, ...], float]:
    """The most probable numbers in some columns and their log probabilities; always nothing, and each single digit."""
    numbers = sorted({(), *((digit,) for digit in range(DIGITS)), *_beams(logs, beam)})
    found: dict[tuple[int, ...], float] = {}
    for length in set(map(len, numbers)):
        alike = [text for text in numbers if len(text) == length]
        together = np.broadcast_to(logs, (len(alike), *logs.shape))
        found |= zip(alike, probabilities(together, np.array(alike, np.intp)).tolist(), strict=True)
    return {text: found[text] for text in numbers}


def _beams(logs: Logs, beam: int) -> Beams:
    """The most probable numbers in some columns, by a search along them that keeps the best beginnings."""
    beams: Beams = {(): (0.0, -np.inf)}  # digits so far -> log probability of those that end in nothing, and in a digit
    for column in logs.tolist():
        longer = _longer(beams, column)
        best = sorted(longer, key=lambda text: log_add(*longer[text]), reverse=True)[:beam]
        beams = {text: longer[text] for text in best}
    return beams


def _longer(beams: Beams, column: list[float]) -> Beams:
    """Numbers read so far, and all that one more column may make of them."""
    likely = [(digit, score) for digit, score in enumerate(column[:DIGITS]) if score > LOG_LEAST]
    after: Beams = {}
    for text, (empty, full) in beams.items():
        either, last = log_add(empty, full), text[-1] if text else None
        _, begun = after.get(text, (-np.inf, -np.inf))  # by the number without its last digit
        after[text] = either + column[DIGITS], begun
        for digit, score in likely:
            if digit == last:
                after[text] = after[text][0], log_add(begun, full + score)
            longer, begins = (*text, digit), (empty if digit == last else either) + score
            stays, begun_too = after.get(longer, (-np.inf, -np.inf))
            after[longer] = stays, log_add(begun_too, begins)
    return after
