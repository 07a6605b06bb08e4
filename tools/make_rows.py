"""Make the row network that ships: generate rows, train on them, fit its temperature, publish the file and its card.

    python tools/make_rows.py [--run runs/rows] [--data DIR]               about three hours on 2 cores
    python tools/make_rows.py --publish [--run runs/rows] [--data DIR]     only the file and its card, from the run

Needs the extra [rows]. It learns in three stages: a network on numbers of all kinds; a deeper one, which begins where
the first ended, most of all on digits that touch; and that one again, on both and on hands that flag their ones. A
training goes on where it was stopped: the state is kept after each round of 20,000 rows. Rows that are not in the cache
yet are made first, on all cores. DIR holds crops of other hands (see benchmarks/rows.py), which are measured for the
card and never trained on.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from pendigit.datasets.fonts import fetch_fonts, listed
from pendigit.datasets.strings import CHUNK, CROWDED, FLAGGED, GENERAL, RowSet, chunk_path, load_chunk
from pendigit.files import make_folder, publish_text
from pendigit.models import ROWS, WEIGHTS

CHUNKS = 200  # of 2,000 rows of each kind: each row is met a few times, never twice alike (learning/rows.py)
CHUNKS_A_ROUND = 10
WARM = 0.05  # the share of a stage before its highest learning rate is reached
FRESH = 1_000_000  # a chunk that no training has seen: for the temperature and the card
TEMPERATURES = np.exp(np.linspace(np.log(0.6), np.log(1.8), 25))
PURPOSE = "rows of digits that touch, on any paper"
NOT_FOR = "Letters and words, printed digits; and deciding alone where a wrong digit does harm."


@dataclass(frozen=True)
class Stage:
    """A part of the training.

    Attributes:
        number: From 0; seeds the order and the bending of rows.
        name: Of its checkpoint.
        after: The stage whose network it begins with.
        more: Blocks added in each place.
        rounds: Of ten chunks.
        mix: The kinds of the ten, by the first letters of their names here.
        rate: The highest learning rate.
    """

    number: int
    name: str
    after: Stage | None
    more: int
    rounds: int
    mix: str
    rate: float

    def chunks(self, number: int) -> Iterator[tuple[int, RowSet]]:
        """Numbers and kinds of the chunks of round `number`, from 0."""
        for place, letter in enumerate(self.mix):
            before = number * self.mix.count(letter) + self.mix[:place].count(letter)
            yield before % CHUNKS, KINDS[letter]


KINDS = {"G": GENERAL, "C": CROWDED, "F": FLAGGED}
FIRST = Stage(0, "checkpoint", None, more=0, rounds=56, mix="GGGGGGGGGG", rate=2e-3)
SECOND = Stage(1, "grown", FIRST, more=1, rounds=54, mix="CGCGCCGCGC", rate=1.5e-3)
THIRD = Stage(2, "flagged", SECOND, more=1, rounds=100, mix="GCFGCFGCFG", rate=1.5e-3)
STAGES = (FIRST, SECOND, THIRD)


def main() -> None:
    """Do what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, default=Path("runs/rows"))
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--publish", action="store_true", help="train no further")
    options = parser.parse_args()
    if not options.publish:
        make_chunks()
        for stage in STAGES:
            train(options.run, stage)
    publish(options.run)
    write_card(options.data)


def make_chunks() -> None:
    """Make the chunks that are not in the cache."""
    fetch_fonts(listed("hand", "print"))
    met = {chunk: None for stage in STAGES for number in range(stage.rounds) for chunk in stage.chunks(number)}
    wanted = [*met, *((FRESH, kind) for kind in KINDS.values())]
    missing = [each for each in wanted if not chunk_path(*each).is_file()]
    # Spawned, not forked: the process that trains has threads of its own.
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        for done, _ in enumerate(pool.map(load_chunk, *zip(*missing, strict=True)) if missing else (), start=1):
            print(f"\rrows: {done} of {len(missing)} chunks", end="" if done < len(missing) else "\n", flush=True)


def train(run: Path, stage: Stage) -> None:
    """Train a stage to its end, or what is left until then."""
    import pendigit.learning  # noqa: F401 - sets up Keras and JAX, before anything else loads them
    from pendigit.learning.checkpoint import EpochRecord, save_checkpoint
    from pendigit.learning.rows import batches

    training, history = load(run, stage)
    make_folder(run)
    share = 1 / stage.rounds / CHUNKS_A_ROUND  # of the training that is one chunk
    for number in range(len(history), stage.rounds):
        began, losses = time.perf_counter(), []
        for place, chunk in enumerate(stage.chunks(number)):
            turn = number * CHUNKS_A_ROUND + place
            found = batches(load_chunk(*chunk), np.random.default_rng((stage.number, turn) if stage.number else turn))
            for loss in training.run(found, turn * share, share):
                losses.append(loss)
                print(f"\rround {number + 1}  {np.mean(losses[-50:]):.4f}", end="", flush=True)
        seconds = time.perf_counter() - began
        history.append(EpochRecord(number, float(np.mean(losses)), 0.0, None, None, seconds))
        save_checkpoint(run / f"{stage.name}.npz", training.arrays(), history)
        print(f"\rround {number + 1} of {stage.rounds}: loss {np.mean(losses):.4f}, {seconds:.0f} s", flush=True)


