"""Whether stated probabilities hold: NLL, ECE and AURC with 95 % bootstrap intervals, on all sets of single digits.

    python benchmarks/calibration.py [--data DIR] [--model NAME|PATH] [--max-error 0.01] [--json]

DIR holds sets as benchmarks/sets.py reads them. MNIST's test frames go to the network as they are, other pictures are
framed. Where writers are known, whole writers are drawn by the bootstrap. `temperature` is the one that this set would
ask for: 1 is calibrated, above 1 the model is too sure. The last columns halve a set at random: a threshold for the
maximal error is found on one half and tried on the other; "-" means that the half is too small or too often wrong.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pendigit
from pendigit.errors import DataError
from pendigit.judging.calibration import calibration_error, confidences, fit_temperature, reliability
from pendigit.judging.metrics import bootstrap_interval, negative_log_likelihood
from pendigit.judging.rejection import area_under_risks, find_threshold, upper_bound
from sets import DATA, load_sets, probabilities

MEASURES = ("nll", "ece", "adaptive", "aurc")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--model", default=None)
    parser.add_argument("--max-error", type=float, default=0.01)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    reader = pendigit.load_reader(options.model, threads=0)
    _, (frames, labels) = pendigit.load_data("mnist")
    results = {"mnist:test": judge(reader.classifier.predict_proba(frames), labels, None, options.max_error)}
    for name, found in load_sets(options.data).items():
        if found.are_digits:
            shares = probabilities(reader, found.images)
            results[name] = judge(shares, found.labels, found.writers, options.max_error)
    if options.json:
        print(json.dumps({"model": reader.classifier.name, "max_error": options.max_error, "sets": results}))
        return
    print(f"model {options.model or reader.classifier.name}")
    for name, result in results.items():
        show(name, result, options.max_error)


def judge(
    shares: NDArray[np.float32], labels: NDArray[Any], writers: NDArray[Any] | None, max_error: float
) -> dict[str, Any]:
    """All measures of one set, each with its interval."""
    labels = labels.astype(np.int64)
    confidence, correct = confidences(labels, shares)
    result: dict[str, Any] = {
        "count": len(labels),
        "accuracy": float(correct.mean()),
        "temperature": fit_temperature(shares, labels),
        "nll": [
            negative_log_likelihood(labels, shares),
            *bootstrap_interval(negative_log_likelihood, labels, shares, groups=writers),
        ],
    }
    for name, measure in (
        ("ece", lambda *pairs: calibration_error(reliability(*pairs))),
        ("adaptive", lambda *pairs: calibration_error(reliability(*pairs, adaptive=True))),
        ("aurc", area_under_risks),
    ):
        result[name] = [
            measure(confidence, correct),
            *bootstrap_interval(measure, confidence, correct, groups=writers),
        ]
    return result | {"halves": try_threshold(confidence, correct, max_error)}


def try_threshold(confidence: NDArray[np.float64], correct: NDArray[np.bool_], max_error: float) -> dict[str, Any]:
    """A threshold promised by one half of a set, and what it does to the other."""
    order = np.random.default_rng(0).permutation(len(correct))
    known, new = order[::2], order[1::2]
    try:
        found = find_threshold(confidence[known], correct[known], max_error)
    except DataError as error:
        return {"error": error.seen}
    accepted = correct[new][confidence[new] >= found.threshold]
    wrong = int((~accepted).sum())
    return found.to_dict() | {
        "tried": len(new),
        "tried_accepted": len(accepted),
        "tried_wrong": wrong,
        "tried_bound": upper_bound(wrong, len(accepted), 0.05),
    }


def show(name: str, result: dict[str, Any], max_error: float) -> None:
    """Two lines a set."""
    measures = "  ".join(
        f"{each} {value:.4f} ({low:.4f} to {high:.4f})" for each in MEASURES for value, low, high in [result[each]]
    )
    print(
        f"{name:18} {result['count']:6,}  {result['accuracy']:.2%}  temperature {result['temperature']:.2f}  {measures}"
    )
    halves = result["halves"]
    if "error" in halves:
        print(f"{'':18} error of at most {max_error:.2%}: - ({halves['error']})")
        return
    print(
        f"{'':18} error of at most {max_error:.2%}: threshold {halves['threshold']:.4f} from one half; of the other "
        f"{halves['tried_accepted']:,} of {halves['tried']:,} accepted "
        f"({halves['tried_accepted'] / halves['tried']:.1%}), {halves['tried_wrong']} of them wrong "
        f"(at most {halves['tried_bound']:.2%} with 95 %)",
        flush=True,
    )


if __name__ == "__main__":
    main()
