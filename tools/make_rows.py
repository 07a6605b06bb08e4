"""Make the row network that ships: generate rows, train on them, fit its temperature, publish the file and its card.

    python tools/make_rows.py [--run runs/rows] [--epochs 40] [--chunks 120] [--threads 1]
    python tools/make_rows.py --card [--data DIR]

A training goes on where it was stopped: the state is kept after each epoch, which is 10,000 rows. Rows that are not in
the cache yet are made first. DIR holds crops of other hands, measured for the card and never trained on.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np

CHUNKS_AN_EPOCH = 5
RATE, WARM = 2e-3, 0.08  # the highest learning rate, and the share of the training before it is reached
FRESH = 1_000_000  # where chunks begin that no training has seen


def main() -> None:
    """Do what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, default=Path("runs/rows"))
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--chunks", type=int, default=120, help="chunks of 2,000 rows in the set")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    os.environ.setdefault("XLA_FLAGS", f"--xla_cpu_multi_thread_eigen={'true' if options.threads > 1 else 'false'}")
    train(options.run, options.epochs, options.chunks)


def train(run: Path, epochs: int, chunks: int) -> None:
    """Train for some epochs, or for those that are left."""
    import pendigit.learning  # noqa: F401 - sets up Keras and JAX
    import keras

    from pendigit.datasets.strings import load_chunk
    from pendigit.learning.checkpoint import EpochRecord, load_checkpoint, save_checkpoint
    from pendigit.learning.rows import RowTraining, batches, row_network

    keras.utils.set_random_seed(0)
    training = RowTraining(row_network(), RATE, WARM)
    run.mkdir(parents=True, exist_ok=True)
    path, history = run / "checkpoint.npz", []
    if path.exists():
        arrays, history = load_checkpoint(path)
        training.restore(arrays)
    for epoch in range(len(history), epochs):
        began, losses = time.perf_counter(), []
        for part in range(CHUNKS_AN_EPOCH):
            number = (epoch * CHUNKS_AN_EPOCH + part) % chunks
            found = batches(load_chunk(number), np.random.default_rng((epoch, number)))
            share = 1 / epochs / CHUNKS_AN_EPOCH
            for loss in training.run(found, epoch / epochs + part * share, share):
                losses.append(loss)
                if len(losses) % 20 == 0:
                    print(f"\repoch {epoch + 1}  {len(losses)}  {np.mean(losses[-50:]):.4f}", end="", flush=True)
        seconds = time.perf_counter() - began
        history.append(EpochRecord(epoch, float(np.mean(losses)), 0.0, None, None, seconds))
        save_checkpoint(path, training.arrays(), history)
        print(f"\repoch {epoch + 1} of {epochs}: loss {np.mean(losses):.4f}, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