def load(run: Path, stage: Stage) -> tuple[Any, list[Any]]:
    """The training as a run left it, or a new one, and its epochs."""
    from pendigit.learning import seed
    from pendigit.learning.checkpoint import load_checkpoint
    from pendigit.learning.row_training import RowTraining
    from pendigit.learning.rows import grown, row_network

    seed(0)
    path, history = run / f"{stage.name}.npz", []
    begun = path.exists() or stage.after is None
    network = row_network(stage.more) if begun else grown(load(run, stage.after)[0].settle(), stage.more)
    training = RowTraining(network, stage.rate, WARM)
    if path.exists():
        arrays, history = load_checkpoint(path)
        training.restore(arrays)
    return training, history


def publish(run: Path) -> None:
    """Publish the average of the weights with its temperature."""
    import pendigit.learning  # noqa: F401
    from pendigit.learning.row_export import export_rows
    from pendigit.learning.row_training import tf
    from pendigit.learning.rows import batches

    model = load(run, STAGES[-1])[0].settle()
    history = [record for stage in STAGES for record in load(run, stage)[1]]
    fresh = [batch for kind in KINDS.values() for batch in batches(load_chunk(FRESH, kind), np.random.default_rng(0))]
    temperature = fit_temperature(model, fresh)
    widest = max(fresh, key=lambda batch: batch.frames.shape[2]).frames[:8]
    packages = {name: version(name) for name in ("pendigit", "keras", "numpy")}
    metadata = {
        "recipe": {
            "data": [kind.name for kind in KINDS.values()],
            "rows": len(history) * CHUNKS_A_ROUND * CHUNK,
            "rates": [stage.rate for stage in STAGES],
        },
        "versions": {"python": platform.python_version(), **packages, "tensorflow": tf.__version__},
        "temperature": f"{temperature:.4f}",
        "minutes": f"{sum(record.seconds for record in history) / 60:.0f}",
    }
    export_rows(model, WEIGHTS / f"{ROWS}.onnx", widest, metadata, temperature)


def fit_temperature(model: Any, found: list[Any]) -> float:
    """What logits are divided by so that rows are as probable as they are often right: the least CTC loss."""
    from pendigit.learning.row_training import ctc

    losses = np.zeros(len(TEMPERATURES))
    for batch in found:
        logits = np.asarray(model(batch.frames[..., None].astype(np.float32) / 255, training=False))
        losses += [float(np.sum(ctc(logits / np.float32(each), batch))) for each in TEMPERATURES]
    return float(TEMPERATURES[losses.argmin()])


def write_card(data: Path | None) -> None:
    """Publish the JSON beside the weights."""
    from pendigit.reading.columns import read_columns
    from pendigit.rowframe import OTHER
    from pendigit.rownet import RowNetwork

    path = WEIGHTS / f"{ROWS}.onnx"
    network, rows = RowNetwork(path), load_chunk(FRESH)
    read = (read_columns(network.judge(frame)).digits for frame in rows.frames)
    truths = [tuple(int(sign) for sign in signs if sign != OTHER) for signs in rows.signs]
    right = sum(one == other for one, other in zip(read, truths, strict=True))
    card = {
        "name": ROWS,
        "purpose": PURPOSE,
        "not_for": NOT_FOR,
        "command": "python tools/make_rows.py",
        "sha256": sha256(path.read_bytes()).hexdigest(),
        "bytes": path.stat().st_size,
        "recipe": json.loads(network.metadata["recipe"]),
        "versions": json.loads(network.metadata["versions"]),
        "temperature": float(network.metadata["temperature"]),
        "training_minutes": float(network.metadata["minutes"]),
        "exact": {"generated": right / len(truths)} | (elsewhere(data) if data else {}),
    }
    publish_text(path.with_suffix(".json"), json.dumps(card, indent=1) + "\n")


def elsewhere(data: Path) -> dict[str, float]:
    """The share of pictures read exactly by the row network alone, on each set of rows of other hands."""
    import sys

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
    from rows import PHOTOS, by_rows, photos

    found = {}
    for name in PHOTOS:
        pictures = list(photos(data / name))
        read = by_rows()([picture.pixels for picture in pictures])
        right = sum(text == picture.truth for text, picture in zip(read, pictures, strict=True))
        found[name] = right / len(pictures)
    return found


if __name__ == "__main__":
    main()
