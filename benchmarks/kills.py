"""Kill `pendigit train` at random moments, resume it until it is done, and compare with a run left in peace.

    python benchmarks/kills.py --kills 20

Shows that a run survives SIGKILL at any moment: after every kill each file under its final name is whole, and the
end has the same bits as the uninterrupted run. Then lets the operating system refuse files above growing sizes, as a
full disk would: each time one line, exit code 6 and nothing half-written.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from PIL import Image

PENDIGIT = [sys.executable, "-c", "import sys; from pendigit.commands import main; main(sys.argv[1:])"]
# Python's zipfile and h5py meet the limit as an error, EFBIG, once the signal that would kill them is ignored.
LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
from pendigit.commands import main
main(sys.argv[2:])
"""
LIMITS = (100, 10_000, 1_000_000, 2_000_000)  # bytes: refuses the config, the checkpoint, its end, nothing
KILLS_A_ROUND = 4  # then the run may end: more would hit its last files alone
OUTPUT_ERROR = 6


def main() -> None:
    options = _options()
    random.seed(options.seed)
    recipe = ["train", "--data", "mini", "--epochs", str(options.epochs)]
    with tempfile.TemporaryDirectory() as place:
        peaceful, killed = Path(place, "peaceful"), Path(place, "killed")
        seconds = run_in_peace(recipe, peaceful)
        print(f"in peace: {options.epochs} epochs, whole process {seconds:.1f} s")
        rounds = landed = 0
        stages: Counter[str] = Counter()
        while landed < options.kills:
            rounds += 1
            remove(killed)
            began = time.perf_counter()
            kills = kill_until_done(recipe, killed, min(KILLS_A_ROUND, options.kills - landed), seconds, stages)
            if not kills:  # it was quicker than the kill: aim earlier
                seconds = min(seconds, time.perf_counter() - began)
            landed += kills
            same = contents(killed) == contents(peaceful)
            print(f"round {rounds}: {landed} kills landed so far, end bit-identical: {'yes' if same else 'NO'}")
            if not same:
                sys.exit(1)
        print(f"{landed} kills in {rounds} rounds; what was there after them: {describe(stages)}")
        fill_the_disk(recipe, Path(place, "full"))


def run_in_peace(recipe: Sequence[str], folder: Path) -> float:
    """Train to the end; the seconds that the whole process took with a warm compile cache."""
    for _ in range(2):
        remove(folder)
        began = time.perf_counter()
        subprocess.run([*PENDIGIT, *recipe, "--out", folder], check=True, capture_output=True)
        seconds = time.perf_counter() - began
    return seconds


def kill_until_done(recipe: Sequence[str], folder: Path, most: int, seconds: float, stages: Counter[str]) -> int:
    """Train in `folder`, killed up to `most` times, until it is done; the number of kills that landed."""
    landed = 0
    while True:
        resumable = (folder / "config.json").exists()
        how = ["train", "--resume"] if resumable else recipe
        process = subprocess.Popen(
            [*PENDIGIT, *how, "--out", folder], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        if landed < most:
            time.sleep(random.uniform(0.1, 1) * seconds)
            process.send_signal(signal.SIGKILL)
        _, errors = process.communicate()
        if process.returncode == 0:
            check_files(folder)
            return landed
        if process.returncode != -signal.SIGKILL:
            sys.exit(f"exit code {process.returncode}: {errors.decode()}")
        landed += 1
        stages[stage(folder)] += 1
        if folder.exists():
            check_files(folder)
        if done(folder):  # killed between its last file and its end
            return landed


def done(folder: Path) -> bool:
    return (folder / "evaluation.json").exists() and not (folder / "checkpoint.npz").exists()


def stage(folder: Path) -> str:
    """How far a killed run had come."""
    if not (folder / "config.json").exists():
        return "nothing"
    if not (folder / "history.csv").exists():
        return "config"
    if not any(folder.glob("model.*")):
        return "some epochs"
    return "all files" if done(folder) else "some last files"


def check_files(folder: Path) -> None:
    """Parse every file under its final name."""
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue  # a draft that a kill left behind
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".csv":
            rows = list(csv.DictReader(path.open()))
            assert all(len(row) == 6 and None not in row.values() for row in rows), path
        elif path.suffix == ".npz":
            with np.load(path) as archive:
                assert all(archive[name] is not None for name in archive.files)
        elif path.suffix == ".png":
            Image.open(path).load()
        elif path.suffix == ".keras":
            assert zipfile.ZipFile(path).testzip() is None, path
        elif path.suffix == ".onnx":
            onnx.checker.check_model(onnx.load(path), full_check=True)
        else:
            raise AssertionError(f"{path} is no file of a run")


def contents(folder: Path) -> dict[str, object]:
    """What has to be the same bit for bit: the exported model, the scores, the saved weights."""
    with zipfile.ZipFile(folder / "model.keras") as archive:
        weights = archive.read("model.weights.h5")
    return {"weights": weights} | {name: (folder / name).read_bytes() for name in ("model.onnx", "evaluation.json")}


def fill_the_disk(recipe: Sequence[str], folder: Path) -> None:
    """Train under growing limits of a file's size: one line and exit code 6 until everything fits."""
    for limit in LIMITS:
        remove(folder)
        line = [sys.executable, "-c", LIMITED, str(limit), *recipe, "--out", str(folder)]
        ended = subprocess.run(line, check=False, capture_output=True, text=True)
        last = (ended.stderr.splitlines() or [""])[-1]
        names = sorted(path.name for path in folder.iterdir())
        print(f"files up to {limit:,} bytes: exit code {ended.returncode}, {len(names)} whole files; {last}")
        assert not [name for name in names if name.startswith(".")], names
        check_files(folder)
        if ended.returncode == 0:
            continue
        assert ended.returncode == OUTPUT_ERROR, ended.stderr
        assert last.startswith("pendigit: cannot write "), ended.stderr
        assert "Traceback" not in ended.stderr, ended.stderr


def remove(folder: Path) -> None:
    if folder.exists():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def describe(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=20, help="how many kills have to land")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0, help="of the kills' moments")
    return parser.parse_args()


if __name__ == "__main__":
    main()
