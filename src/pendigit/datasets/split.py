"""The fixed train/validation split, carved from the training part."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pendigit.datasets.checks import DIGITS
from pendigit.datasets.dataset import Dataset, Pixels
from pendigit.errors import UsageError

Indices: TypeAlias = npt.NDArray[np.int64]

_SEED = 0  # fixed, so that runs with other training seeds are judged on the same digits


def split(dataset: Dataset, validation: int) -> tuple[Indices, Indices]:
    """Set `validation` digits of the train part aside, as many of each label as its share.

    Args:
        dataset: The set; its test part is not looked at.
        validation: How many, from 0 to one less than the train part has.

    Returns:
        The ascending indices into the train part that stay for training, and those set aside.

    Raises:
        UsageError: `validation` is out of its range.
    """
    count = len(dataset.y_train)
    if not 0 <= validation < count:
        raise UsageError(
            f"{validation} validation digits",
            f"0 to {count - 1:,}, as {dataset.name} has {count:,} training digits",
            "choose a number in between",
        )
    aside = stratified(dataset.y_train, validation)
    return np.setdiff1d(np.arange(count, dtype=np.int64), aside), aside


def stratified(labels: Pixels, size: int) -> Indices:
    """Draw `size` of `labels` (n,), each label as often as its share, for good: ascending indices (size,) int64.

    What rounding leaves over goes to the labels that it short-changed most.
    """
    counts = np.bincount(labels, minlength=DIGITS)
    quotas, remainders = np.divmod(counts * size, max(len(labels), 1))
    quotas[np.argsort(-remainders, kind="stable")[: size - quotas.sum()]] += 1
    random = np.random.RandomState(_SEED)  # the one generator whose stream NumPy has promised never to change
    drawn = [random.permutation(np.flatnonzero(labels == digit))[:quota] for digit, quota in enumerate(quotas)]
    return np.sort(np.concatenate(drawn)).astype(np.int64)
