"""Many images: rate, memory, a second core, whole pages, Ray, faults.

    python benchmarks/scale.py [--only singles|pages|ray|faults ...] [--images 20000] [--many 100000] [--kills 50]

Images are generated: MNIST's test digits, and pages of them, on papers and under lights. What is compared runs in the
same go, in turns. `busy` is the share of the CPU that other processes used: above 5 % a ratio of times says little, and
that of CPU seconds stands beside it.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
from PIL import Image

import pendigit
from bench import CACHE, PEERS, busy_seconds, environment, machine
from pendigit.batches.settings import cores
from pendigit.writing.conditions import random_conditions
from pendigit.writing.crops import on_paper
from pendigit.writing.glyphs import glyphs_of
from pendigit.writing.pages import write_page
from scale_faults import faults
from scale_ray import ray_cluster

SEED = 2026
PENDIGIT = [sys.executable, "-c", "from pendigit.commands import main; main()"]
FEW = 5_000  # images, whose memory the many's is compared with
SAMPLED_EVERY = 0.5  # seconds between looks at the memory
TARGETS = {"pool": 0.85, "cores": 1.7, "memory": 1.1, "contours": 3.0}


def main() -> None:
    options = _options()
    print(machine())
    if "singles" in options.only:
        singles(options)
    if "memory" in options.only:
        memory(options)
    if "pages" in options.only:
        pages(options)
    if "ray" in options.only:
        ray_cluster(digit_files(options.many), digit_files(min(options.many, 2_000)), options.workers)
    if "faults" in options.only:
        faults(digit_files(options.fault_images), options.kills, options.workers)


def singles(options: argparse.Namespace) -> None:
    """The rate beside a bare pool of processes, in pairs; then on one core."""
    folder, workers = digit_files(options.images), options.workers
    print(f"\n{options.images:,} pictures of single digits, {workers} workers")
    pools, ours = [], []
    for _ in range(options.pairs):
        pools.append(run([sys.executable, PEERS / "bare_pool.py", folder, str(workers)]))
        ours.append(read(folder, workers))
        print(f"  bare pool: {pools[-1]}\n  pendigit: {ours[-1]}")
    loop = run([sys.executable, PEERS / "batched_loop.py", folder])
    print(f"  a loop that decodes, resizes and asks the network, {loop.last['batch']} at a time: {loop}")
    one = read(folder, 1)
    print(f"  on one core: {one}")
    _verdict("rate, of the bare pool's", best(pools).seconds / best(ours).seconds, TARGETS["pool"])
    print(f"    in CPU seconds: {best_cpu(pools) / best_cpu(ours):.2f}")
    if workers > 1:
        _verdict(f"{workers} cores against one", one.seconds / best(ours).seconds, TARGETS["cores"])
    million = best_cpu(ours) / options.images * 1e6 / 3600
    print(f"  a million such pictures: {million:.1f} core hours")


def memory(options: argparse.Namespace) -> None:
    """The most that all processes hold together, with few images and with many."""
    print(f"\npeak memory, {options.workers} workers")
    few, many = min(FEW, options.many // 2), options.many
    small, large = read(digit_files(few), options.workers), read(digit_files(many), options.workers)
    print(f"  {few:,} pictures: {small}\n  {many:,} pictures: {large}")
    ratio = large.megabytes / small.megabytes
    print(f"  memory of the many, of the few's: {ratio:.3f} (target at most {TARGETS['memory']}){_missed(ratio > 1.1)}")


def pages(options: argparse.Namespace) -> None:
    """Whole pages, beside the tutorials' way: contours, then Keras."""
    folder = page_files(options.pages)
    tensorflow = environment("tensorflow-contours", "tensorflow", "opencv-python-headless")
    print(f"\n{options.pages} pages as photographed, {options.workers} workers")
    loop = run([tensorflow, PEERS / "contours_keras.py", folder], TF_CPP_MIN_LOG_LEVEL="3")
    ours = read(folder, options.workers)
    said = loop.last
    print(f"  contours and one model(x) for each page, its loop alone: {said['seconds']:.2f} s; whole process {loop}")
    print(
        f"  contours and model.predict for each digit, from {said['predicted']} pages: {said['predict_seconds']:.1f} s"
    )
    print(f"  pendigit, whole process {ours}")
    _verdict("pages a second, of the contour loop's", said["seconds"] / ours.seconds, TARGETS["contours"])
    print(f"    whole processes: {loop.seconds / ours.seconds:.2f}")
    million = ours.cpu / options.pages * 1e6 / 3600
    print(f"  a million such pages: {million:.0f} core hours")


