"""What pendigit answers with: frozen values that know how to become JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from math import prod
from typing import Any, Self

from pendigit.doubt import REJECTED, Threshold, confidence


@dataclass(frozen=True)
class Digit:
    """One recognised digit.

    Attributes:
        digit: The most probable digit, 0 to 9.
        probability: Its probability, 0 to 1.
        probabilities: All ten, in the order of the digits, summing to 1.
        digitness: How surely it is one digit at all, 0 to 1; None where the model cannot tell.
        accepted: Whether it is as sure as a limit on the error asks; always, where none is asked for.
    """

    digit: int
    probability: float
    probabilities: tuple[float, ...]
    digitness: float | None = field(default=None, kw_only=True)
    accepted: bool = field(default=True, kw_only=True)

    @classmethod
    def of(cls, probabilities: Any, digitness: float | None = None) -> Digit:
        """Ten probabilities (10,) -> the digit they speak for."""
        values = tuple(float(value) for value in probabilities)
        best = max(range(len(values)), key=values.__getitem__)
        return cls(best, values[best], values, digitness=digitness)

    @property
    def confidence(self) -> float:
        """That it is a digit, and this one."""
        return confidence(self.probability, self.digitness)

    @property
    def text(self) -> str:
        """The digit, or "?" where it is not accepted."""
        return str(self.digit) if self.accepted else REJECTED

    @property
    def doubt(self) -> str | None:
        """Why it is not accepted, in a few words."""
        if self.accepted:
            return None
        if self.digitness is not None and self.digitness < self.probability:
            return f"hardly a digit ({self.digitness:.0%})"
        other, share = self.runners_up[0]
        return f"{self.digit} ({self.probability:.0%}) or {other} ({share:.0%})"

    def within(self, limit: Threshold) -> Self:
        """The same, accepted if it is sure enough."""
        return replace(self, accepted=self.confidence >= limit.threshold)

    @property
    def runners_up(self) -> tuple[tuple[int, float], ...]:
        """The other nine as (digit, probability), the most probable first."""
        others = (pair for pair in enumerate(self.probabilities) if pair[0] != self.digit)
        return tuple(sorted(others, key=lambda pair: -pair[1]))

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        return vars(self) | {"confidence": self.confidence, "text": self.text, "doubt": self.doubt}


@dataclass(frozen=True)
class PlacedDigit(Digit):
    """One digit read on a page.

    Attributes:
        box: Where it is: left, top, right, bottom in pixels of the upright picture, the latter two exclusive.
    """

    box: tuple[int, int, int, int]

    @classmethod
    def at(
        cls,
        box: tuple[int, int, int, int],
        probabilities: Any,
        digitness: float | None = None,
        digit: int | None = None,
    ) -> PlacedDigit:
        """A box and ten probabilities (10,) -> the digit they speak for, or the one that rules chose."""
        found = Digit.of(probabilities)
        chosen = found.digit if digit is None else digit
        return cls(chosen, found.probabilities[chosen], found.probabilities, box, digitness=digitness)

    @classmethod
    def from_dict(cls, answer: dict[str, Any]) -> PlacedDigit:
        """What `to_dict` gave -> the digit."""
        found = cls.at(tuple(answer["box"]), answer["probabilities"], answer["digitness"], answer["digit"])
        return replace(found, accepted=answer["accepted"])

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        return super().to_dict() | {
            "box": list(self.box),
            "runners_up": [list(pair) for pair in self.runners_up[:3]],
        }


@dataclass(frozen=True)
class Ruled:
    """What rules made of a row.

    Attributes:
        unruled: What the row says without them.
        obeys: Whether a number that obeys was found in its ink; else the row has no text and no digits.
        fit: How likely the ink is that number, by the likeliest number of all, 0 to 1; 1 where both are the same.
        share: Its probability among the numbers that obey, 0 to 1.
        others: The next numbers that obey, each with its share, the most probable first.
    """

    unruled: str
    obeys: bool
    fit: float = 0.0
    share: float = 0.0
    others: tuple[tuple[str, float], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        return asdict(self) | {"others": [list(pair) for pair in self.others]}


@dataclass(frozen=True)
class Row:
    """One row of writing.

    Attributes:
        groups: Its text in groups: a wide gap, such as a second column, starts a new one. "?" is a rejected digit.
        digits: Its digits from left to right.
        ruled: What rules made of it, where it was read with rules.
    """

    groups: tuple[str, ...]
    digits: tuple[PlacedDigit, ...]
    ruled: Ruled | None = None

    @property
    def text(self) -> str:
        """The whole row, groups joined."""
        return "".join(self.groups)

    @property
    def probability(self) -> float:
        """That every digit is right, if they err independently."""
        return prod(digit.probability for digit in self.digits)

    @classmethod
    def from_dict(cls, answer: dict[str, Any]) -> Row:
        """What `to_dict` gave -> the row."""
        ruled = answer.get("ruled")
        return cls(
            tuple(answer["groups"]),
            tuple(PlacedDigit.from_dict(digit) for digit in answer["digits"]),
            None if ruled is None else Ruled(**ruled | {"others": tuple(map(tuple, ruled["others"]))}),
        )

    def within(self, limit: Threshold) -> Row:
        """The same, with "?" for the digits that are not sure enough."""
        digits = tuple(digit.within(limit) for digit in self.digits)
        texts = iter(digit.text for digit in digits)
        groups = tuple(
            "".join(next(texts) if sign.isdigit() or sign == REJECTED else sign for sign in group)
            for group in self.groups
        )
        return replace(self, groups=groups, digits=digits)

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        digits = [digit.to_dict() for digit in self.digits]
        known = {"text": self.text, "groups": list(self.groups), "probability": self.probability, "digits": digits}
        return known if self.ruled is None else known | {"ruled": self.ruled.to_dict()}


@dataclass(frozen=True)
class Reading:
    """What stands on a page.

    Attributes:
        rows: Its rows from top to bottom; none where no digits were found.
        max_error: The limit on the error that was asked for; digits that would exceed it are not accepted.
    """

    rows: tuple[Row, ...]
    max_error: float | None = None

    @property
    def text(self) -> str:
        """A line for each row."""
        return "\n".join(row.text for row in self.rows)

    @classmethod
    def from_dict(cls, answer: dict[str, Any]) -> Reading:
        """What `to_dict` gave -> the reading; what else is in it is passed over."""
        return cls(tuple(Row.from_dict(row) for row in answer["rows"]), answer["max_error"])

    @property
    def count(self) -> int:
        """How many digits were found."""
        return sum(len(row.digits) for row in self.rows)

    @property
    def kept(self) -> int:
        """How many of them are accepted."""
        return sum(digit.accepted for row in self.rows for digit in row.digits)

    def within(self, limit: Threshold) -> Reading:
        """The same, with "?" for the digits that are not sure enough."""
        return Reading(tuple(row.within(limit) for row in self.rows), limit.max_error)

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        return {
            "text": self.text,
            "count": self.count,
            "kept": self.kept,
            "max_error": self.max_error,
            "rows": [row.to_dict() for row in self.rows],
        }


@dataclass(frozen=True)
class Form:
    """What stands in a filled form.

    Attributes:
        fields: Name -> its row, in the order of the template; an empty field's has no digits and says nothing unruled.
        present: The share of the form's print that the scan shows, in all and around each field, at its least.
    """

    fields: dict[str, Row]
    present: float

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        return {"fields": {name: row.to_dict() for name, row in self.fields.items()}, "present": self.present}


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
