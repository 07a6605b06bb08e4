"""Make a model that ships: train it, fit its temperature, publish the file and its card.

    python tools/make_weights.py reader [--runs runs] [--data DIR]          about an hour on 2 cores
    python tools/make_weights.py reader --thresholds [--data DIR]           only thresholds and card, a minute
    python tools/make_weights.py reader --card [--data DIR]                 only the card, from the file that ships

Members of a committee are trained one after the other, in runs/NAME-SEED; a run goes on where it was stopped. DIR
holds digits of other hands (see benchmarks/sets.py), which are measured for the card and never trained on. Afterwards
docs/model-card.md tells of all models that ship.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

import pendigit
from pendigit.classifier import OnnxClassifier
from pendigit.datasets import load_dataset
from pendigit.datasets.fonts import listed
from pendigit.datasets.split import split
from pendigit.datasets.written import ASIDE, make_chunk
from pendigit.doubt import KEY, Threshold, as_metadata, confidence, thresholds_in
from pendigit.files import publish_text
from pendigit.judging.calibration import confidences, fit_temperature
from pendigit.judging.evaluation import score
from pendigit.judging.rejection import promises
from pendigit.judging.stamp import stamp
from pendigit.models import WEIGHTS, cards

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "model-card.md"
FRESH = 1_000_000_000  # where chunks begin that no training has seen
DIGIT_KINDS = ("form", "repenned", "lettered")
FOR_TEMPERATURE, FOR_THRESHOLDS = 1_500, 10_000  # frames of each kind; of MNIST's, thresholds get the rest
MEMBERS: dict[str, tuple[tuple[int, dict[str, Any]], ...]] = {  # what a model is made of: each one's weight and options
    "classic": ((1, {"network": "classic", "data": "mnist"}),),
    "reader": (
        (3, {"network": "reader", "data": "written"}),
        (2, {"network": "strong", "data": "schooled", "epochs": 8}),
        (1, {"network": "strong", "data": "mnist", "validation": ASIDE}),  # the others' data leave these digits out
    ),
}
COMMITTEE = "the weighted mean of {}, of seeds 0 and on; each sees a frame leaning either way; kernels of 16 bits"
PURPOSE = {
    "classic": "the tutorials",
    "reader": "digits of many hands",
}
NOT_FOR = {
    "classic": "Reading what matters: it knows American forms alone, and is sure of letters and scribbles.",
    "reader": (
        "Letters, numerals of other scripts, printed digits, several digits in one frame; and deciding alone where a "
        "wrong digit does harm: ask for its doubt (docs/doubt.md), and calibrate on digits of your own."
    ),
}


def main() -> None:
    """Do what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=PURPOSE)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where the run folders are")
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--thresholds", action="store_true", help="only fit the thresholds, and write the card")
    parser.add_argument("--card", action="store_true", help="only write the card")
    options = parser.parse_args()
    if not (options.card or options.thresholds):
        make(options.name, options.runs)
    if not options.card:
        calibrate(WEIGHTS / f"{options.name}.onnx")
    write_card(options.name, options.data)
    publish_text(PAGE, page(cards()))
    print(f"{WEIGHTS / options.name}.onnx, its card, and {PAGE}")


def make(name: str, folder: Path) -> None:
    """Train what is not trained yet, and publish the model with its temperature."""
    runs = [folder / f"{name}-{seed}" for seed in range(len(MEMBERS[name]))]
    weights, recipes = zip(*MEMBERS[name], strict=True)
    for seed, (run, recipe) in enumerate(zip(runs, recipes, strict=True)):
        if not (run / "model.keras").exists():
            pendigit.train(out=run, resume=(run / "config.json").exists(), seed=seed, **recipe)
    from pendigit.learning.committee import committee
    from pendigit.learning.export import export_onnx, keras_probabilities
    from pendigit.learning.keras_classifier import load_keras

    members = [load_keras(run / "model.keras") for run in runs]
    model = committee(members, weights) if len(members) > 1 else members[0]
    frames, labels, _ = held_out(for_thresholds=False)
    temperature = fit_temperature(keras_probabilities(model, frames), labels)
    minutes = sum(float(row["seconds"]) for run in runs for row in csv.DictReader((run / "history.csv").open())) / 60
    told = {"temperature": f"{temperature:.4f}", "minutes": f"{minutes:.0f}", "members": json.dumps(MEMBERS[name])}
    metadata = OnnxClassifier(runs[0] / "model.onnx").metadata | told
    export_onnx(
        model, WEIGHTS / f"{name}.onnx", frames[:256], metadata, temperature, bits=16 if len(members) > 1 else 32
    )


