"""What pendigit answers with: frozen values that know how to become JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Digit:
    """One recognised digit.

    Attributes:
        digit: The most probable digit, 0 to 9.
        probability: Its probability, 0 to 1.
        probabilities: All ten, in the order of the digits, summing to 1.
    """

    digit: int
    probability: float
    probabilities: tuple[float, ...]

    @classmethod
    def of(cls, probabilities: Any) -> Digit:
        """Ten probabilities (10,) -> the digit they speak for."""
        values = tuple(float(value) for value in probabilities)
        best = max(range(len(values)), key=values.__getitem__)
        return cls(best, values[best], values)

    @property
    def runners_up(self) -> tuple[tuple[int, float], ...]:
        """The other nine as (digit, probability), the most probable first."""
        others = (pair for pair in enumerate(self.probabilities) if pair[0] != self.digit)
        return tuple(sorted(others, key=lambda pair: -pair[1]))

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Evaluation:
    """How well a classifier did on a labelled set.

    Attributes:
        model: The classifier's name.
        data: The set, such as `mnist:test`.
        count: Frames seen.
        correct: Frames read rightly.
        accuracy: correct / count.
        interval: 95 % Wilson score interval of the accuracy.
        loss: Mean negative log-likelihood of the true digits, in nats.
        precision: For each digit, the share of its predictions that were right (None where it was never predicted).
        recall: For each digit, the share of its frames that were found (None where it has no frames).
        confusion: confusion[true][predicted], counts.
    """

    model: str
    data: str
    count: int
    correct: int
    accuracy: float
    interval: tuple[float, float]
    loss: float
    precision: tuple[float | None, ...]
    recall: tuple[float | None, ...]
    confusion: tuple[tuple[int, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        return asdict(self)
