"""How models bear the fifteen corruptions of MNIST-C: accuracy on the corrupted MNIST test set, one by one.

    python benchmarks/corruptions.py [MODEL ...] [--seed 0]

MODEL is a shipped name, a run folder or a model file; without any, the default model. A plain convnet, trained on
MNIST alone without augmentation, averaging or label smoothing, stands between 85 and 91 %, or the suite is wrong:

    pendigit train quick --augment none --ema 0 --label-smoothing 0 --out runs/plain
"""

from __future__ import annotations

import argparse

import numpy as np

import pendigit
from pendigit.judging.corruptions import CORRUPTIONS, corrupt


def main() -> None:
    """Print a table: a row for each corruption, a column for each model."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("models", nargs="*", metavar="MODEL", default=[None])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    classifiers = [pendigit.load_classifier(model, threads=0) for model in options.models]
    _, (frames, labels) = pendigit.load_data("mnist")

    names = [str(model or pendigit.load_classifier().name) for model in options.models]
    width = max(9, *(len(name) + 2 for name in names))
    print(" " * 14 + "".join(f"{name:>{width}}" for name in names))
    rows = []
    for name in CORRUPTIONS:
        corrupted = corrupt(name, frames, options.seed)
        rows.append([float((classifier.predict(corrupted) == labels).mean()) for classifier in classifiers])
        show(name, rows[-1], width)
    show("mean", list(np.mean(rows, axis=0)), width)
    show("clean", [float((classifier.predict(frames) == labels).mean()) for classifier in classifiers], width)


def show(name: str, shares: list[float], width: int) -> None:
    """Print a row."""
    print(f"{name:14}" + "".join(f"{share:{width}.2%}" for share in shares), flush=True)


if __name__ == "__main__":
    main()
