"""What the benchmarks share: environments of their own, measured child processes, the machine's name."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "benchmarks"
PEERS = Path(__file__).resolve().parent / "peers"
NOISE = 0.05  # share of the CPU that other processes may use before a measurement is void


def environment(name: str, *packages: str) -> Path:
    """The Python of a virtual environment that holds `packages`, made on first use."""
    folder = CACHE / name
    python = folder / "bin" / "python"
    wanted = "\n".join(packages)
    if not (folder / "made").exists() or (folder / "made").read_text() != wanted:
        print(f"making the environment {name} …", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-qqq", *packages], check=True)
        (folder / "made").write_text(wanted)
    return python


def own_environment(extra: str = "") -> Path:
    """The Python of a virtual environment that holds this checkout as it is now, with one of its extras or none."""
    python = environment(f"pendigit-{extra or 'alone'}", f"{ROOT}[{extra}]" if extra else str(ROOT))
    subprocess.run([python, "-m", "pip", "install", "-qqq", "--no-deps", "--force-reinstall", ROOT], check=True)
    return python


@dataclass(frozen=True)
class Measured:
    """A child process: seconds from start to end, peak memory (MB), the share of the CPU others used, its last line."""

    seconds: float
    megabytes: float
    noise: float
    last: str

    @property
    def json(self) -> Any:
        """Its last line of output, decoded."""
        return json.loads(self.last)


def measure(command: list[str | Path], **variables: str) -> Measured:
    """Run `command` with `variables` added to the environment; its output goes to a file. Exits if it fails."""
    CACHE.mkdir(parents=True, exist_ok=True)
    before, began = busy_seconds(), time.perf_counter()
    with tempfile.TemporaryFile("w+", dir=CACHE) as out:  # several may run at once
        child = subprocess.Popen(
            [str(part) for part in command], stdout=out, stderr=subprocess.STDOUT, env=os.environ | variables, cwd=CACHE
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        out.seek(0)
        lines = out.read().strip().splitlines()
    if status != 0:
        sys.exit(f"{command} failed:\n" + "\n".join(lines[-15:]))
    others = busy_seconds() - before - usage.ru_utime - usage.ru_stime
    noise = max(0.0, others / (seconds * (os.cpu_count() or 1)))
    return Measured(seconds, usage.ru_maxrss / 1024, noise, lines[-1] if lines else "")


def busy_seconds() -> float:
    """CPU seconds spent by all processes since the machine started, from the kernel."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(
        int, Path("/proc/stat").read_text().split("\n", maxsplit=1)[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def machine() -> str:
    """The machine in one line: processor, cores, memory, system, Python."""
    processor = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{processor}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, Python {platform.python_version()}"
    )


def versions(python: Path, *packages: str) -> str:
    """The versions of `packages` in an environment, in one line."""
    code = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    found = subprocess.run([python, "-c", code, *packages], check=True, capture_output=True, text=True).stdout.split()
    return ", ".join(f"{name} {number}" for name, number in zip(packages, found, strict=True))


def mnist_file() -> Path:
    """MNIST as an .npz that every compared program reads, so that none of them fetches anything."""
    import numpy as np

    import pendigit

    path = CACHE / "mnist.npz"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        (x_train, y_train), (x_test, y_test) = pendigit.load_data("mnist")
        np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return path
