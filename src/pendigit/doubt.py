"""How sure a prediction is, and how sure it must be so that a limit on the error is kept.

A calibrated model's metadata hold `thresholds`: a JSON list, an entry for each limit that can be promised.
docs/doubt.md says what is promised; `pendigit calibrate` makes such a list for digits of one's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from pendigit.errors import ModelError, UsageError

KEY = "thresholds"  # of the metadata
REJECTED = "?"  # what stands for a digit that is not accepted
Value = TypeVar("Value", bound=Any)  # a float, or an array (n,)


@dataclass(frozen=True)
class Threshold:
    """What to accept, and what is promised about it for data like the calibration set.

    Attributes:
        threshold: Predictions with at least this confidence are accepted.
        max_error: The error among the accepted is at most this.
        level: The probability, over calibration sets, that this promise is true.
        count: Predictions of the calibration set that were counted.
        accepted: How many of them are accepted.
        wrong: How many of these are wrong.
    """

    threshold: float
    max_error: float
    level: float
    count: int
    accepted: int
    wrong: int

    @property
    def coverage(self) -> float:
        """The share that is accepted."""
        return self.accepted / self.count

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON or a model's metadata."""
        return asdict(self)


def confidence(probability: Value, digitness: Any) -> Value:
    """That a frame shows one digit, times that it is this one: the score that thresholds are about.

    Both in [0, 1], floats or arrays (n,); digitness is None where it is unknown: such models take all for digits.
    """
    score: Value = probability if digitness is None else probability * digitness
    return score


def threshold_for(max_error: float, metadata: Mapping[str, str], model: str) -> Threshold:
    """What keeps a limit on the error: the model's own promise nearest below it.

    Args:
        max_error: A share above 0 and below 1.
        metadata: The model file's.
        model: Its name, for messages.

    Raises:
        UsageError: The limit is no such share, or stricter than anything the model can promise.
        ModelError: The model is not calibrated.
    """
    check_limit(max_error)
    known = thresholds_in(metadata, model)
    kept = [each for each in known if each.max_error <= max_error]
    if not kept:
        least = min(each.max_error for each in known)
        raise UsageError(
            f"a maximal error of {max_error:.4%}",
            f"at least {least:.4%}, the strictest that {model} promises",
            "allow more, or calibrate on more digits of your own: pendigit calibrate FOLDER --out MODEL",
        )
    return replace(max(kept, key=lambda each: each.max_error), max_error=max_error)


def thresholds_in(metadata: Mapping[str, str], model: str) -> tuple[Threshold, ...]:
    """All that a model promises, at least one. Raises ModelError."""
    try:
        found = tuple(Threshold(**entry) for entry in json.loads(metadata.get(KEY, "[]")))
        if found:
            return found
    except (TypeError, ValueError):  # damaged, or written by something else
        pass
    raise ModelError(
        f"the model {model} is not calibrated",
        f"`{KEY}` in its metadata",
        "use a model that ships, or calibrate it: pendigit calibrate FOLDER --model MODEL --out CALIBRATED.onnx",
    )


def as_metadata(thresholds: Iterable[Threshold]) -> dict[str, str]:
    """What `thresholds_in` reads."""
    return {KEY: json.dumps([each.to_dict() for each in thresholds])}


def parse_limit(text: str) -> float:
    """A limit on the error as people write it, such as "1%" or "0.01". Raises UsageError."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = float("nan")
    return check_limit(share, text)


def check_limit(share: float, text: str | None = None) -> float:
    """Return a share if it is above 0 and below 1. Raises UsageError."""
    if not 0 < share < 1:
        raise UsageError(
            f"a maximal error of {share:g}" if text is None else f"a maximal error of {text!r}",
            "a share above 0 and below 1, such as 0.01 or 1%",
            "choose one",
        )
    return share
