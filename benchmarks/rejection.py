"""What a threshold does: the share accepted and the error among the accepted, on every set of single digits.

    python benchmarks/rejection.py --threshold 0.9 [--data DIR] [--model NAME|PATH] [--json]

DIR holds sets as benchmarks/sets.py reads them. The error comes with the bound that it exceeds with a probability of at
most 5 %, also without MNIST's disputed labels and, where writers are known, for each of them. Of signs that are no
digits, such as letters, the share taken for a digit is printed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pendigit
from accuracy import DISPUTED, rejected
from pendigit.judging.calibration import confidences
from pendigit.judging.rejection import upper_bound
from sets import DATA, load_sets, probabilities

RISK = 0.05  # that a bound is exceeded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threshold", type=float, required=True, help="the least confidence that is accepted")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--disputed", type=Path, default=DISPUTED, help="JSON list of disputed test labels")
    parser.add_argument("--model", default=None)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    reader = pendigit.load_reader(options.model, threads=0)
    results = list(judge_all(reader, options.threshold, options.data, options.disputed))
    if options.json:
        print(json.dumps({"model": reader.classifier.name, "threshold": options.threshold, "sets": results}))
        return
    print(f"model {options.model or reader.classifier.name}, threshold {options.threshold}")
    for result in results:
        show(result)


def judge_all(reader: Any, threshold: float, folder: Path, disputed: Path) -> Iterator[dict[str, Any]]:
    """The result of MNIST's test part, of it without disputed labels, and of each set and writer."""
    _, (frames, labels) = pendigit.load_data("mnist")
    shares = reader.classifier.predict_proba(frames)
    yield judge("mnist:test", shares, labels, threshold)
    if disputed.exists():
        kept = np.delete(np.arange(len(labels)), rejected(disputed))
        yield judge("  without disputed", shares[kept], labels[kept], threshold)
    for name, found in load_sets(folder).items():
        shares = probabilities(reader, found.images)
        yield judge(name, shares, found.labels, threshold)
        for writer in [] if found.writers is None else np.unique(found.writers):
            own = found.writers == writer
            yield judge(f"  {writer}", shares[own], found.labels[own], threshold)


def judge(name: str, shares: NDArray[np.float32], labels: NDArray[Any], threshold: float) -> dict[str, Any]:
    """How many are accepted and, where the labels are digits, how many of these are wrong."""
    confidence, correct = confidences(labels, shares)
    accepted = confidence >= threshold
    result: dict[str, Any] = {"name": name, "count": len(labels), "accepted": int(accepted.sum())}
    if labels.dtype.kind in "iu":
        wrong = int((accepted & ~correct).sum())
        result |= {"wrong": wrong, "bound": upper_bound(wrong, result["accepted"], RISK)}
    return result


def show(result: dict[str, Any]) -> None:
    """One line."""
    accepted = result["accepted"]
    line = f"{result['name']:20} {accepted:6,} of {result['count']:6,} accepted ({accepted / result['count']:6.1%})"
    if "wrong" in result:
        share = result["wrong"] / max(1, accepted)
        line += f"  {result['wrong']:4} of them wrong ({share:.2%}, at most {result['bound']:.2%})"
    print(line)


if __name__ == "__main__":
    main()