def calibrate(path: Path) -> None:
    """Write into a model file what it can promise about digits of all kinds (docs/doubt.md)."""
    frames, labels, kinds = held_out(for_thresholds=True)
    classifier = OnnxClassifier(path, threads=0)
    probabilities, digitness = classifier.judge(frames)
    probability, correct = confidences(labels, probabilities)
    sure = confidence(probability, digitness)
    before, card = digest(path), path.with_suffix(".json")
    stamp(path, path, as_metadata(promises(sure, correct, kinds)))
    if card.exists() and (known := json.loads(card.read_text()))["sha256"] == before:  # the network is still the same,
        publish_text(card, json.dumps(known | {"sha256": digest(path)}, indent=1) + "\n")  # and so are its scores


def held_out(for_thresholds: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Digits that no training of a shipped model has seen, their labels, and which kind each is.

    Kinds are MNIST's digits that were set aside, and fresh ones of each kind of digits. Those for the temperature are
    others than those for the thresholds.
    """
    mnist = load_dataset("mnist")
    _, aside = split(mnist, ASIDE)
    order = np.random.default_rng(0).permutation(aside)
    own = order[FOR_TEMPERATURE:] if for_thresholds else order[:FOR_TEMPERATURE]
    start, count = (FRESH + 1, FOR_THRESHOLDS) if for_thresholds else (FRESH, FOR_TEMPERATURE)
    parts = [(mnist.x_train[own], mnist.y_train[own]), *(make_chunk(kind, start, count) for kind in DIGIT_KINDS)]
    frames, labels = zip(*parts, strict=True)
    kinds = np.repeat(np.arange(len(parts)), [len(part) for part in labels])
    return np.concatenate(frames), np.concatenate(labels), kinds


def write_card(name: str, data: Path | None) -> None:
    """Publish the JSON beside the weights; scores on sets that are not at hand stay as they were."""
    path = WEIGHTS / f"{name}.onnx"
    classifier = OnnxClassifier(path, threads=0)
    mnist = load_dataset("mnist")
    test = score(classifier.predict_proba(mnist.x_test), mnist.y_test, name, "mnist:test")
    old = path.with_suffix(".json")
    known = json.loads(old.read_text()) if old.exists() else {}
    elsewhere = measured_elsewhere(name, data) if data else {
        key: known[key] for key in ("elsewhere", "digitness_area") if key in known and known["sha256"] == digest(path)
    }  # fmt: skip
    recipe = json.loads(classifier.metadata["recipe"])
    card: dict[str, Any] = {
        "name": name,
        "purpose": PURPOSE[name],
        "not_for": NOT_FOR[name],
        "command": f"python tools/make_weights.py {name}",
        "sha256": digest(path),
        "bytes": path.stat().st_size,
        "parameters": parameters(path),
        "members": json.loads(classifier.metadata.get("members", "[]")),
        "digitness": classifier.has_digitness,
        "trained_on": recipe["data"],
        "data_digest": classifier.metadata["data_digest"],
        "recipe": recipe,
        "versions": json.loads(classifier.metadata["versions"]),
        "temperature": float(classifier.metadata.get("temperature", 1)),
        "thresholds": [each.to_dict() for each in thresholds_in(classifier.metadata, name)]
        if KEY in classifier.metadata
        else [],
        "training_minutes": float(classifier.metadata.get("minutes", 0)) or None,
        "accuracy": {"mnist:test": test.accuracy} | elsewhere.get("elsewhere", {}),
        "interval": test.interval,
        "loss": test.loss,
        "errors_of_each_digit": [1 - recall for recall in test.recall if recall is not None],
        "elsewhere": elsewhere.get("elsewhere", {}),
        "digitness_area": elsewhere.get("digitness_area"),
        "fonts": sorted({f"{font.name} ({font.licence})" for font in listed("hand", "print")})
        if recipe["data"] == "written"
        else [],
    }
    publish_text(old, json.dumps(card, indent=1) + "\n")


def measured_elsewhere(name: str, data: Path) -> dict[str, Any]:
    """Accuracy on each set of single digits, and the area of digitness, letters against Swiss digits."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from sets import load_sets
    from weights import judge  # the benchmark's own measure

    result = judge(name, load_sets(data))
    shares = {name: found["share"] for name, found in result["accuracy"].items() if name != "mnist:test"}
    return {"elsewhere": shares, "digitness_area": result.get("area")}


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return sha256(path.read_bytes()).hexdigest()


def parameters(path: Path) -> int:
    """Numbers in the kernels, biases and normalisations of a model file."""
    import onnx

    kept = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    found = [each for each in onnx.load(path).graph.initializer if each.data_type in kept]
    sizes = [int(np.prod(each.dims)) for each in found if not each.name.startswith(("slant", "share"))]
    return sum(size for size in sizes if size > 1)  # what scales pixels and logits is one number


def page(found: dict[str, dict[str, Any]]) -> str:
    """docs/model-card.md."""
    parts = [
        "# The models that ship",
        "",
        "Made by `tools/make_weights.py`, which writes this page; the same in JSON stands beside the weights and is",
        "printed by `pendigit models --json`. Only MNIST and generated images were trained on. Digits of other hands",
        "were measured, and looked at while framing and forms were shaped: take their figures as tuned ones.",
    ]
    for card in found.values():
        parts += ["", *section(card)]
    return "\n".join(parts) + "\n"


def section(card: dict[str, Any]) -> list[str]:
    """One model's part of the page, line by line."""
    low, high = card["interval"]
    options = ", ".join(f"{key} {value}" for key, value in card["recipe"].items() if value not in ("", 0, False))
    rows = [
        ("for", card["purpose"]),
        ("not for", card["not_for"]),
        ("made by", f"`{card['command']}`"
         + (f", {card['training_minutes']:.0f} minutes on 2 cores" if card["training_minutes"] else "")),
        ("file", f"{card['bytes'] / 1e6:.2f} MB, {card['parameters']:,} parameters, SHA-256 `{card['sha256']}`"),
        ("trained on", f"`{card['trained_on']}`, digest `{card['data_digest']}`"),
        ("settings", options),
        *([("made of", COMMITTEE.format(spoken(card["members"])))] if len(card.get("members", ())) > 1 else []),
        ("versions", ", ".join(f"{key} {value}" for key, value in card["versions"].items())),
        ("temperature", f"{card['temperature']:.3f}"),
        *(promise(Threshold(**each)) for each in card.get("thresholds", [])),
        ("MNIST test", f"{card['accuracy']['mnist:test']:.2%} ({low:.2%} to {high:.2%}), loss {card['loss']:.4f}"),
        ("errors of 0 to 9", ", ".join(f"{share:.1%}" for share in card["errors_of_each_digit"])),
        *((name, f"{share:.2%}") for name, share in card["elsewhere"].items()),
    ]  # fmt: skip
    if card["digitness_area"]:
        rows.append(
            ("digitness", f"area under the ROC curve {card['digitness_area']:.4f}, letters against Swiss digits")
        )
    if card["fonts"]:
        rows.append(("fonts", ", ".join(card["fonts"])))
    return [f"## {card['name']}", "", "| | |", "| --- | --- |", *(f"| {key} | {value} |" for key, value in rows)]


def spoken(members: list[tuple[int, dict[str, Any]]]) -> str:
    """Networks, their data and weights in a few words."""
    return ", ".join(f"`{each['network']}` trained on `{each['data']}` (weight {weight})" for weight, each in members)


def promise(found: Threshold) -> tuple[str, str]:
    """One promise's row."""
    seen = f"{found.accepted:,} of {found.count:,}, {found.wrong} of them wrong"
    return f"error of at most {found.max_error:.1%}", f"confidence of {found.threshold:.4f} or more: {seen}"


if __name__ == "__main__":
    main()
