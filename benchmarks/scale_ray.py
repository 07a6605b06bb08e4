"""Ray on two nodes simulated on this machine, beside the local engine; called by scale.py."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import CACHE
from scale_tables import alike, rows_of

PENDIGIT = [sys.executable, "-c", "from pendigit.commands import main; main()"]
TARGET = 0.6  # of the local engine's rate
NODES = 2
KILLED = 1  # workers, while the images are read
OUT_OF_REACH = "127.0.0.1:9"  # the discard port, which nobody listens on
FAILS_WITHIN = 20.0  # seconds


def ray_cluster(many: Path, few: Path, workers: int) -> None:
    """Equal tables, a killed worker, the rate; and an address where no cluster is."""
    count = sum(1 for _ in many.glob("*.png"))
    print(f"\nRay on {NODES} simulated nodes, {workers} cores together, {count:,} pictures")
    with _cluster(workers) as address:
        seconds = {}
        for name, options in {"local": ["--workers", str(workers)], "ray": _on(address)}.items():
            seconds[name] = _read(many, name, options)
            print(f"  {name}: {seconds[name]:.1f} s, {count / seconds[name]:.1f} pictures/s")
        same = alike(rows_of(_table("local")), rows_of(_table("ray")))
        print(f"  the tables are equal row for row, times aside: {'yes' if same else 'NO'}")
        ratio = seconds["local"] / seconds["ray"]
        print(f"  rate, of the local engine's: {ratio:.2f} (target at least {TARGET})" + "  MISSED" * (ratio < TARGET))
        _read(few, "few", ["--workers", str(workers)])
        killer = threading.Thread(target=_kill_workers)
        killer.start()
        _read(few, "killed", _on(address))
        killer.join()
        same = alike(rows_of(_table("few")), rows_of(_table("killed")))
        print(f"  {KILLED} worker killed on the way: nothing lost, nothing doubled: {'yes' if same else 'NO'}")
    began = time.perf_counter()
    ended = subprocess.run(
        [*PENDIGIT, "read", few, "-o", _table("reach", fresh=True), *_on(OUT_OF_REACH)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    took = time.perf_counter() - began
    print(f"  an address out of reach: exit code {ended.returncode} after {took:.1f} s; {ended.stderr.strip()}")
    assert took < FAILS_WITHIN
    assert OUT_OF_REACH in ended.stderr


@contextmanager
def _cluster(workers: int) -> Iterator[str]:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": max(1, workers // NODES)})
    try:
        for _ in range(NODES - 1):
            cluster.add_node(num_cpus=max(1, workers // NODES))
        cluster.wait_for_nodes()
        yield cluster.address
    finally:
        cluster.shutdown()


def _on(address: str) -> list[str]:
    return ["--engine", "ray", "--address", address]


def _table(name: str, fresh: bool = False) -> Path:
    path = CACHE / f"ray-{name}.parquet"
    if fresh:
        path.unlink(missing_ok=True)
    return path


def _read(folder: Path, name: str, options: list[str]) -> float:
    """Read a folder into a fresh table; the seconds of the whole process."""
    began = time.perf_counter()
    command = [*PENDIGIT, "read", str(folder), "-o", str(_table(name, fresh=True)), *options]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode not in {0, 3}:
        sys.exit(f"{command} failed:\n{ended.stderr}")
    return time.perf_counter() - began


def _kill_workers() -> None:
    """Kill workers that read, once there are some."""
    killed = 0
    while killed < KILLED:
        time.sleep(1)
        for pid in _reading(os.getpid()):
            time.sleep(2)  # so that it is amid its images
            os.kill(pid, signal.SIGKILL)
            killed += 1
            print(f"  killed the worker {pid}")
            break


def _reading(pid: int) -> Iterator[int]:
    """Ray's workers below a process of ours that hold a reader."""
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found = [int(child) for child in children.read_text().split()]
        except OSError:
            continue
        for child in found:
            try:
                title = Path(f"/proc/{child}/cmdline").read_bytes()
            except OSError:
                continue
            if title.startswith(b"ray::") and b"RayWorker" in title:
                yield child
            yield from _reading(child)
