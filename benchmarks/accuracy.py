"""Accuracy for time: the networks' recipes as whole processes, and the throughput of `quick` against its peers.

    python benchmarks/accuracy.py [--only quick,strong,tiny,taught,throughput] [--seeds 3]

Each recipe runs with `pendigit train NAME --seed S` in an environment of its own, compile cache emptied before each.
The test part is looked at once, by the trained model; nothing was chosen by it. `quick` runs in turn with the
tutorials' TensorFlow script, whose whole time is its budget. `taught` learns from the first `tiny`, whose time is not
counted but told.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import statistics
from pathlib import Path

import numpy as np

from bench import CACHE, PEERS, ROOT, Measured, environment, machine, measure, mnist_file, own_environment, versions

HOME = CACHE / "home"
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
RECIPES = ("quick", "strong", "tiny", "taught")
LEAST = {"quick": 0.9935, "strong": 0.996, "tiny": 0.994, "taught": 0.986}  # mean test accuracy
MOST = {"strong": 300, "tiny": 600, "taught": 600}  # seconds; quick has the script's time
DISPUTED = ROOT.parent / "shared" / "data" / "mnist_test_label_errors.json"  # labels that most human raters reject


def main() -> None:
    """Run what was asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--only", default=",".join((*RECIPES, "throughput")), help="what to run, by commas")
    parser.add_argument("--seeds", type=int, default=3, help="seeds of each recipe")
    parser.add_argument("--disputed", type=Path, default=DISPUTED, help="JSON list of disputed test labels")
    options = parser.parse_args()

    ours, data = own_environment("train"), mnist_file()
    tensorflow = environment("tensorflow", "tensorflow", "matplotlib", "pillow")
    measure([ours, "-c", "import pendigit; pendigit.load_data('mnist'); print()"], PENDIGIT_HOME=str(HOME))
    print(machine())
    print(versions(ours, "pendigit", "keras", "jax", "onnxruntime", "numpy"), flush=True)
    wanted = options.only.split(",")
    for name in RECIPES:
        if name in wanted:
            report_recipe(name, options.seeds, ours, tensorflow, data, options.disputed)
    if "throughput" in wanted:
        report_throughput(ours, tensorflow, data)


def report_recipe(name: str, seeds: int, ours: Path, tensorflow: Path, data: Path, disputed: Path) -> None:
    """Train a recipe over seeds and print accuracy and time, mean and deviation."""
    found, without, seconds, budgets, noise = [], [], [], [], []
    for seed in range(seeds):
        if name == "quick":
            script = measure([tensorflow, PEERS / "neural_network.py", data, CACHE], **QUIET)
            budgets.append(script.seconds)
        extra = ["--teacher", str(teacher(ours))] if name == "taught" else []
        run = train(ours, f"{name}-{seed}", name, "--seed", str(seed), *extra)
        right = answers(CACHE / f"{name}-{seed}" / "model.onnx", data)
        found.append(right.mean())
        without.append(np.delete(right, rejected(disputed)).mean() if disputed.exists() else np.nan)
        seconds.append(run.seconds)
        noise.append(run.noise)
    allowed = statistics.mean(budgets) if budgets else MOST[name]
    reached = statistics.mean(found) >= LEAST[name] and statistics.mean(seconds) <= allowed
    budget = f", the script {statistics.mean(budgets):.1f} s" if budgets else ""
    print(
        f"{name:8} {spread(found)}  without disputed labels {spread(without)}  "
        f"{statistics.mean(seconds):.1f} s{budget}  (others used up to {max(noise):.0%} of the CPU)  "
        f"{'reached' if reached else 'MISSED'}",
        flush=True,
    )


def teacher(ours: Path) -> Path:
    """The run folder of the first `tiny`, trained now if it is not there."""
    folder = CACHE / "tiny-0"
    if not (folder / "model.keras").exists():
        taken = train(ours, folder.name, "tiny", "--seed", "0")
        print(f"the teacher, tiny: {taken.seconds:.1f} s, apart from what follows", flush=True)
    return folder


def train(ours: Path, folder: str, *options: str) -> Measured:
    """`pendigit train` as a whole process, without a compile cache, into a fresh run folder."""
    shutil.rmtree(CACHE / folder, ignore_errors=True)
    shutil.rmtree(HOME / "xla", ignore_errors=True)
    command = [ours.with_name("pendigit"), "train", *options, "--out", CACHE / folder]
    return measure(command, PENDIGIT_HOME=str(HOME))


def answers(model: Path, data: Path) -> np.ndarray:
    """Whether the model reads each MNIST test image as labelled (10,000,) bool."""
    import pendigit

    with np.load(data) as archive:
        return pendigit.load_classifier(model, threads=0).predict(archive["x_test"]) == archive["y_test"]


def rejected(path: Path) -> list[int]:
    """Indices of the test images whose label a majority of human raters rejects."""
    return [int(entry["index"]) for entry in json.loads(path.read_text())["label_errors_15"]]


def report_throughput(ours: Path, tensorflow: Path, data: Path) -> None:
    """Print images a second of `quick` without augmentation, the best of 3 rounds, beside the same network's peers."""
    plain = ("quick", "--augment", "none", "--ema", "0", "--epochs", "3")
    rates: dict[str, list[float]] = {"pendigit": [], "stock Keras on JAX": [], "tf.keras": []}
    for _ in range(3):
        train(ours, "compiled", *plain)
        rates["pendigit"].append(60_000 / epoch_seconds(CACHE / "compiled"))
        train(ours, "stock", *plain, "--engine", "stock")
        rates["stock Keras on JAX"].append(60_000 / epoch_seconds(CACHE / "stock"))
        peer = measure([tensorflow, PEERS / "fit_keras.py", CACHE / "compiled" / "model.keras", data, "128"], **QUIET)
        rates["tf.keras"].append(60_000 / min(peer.json["epochs"][1:]))
    best = {name: max(values) for name, values in rates.items()}
    for name, rate in best.items():
        print(f"quick, {name:20} {rate:8,.0f} images/s, pendigit {best['pendigit'] / rate:.2f} times as fast")


def epoch_seconds(folder: Path) -> float:
    """The shortest epoch after the first, which compiles."""
    with (folder / "history.csv").open() as file:
        return min(float(row["seconds"]) for row in csv.DictReader(file) if row["epoch"] != "1")


def spread(shares: list[float]) -> str:
    """Mean and standard deviation of shares."""
    deviation = statistics.stdev(shares) if len(shares) > 1 else 0.0
    return f"{statistics.mean(shares):.3%} ± {deviation:.3%}"


if __name__ == "__main__":
    main()
