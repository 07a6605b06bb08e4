"""A labelled set of MNIST-framed digits, and its digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Pixels: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Frames are uint8 (n, 28, 28), ink bright on black; labels are uint8 (n,), 0 to 9.

    A set that comes without a test part (a single CSV, class folders) has an empty one.
    """

    name: str
    x_train: Pixels
    y_train: Pixels
    x_test: Pixels
    y_test: Pixels

    @property
    def arrays(self) -> tuple[Pixels, Pixels, Pixels, Pixels]:
        """x_train, y_train, x_test, y_test."""
        return self.x_train, self.y_train, self.x_test, self.y_test

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the decoded bytes of x_train, y_train, x_test, y_test in this order."""
        total = hashlib.sha256()
        for array in self.arrays:
            total.update(np.ascontiguousarray(array).data)
        return total.hexdigest()
