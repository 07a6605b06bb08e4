"""The weights that ship: size, time, accuracy on MNIST and on digits of other hands, and how well other signs are told.

    python benchmarks/weights.py [--data DIR] [--model NAME|PATH] [--peers] [--json]

DIR holds sets as benchmarks/sets.py reads them. With --peers RapidOCR 3.10 reads the same digits in the same run, its
answers restricted to digits. Exits 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import pendigit
from bench import PEERS, environment, machine, measure
from pendigit.judging.metrics import area_under_roc, wilson_interval
from pendigit.models import find_model
from pendigit.reading.reader import Reader
from sets import DATA, Singles, load_sets, probabilities

LEAST = {"mnist:test": 0.996, "swiss_dev": 0.97, "nsysu_dev": 0.98, "sudoku_cells_dev": 0.95}
LEAST_AREA = 0.97  # under the ROC curve of digitness, letters against the Swiss digits
MOST_BYTES, MOST_SECONDS, LEAST_RATE = 2_000_000, 1e-3, 3_000  # of the file; a digit on one thread; digits/s on all
DIGITS, LETTERS = "swiss_dev", "ood_notmnist_dev"
RAPIDOCR = ("rapidocr==3.10.*", "onnxruntime")
CALLS, BATCH = 300, 1_000  # of one frame each; frames at once


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--model", default=None)
    parser.add_argument("--peers", action="store_true", help="also let RapidOCR read them")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sets = load_sets(options.data)
    result = judge(options.model, sets)
    if options.peers:
        result["rapidocr"] = {name: rapidocr(found) for name, found in sets.items() if found.are_digits}
    missed = misses(result)
    if options.json:
        print(json.dumps(result | {"missed": missed}))
    else:
        show(result)
        print("every target is reached" if not missed else "missed: " + ", ".join(missed))
    return int(bool(missed))


def judge(model: str | None, sets: dict[str, Singles]) -> dict[str, Any]:
    """Everything about one model."""
    path = find_model(model)
    reader, fast = pendigit.load_reader(model), pendigit.load_classifier(model, threads=0)
    _, (frames, labels) = pendigit.load_data("mnist")
    accuracies = {"mnist:test": accuracy(fast.predict(frames) == labels)}
    for name, found in sets.items():
        if found.are_digits:
            accuracies[name] = accuracy(read(reader, found) == found.labels)
    result: dict[str, Any] = {
        "model": path.stem,
        "bytes": path.stat().st_size,
        "seconds": seconds_of_one(reader, frames),
        "rate": rate(fast, frames),
        "accuracy": accuracies,
    }
    if reader.classifier.has_digitness and {DIGITS, LETTERS} <= sets.keys():
        ours, theirs = (reader.classifier.digitness(frames_of(reader, sets[name])) for name in (DIGITS, LETTERS))
        result["area"] = area_under_roc(ours, theirs)
    return result


def accuracy(right: np.ndarray) -> dict[str, Any]:
    """A share and its 95 % interval."""
    return {
        "count": len(right),
        "share": float(right.mean()),
        "interval": wilson_interval(int(right.sum()), len(right)),
    }


def read(reader: Reader, found: Singles) -> np.ndarray:
    """Digits (n,), -1 where no ink was found."""
    shares = probabilities(reader, found.images)
    return np.where(shares.any(axis=1), shares.argmax(axis=1), -1)


def frames_of(reader: Reader, found: Singles) -> np.ndarray:
    """Frames (n, 28, 28), black where no ink was found."""
    from pendigit.frame import to_frames

    return to_frames(found.images)[0]


def seconds_of_one(reader: Reader, frames: np.ndarray) -> float:
    """The median time of one frame on one thread."""
    taken = []
    for frame in frames[:CALLS]:
        began = time.perf_counter()
        reader.classifier.predict_proba(frame[None])
        taken.append(time.perf_counter() - began)
    return float(np.median(taken))


def rate(classifier: Any, frames: np.ndarray) -> float:
    """Frames a second in batches on all cores, the best of five."""
    best = np.inf
    for _ in range(5):
        began = time.perf_counter()
        classifier.predict_proba(frames[:BATCH])
        best = min(best, time.perf_counter() - began)
    return BATCH / best


def rapidocr(found: Singles) -> dict[str, Any]:
    """RapidOCR's accuracy on the set, and its median time for a digit on one thread."""
    python = environment("rapidocr", *RAPIDOCR)
    with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        np.savez(file, **{f"picture_{index}": image for index, image in enumerate(found.images)})
        file.flush()
        answer = measure([python, PEERS / "rapidocr_digits.py", file.name, "one"]).json
    right = np.array([text == str(label) for text, label in zip(answer["texts"], found.labels, strict=True)])
    return accuracy(right) | {"seconds": answer["seconds"]}


def misses(result: dict[str, Any]) -> list[str]:
    """The targets that were not reached."""
    found = [name for name, least in LEAST.items() if name in result["accuracy"] and not
             result["accuracy"][name]["share"] >= least]  # fmt: skip
    checks = {
        "size": result["bytes"] <= MOST_BYTES,
        "time": result["seconds"] <= MOST_SECONDS,
        "rate": result["rate"] >= LEAST_RATE,
        "digitness": result.get("area", 1) >= LEAST_AREA,
    }
    behind = [
        f"{name} against RapidOCR"
        for name, peer in result.get("rapidocr", {}).items()
        if result["accuracy"][name]["share"] <= peer["share"] or peer["seconds"] < 25 * result["seconds"]
    ]
    return found + [name for name, fine in checks.items() if not fine] + behind


def show(result: dict[str, Any]) -> None:
    """A few lines."""
    print(machine())
    print(
        f"model {result['model']}: {result['bytes'] / 1e6:.2f} MB, {result['seconds'] * 1e3:.3f} ms a digit on one "
        f"thread, {result['rate']:,.0f} digits/s in batches on all cores"
    )
    for name, found in result["accuracy"].items():
        low, high = found["interval"]
        line = f"{name:18} {found['count']:6,}  {found['share']:7.2%}  ({low:.2%} to {high:.2%})"
        peer = result.get("rapidocr", {}).get(name)
        if peer:
            ratio = peer["seconds"] / result["seconds"]
            line += f"   RapidOCR {peer['share']:7.2%}, {peer['seconds'] * 1e3:.1f} ms, {ratio:.0f} times as long"
        print(line)
    if "area" in result:
        print(f"digitness: area under the ROC curve {result['area']:.4f}, {LETTERS} against {DIGITS}")


if __name__ == "__main__":
    sys.exit(main())