@dataclass(frozen=True)
class Run:
    """A process with its children: wall and CPU seconds, most memory at once (MB), the share of CPU others used."""

    seconds: float
    cpu: float
    megabytes: float
    busy: float
    last: dict[str, float]

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s, {self.cpu:.1f} CPU s, {self.megabytes:.0f} MB (busy {self.busy:.0%})"


def best(runs: list[Run]) -> Run:
    return min(runs, key=lambda each: each.seconds)


def best_cpu(runs: list[Run]) -> float:
    return min(each.cpu for each in runs)


def read(folder: Path, workers: int) -> Run:
    """`pendigit read` into a fresh Parquet file."""
    output = CACHE / "scale.parquet"
    output.unlink(missing_ok=True)
    return run([*PENDIGIT, "read", folder, "-o", output, "--workers", str(workers)])


def run(command: list[str | Path], **variables: str) -> Run:
    """Run a command to its end and measure it with its children; its last line of output may be JSON."""
    before, began = busy_seconds(), time.perf_counter()
    with (CACHE / "scale.log").open("w+") as log:
        child = subprocess.Popen(
            [str(part) for part in command], stdout=log, stderr=subprocess.STDOUT, env=os.environ | variables
        )
        peak = _Peak(child.pid)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        log.seek(0)
        lines = log.read().strip().splitlines()
    if status:
        sys.exit(f"{command} failed:\n" + "\n".join(lines[-15:]))
    cpu = usage.ru_utime + usage.ru_stime
    others = max(0.0, busy_seconds() - before - cpu) / (seconds * (os.cpu_count() or 1))
    last = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    return Run(seconds, cpu, peak.megabytes(), others, last)


class _Peak:
    """The most memory that a process and its descendants held at once; what they share counts once."""

    def __init__(self, pid: int) -> None:
        self._pid, self._most, self._ended = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)  # a command that failed ends the benchmark
        self._thread.start()

    def megabytes(self) -> float:
        """End watching."""
        self._ended.set()
        self._thread.join()
        return self._most / 1024

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLED_EVERY):
            self._most = max(self._most, sum(map(_kilobytes, _descendants(self._pid))))


def _descendants(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found = children.read_text().split()
        except OSError:  # it has ended
            continue
        for child in found:
            yield from _descendants(int(child))


def _kilobytes(pid: int) -> int:
    """A process's own memory and its share of what several use."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def digit_files(number: int) -> Path:
    """A folder of that many PNG files of one digit each, made on first use."""
    folder = CACHE / f"digits-{number}"
    if not (folder / "truth.csv").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _, (frames, labels) = pendigit.load_data("mini")
        rng = np.random.default_rng(SEED)
        for index in range(number):
            frame = frames[index % len(frames)]
            rows, columns = (np.flatnonzero(frame.any(axis=axis)) for axis in (1, 0))
            ink = frame[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] / np.float32(255)
            Image.fromarray(on_paper(rng, ink)).save(folder / f"{index:06}.png")
        _tell_truth(folder, (str(labels[index % len(labels)]) for index in count()), number)
    return folder


def page_files(number: int) -> Path:
    """A folder of that many photographed pages, made on first use."""
    folder = CACHE / f"pages-{number}"
    if not (folder / "truth.csv").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _, (frames, labels) = pendigit.load_data("mini")
        glyph, truths = glyphs_of(frames, labels), []
        for index in range(number):
            rng = np.random.default_rng([SEED, index])
            page = write_page(rng, glyph, random_conditions(rng))
            Image.fromarray(page.picture).save(folder / f"{index:06}.jpg", quality=90)
            truths.append("|".join(page.rows))
        _tell_truth(folder, iter(truths), number)
    return folder


def _tell_truth(folder: Path, truths: Iterator[str], number: int) -> None:
    with (folder / "truth.csv").open("w", newline="") as file:
        csv.writer(file).writerows(zip((f"{index:06}" for index in range(number)), truths, strict=False))


def _verdict(what: str, ratio: float, target: float) -> None:
    print(f"  {what}: {ratio:.2f} (target at least {target}){_missed(ratio < target)}")


def _missed(is_missed: bool) -> str:
    return "  MISSED" if is_missed else ""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parts = ("singles", "memory", "pages", "ray", "faults")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--images", type=int, default=20_000, help="pictures of single digits whose rate is taken")
    parser.add_argument("--many", type=int, default=100_000, help="pictures whose memory is taken, and Ray's rate")
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=2, help="turns of the bare pool and pendigit")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--fault-images", type=int, default=2_000)
    parser.add_argument("--workers", type=int, default=cores())
    return parser.parse_args()


if __name__ == "__main__":
    main()
