"""Make src/pendigit/datasets/mini.npz: 6,000 of MNIST's train and 1,000 of its test digits, by their labels' shares.

Run from the project's root: python tools/make_mini.py
"""

from __future__ import annotations

from pendigit.datasets import MINI, Dataset, load_dataset
from pendigit.datasets.npz import write_npz
from pendigit.datasets.split import stratified
from pendigit.files import publish

TRAIN, TEST = 6_000, 1_000


def make_mini(mnist: Dataset) -> Dataset:
    """The same digits each time, in MNIST's order."""
    train, test = stratified(mnist.y_train, TRAIN), stratified(mnist.y_test, TEST)
    return Dataset("mini", mnist.x_train[train], mnist.y_train[train], mnist.x_test[test], mnist.y_test[test])


if __name__ == "__main__":
    mini = make_mini(load_dataset("mnist"))
    with publish(MINI) as draft:
        write_npz(mini, draft, compress=True)
    print(f"{MINI}: {MINI.stat().st_size:,} bytes, digest {mini.digest}")
