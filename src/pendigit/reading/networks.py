"""The networks that read a page."""

from __future__ import annotations

from typing import NamedTuple

from pendigit.classifier import Classifier
from pendigit.models import ROWS, WEIGHTS
from pendigit.rownet import RowNetwork


class Networks(NamedTuple):
    """What reads frames of one digit each, and what reads whole rows, if anything does."""

    digits: Classifier
    rows: RowNetwork | None = None


def load_row_network(threads: int = 1) -> RowNetwork:
    """The row network that ships."""
    return RowNetwork(WEIGHTS / f"{ROWS}.onnx", threads)
