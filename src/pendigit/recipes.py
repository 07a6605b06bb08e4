"""What a training is asked to do: one frozen object, checked once."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from pendigit.errors import UsageError

ENGINES = ("compiled", "stock")
OPTIMIZERS = ("adam", "nesterov", "muon")
MOST_PARTS = 2  # of a batch, computed at once; each is a device of its own to JAX, whether it has a core or not
SCHEDULES = ("constant", "one-cycle")

# What each network's recipe has otherwise than the classic one.
RECIPES: dict[str, dict[str, Any]] = {
    "classic": {},
    "quick": {
        "epochs": 4,
        "batch_size": 128,
        "micro_batch": 16,
        "parts": 2,
        "lr": 0.005,
        "schedule": "one-cycle",
        "label_smoothing": 0.1,
        "augment": "shift",
        "ema": 0.99,
    },
    "strong": {
        "epochs": 20,
        "batch_size": 128,
        "micro_batch": 32,
        "parts": 2,
        "lr": 0.004,
        "schedule": "one-cycle",
        "dropout": 0.0,
        "augment": "mild",
        "ema": 0.999,
    },
    "tiny": {
        "epochs": 40,
        "batch_size": 128,
        "micro_batch": 32,
        "parts": 2,
        "lr": 0.01,
        "schedule": "one-cycle",
        "dropout": 0.0,
        "augment": "mild",
        "ema": 0.999,
    },
    "taught": {
        "epochs": 60,
        "batch_size": 256,
        "parts": 2,
        "lr": 0.003,
        "schedule": "one-cycle",
        "dropout": 0.0,
        "augment": "mild",
        "ema": 0.999,
    },
    "reader": {
        "data": "written",
        "epochs": 9,
        "batch_size": 256,
        "micro_batch": 32,
        "parts": 2,
        "lr": 0.004,
        "schedule": "one-cycle",
        "dropout": 0.0,
        "augment": "world",
        "ema": 0.999,
    },
}

# Test accuracy and whole-process time of each recipe, as benchmarks/accuracy.py printed them on 2 cores.
EXPECTED: dict[str, tuple[str, str]] = {
    "classic": ("97.7 %", "7 s"),
    "quick": ("99.4 %", "20 to 50 s"),
    "strong": ("99.65 %", "4 min"),
    "tiny": ("99.57 %", "4 min"),
    "taught": ("99.1 %", "3 min"),
}


@dataclass(frozen=True)
class TrainingOptions:
    """The settings that decide what is learned. The defaults are the classic recipe.

    Attributes:
        network: A network's name, a Python file with build(), or a .keras file.
        data: mnist, mini, written, schooled, or a path: npz, IDX folder, CSV, class folders.
        epochs: Passes over the training frames.
        batch_size: Frames a step.
        lr: The learning rate, at its highest.
        seed: Of initial weights, order, dropout and augmentation.
        validation: Training frames set aside and scored after each epoch.
        hidden: Units of the classic network's hidden layer.
        dropout: Share of units left out of each training step, where the network has dropout.
        softmax: End the classic network in probabilities instead of logits.
        engine: compiled (blocks of steps in one compiled loop) or stock (Keras's own fit).
        optimizer: adam, nesterov (SGD with Nesterov momentum) or muon.
        schedule: constant, or one-cycle: the rate rises to --lr and falls along a cosine.
        warmup: Share of the steps in which one cycle rises.
        weight_decay: Share of each weight taken away in a step at rate 1.
        label_smoothing: Share of each label spread evenly over the ten digits.
        ema: Momentum of a moving average of the weights, which is then what is kept.
        augment: How frames are changed each time they are seen: none, shift, mild, strong, world, wild.
        micro_batch: Frames that go through the network at once, a divisor of the batch size; 0 for all.
        parts: Parts of a batch computed at the same time, 1 or 2.
        teacher: A run folder or .keras file whose network is imitated.
        patience: Stop after so many epochs without a better validation accuracy; 0 for never.
        keep_best: Keep the weights of the best epoch by validation, not the last.
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
    optimizer: str = "adam"
    schedule: str = "constant"
    warmup: float = 0.2
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    ema: float = 0.0
    augment: str = "none"
    micro_batch: int = 0
    parts: int = 1
    teacher: str = ""
    patience: int = 0
    keep_best: bool = False

    def __post_init__(self) -> None:
        """Check every range. Raises UsageError naming the option."""
        for name in ("epochs", "batch_size", "hidden"):
            _check(name, getattr(self, name), getattr(self, name) >= 1, "a whole number of at least 1")
        for name in ("seed", "validation", "micro_batch", "patience"):
            _check(name, getattr(self, name), getattr(self, name) >= 0, "a whole number of at least 0")
        _check("seed", self.seed, self.seed < 2**32, "a whole number below 2**32")  # NumPy's limit
        _check("lr", self.lr, 0 < self.lr < float("inf"), "a number above 0, such as 0.001")
        for name in ("dropout", "warmup", "weight_decay", "label_smoothing", "ema"):
            _check(name, getattr(self, name), 0 <= getattr(self, name) < 1, "a share of at least 0 and below 1")
        for name, known in (("engine", ENGINES), ("optimizer", OPTIMIZERS), ("schedule", SCHEDULES)):
            _check(name, getattr(self, name), getattr(self, name) in known, " or ".join(known))
        _check("parts", self.parts, 1 <= self.parts <= MOST_PARTS, f"1 to {MOST_PARTS}")
        _check("parts", self.parts, self.batch_size % self.parts == 0, f"a divisor of the batch size {self.batch_size}")
        share = self.batch_size // self.parts
        fits = not self.micro_batch or share % self.micro_batch == 0
        _check("micro_batch", self.micro_batch, fits, f"a divisor of the {share} frames in a part of a batch")
        judged = not (self.patience or self.keep_best) or self.validation > 0
        _check("validation", self.validation, judged, "at least 1 with --patience or --keep-best")

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        return asdict(self)

    @classmethod
    def of(cls, **given: Any) -> TrainingOptions:
        """The options `given`, the others as the network's recipe has them. Raises UsageError."""
        return cls.from_dict(RECIPES.get(given.get("network", cls.network), {}) | given)

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
