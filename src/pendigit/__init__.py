"""Pendigit recognises handwritten digits: it trains in seconds, reads pictures of digits, and knows its own error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pendigit.errors import PendigitError

if TYPE_CHECKING:
    from pendigit.api import evaluate, load_classifier, load_data, load_reader, train

__version__ = "0.1.0"

__all__ = [
    "PendigitError",
    "__version__",
    "evaluate",
    "load_classifier",
    "load_data",
    "load_reader",
    "train",
]


def __getattr__(name: str) -> Any:
    """Load the functions on first use, so that `import pendigit` costs nothing (PEP 562)."""
    if name in __all__:
        from pendigit import api

        return getattr(api, name)
    raise AttributeError(f"module 'pendigit' has no attribute {name!r}")
