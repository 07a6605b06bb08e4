"""`pendigit serve` as a child process of a benchmark, and pictures to ask it about."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import cv2
import numpy as np

PENDIGIT = [sys.executable, "-c", "from pendigit.commands import main; main()", "serve", "--port"]
SLOWEST = 20.0  # seconds: a request that takes longer hangs


def on_paper(frame: np.ndarray) -> np.ndarray:
    """A frame (28, 28) -> a digit as a pen leaves it on 100x100 pixels of paper."""
    ink = cv2.resize(frame, (80, 80), interpolation=cv2.INTER_CUBIC)
    picture = np.full((100, 100), 235, np.uint8)
    picture[10:90, 10:90] -= (ink * 0.8).astype(np.uint8)
    return picture


def as_png(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


@contextmanager
def running(command: list[str | Path], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server, from its first answer to its end."""
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    while not answers(port):
        if process.poll() is not None:
            sys.exit(f"the server ended with {process.returncode}")
        time.sleep(0.01)


def answers(port: int) -> bool:
    """Whether a digit is answered."""
    with suppress(OSError, HTTPException):
        return ask(port, "/v1/predict", as_png(on_paper(np.eye(28, dtype=np.uint8) * 255)))[0] == 200
    return False


def ask(port: int, path: str, body: bytes, kind: str = "image/png") -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=SLOWEST)
    try:
        connection.request("POST", path, body, {"Content-Type": kind})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def ours(port: int, *options: str) -> list[str | Path]:
    return [*PENDIGIT, str(port), *(options or ("--no-store",))]


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def megabytes(process: subprocess.Popen[bytes]) -> float:
    """The memory of a server and its child processes, shared pages counted for each."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in stats_of(process))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """What a server and its child processes have used of the CPU."""
    return sum(int(part[11]) + int(part[12]) for part in stats_of(process).values()) / os.sysconf("SC_CLK_TCK")


def stats_of(process: subprocess.Popen[bytes]) -> dict[int, list[str]]:
    """The numbers in /proc/PID/stat after the name, of a process and its children."""
    stats = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            stats[int(folder.name)] = (folder / "stat").read_text().rpartition(")")[2].split()
    return {pid: stat for pid, stat in stats.items() if process.pid in {pid, int(stat[1])}}
