"""What a training is asked to do: one frozen object, checked once."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from pendigit.errors import UsageError

ENGINES = ("compiled", "stock")


@dataclass(frozen=True)
class TrainingOptions:
    """The settings that decide what is learned. The defaults are the classic recipe.

    Attributes:
        network: A name from `pendigit.learning.networks`.
        data: A dataset's name or path.
        epochs: Passes over the training frames, at least 1.
        batch_size: Frames a step, at least 1.
        lr: Adam's learning rate, above 0.
        seed: Of initial weights, order and dropout, 0 or more.
        validation: Frames set aside from the training part and scored after each epoch.
        hidden: Units of the hidden layer.
        dropout: Share of hidden units left out of each training step, 0 <= dropout < 1.
        softmax: Whether the network ends in probabilities (True) or logits (False).
        engine: "compiled" (blocks of steps in one compiled loop) or "stock" (Keras's own fit).
    """

    network: str = "classic"
    data: str = "mnist"
    epochs: int = 5
    batch_size: int = 32
    lr: float = 0.001
    seed: int = 0
    validation: int = 0
    hidden: int = 128
    dropout: float = 0.2
    softmax: bool = False
    engine: str = "compiled"

    def __post_init__(self) -> None:
        """Check every range. Raises UsageError naming the option."""
        for name in ("epochs", "batch_size", "hidden"):
            _check(name, getattr(self, name), getattr(self, name) >= 1, "a whole number of at least 1")
        for name in ("seed", "validation"):
            _check(name, getattr(self, name), getattr(self, name) >= 0, "a whole number of at least 0")
        _check("lr", self.lr, 0 < self.lr < float("inf"), "a number above 0, such as 0.001")
        _check("dropout", self.dropout, 0 <= self.dropout < 1, "a share of at least 0 and below 1, such as 0.2")
        _check("engine", self.engine, self.engine in ENGINES, " or ".join(ENGINES))

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainingOptions:
        """The options that `to_dict` gave. Raises UsageError for names that are no options."""
        unknown = sorted(values.keys() - {field.name for field in fields(cls)})
        if unknown:
            raise UsageError(
                f"unknown training option {unknown[0]!r}",
                ", ".join(field.name for field in fields(cls)),
                "check the spelling",
            )
        return cls(**values)


def _check(name: str, value: object, fine: bool, expected: str) -> None:
    if not fine:
        option = "--" + name.replace("_", "-")
        raise UsageError(f"{option} {value}", expected, f"give {option} such a value")
