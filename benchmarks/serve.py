"""The server under load, overload, damaged pictures and kills, beside a bare endpoint and a tutorial's, on loopback.

    python benchmarks/serve.py [--only start throughput latency endurance overload damaged kills schema] [--keras]

Pictures are digits of the built-in sample, drawn dark on 100x100 pixels of paper. Every answer is compared with what
the reader says in this process. Servers that are compared run in turn, in rounds. Exits 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import cv2
import numpy as np

import pendigit
from bench import PEERS, busy_seconds, environment, machine
from load import Answers, Check, as_fast_as_it_goes, at_a_rate, request_bytes

PENDIGIT = [sys.executable, "-c", "from pendigit.commands import main; main()", "serve", "--port"]
CONNECTIONS = 16
REQUESTS = 20_000
ROUNDS, ROUND = 5, 3.0  # of the throughput, and its seconds
SHARE = 0.6  # of the bare endpoint's throughput
P99 = 50.0  # milliseconds at half load
GROWTH = 1.10  # memory after 20,000 requests to memory before
RECOVERY = 1.0  # seconds after an overload
START = 1.5  # seconds to the first answer
DAMAGED = 2000
KILLS = 100
SLOWEST = 20.0  # seconds: a request that takes longer hangs
missed: list[str] = []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--keras", action="store_true", help="also time FastAPI with tf.keras, in its own environment")
    parser.add_argument("--kills", type=int, default=KILLS)
    options = parser.parse_args()
    random.seed(0)
    requests, check = digits()
    print(machine(), flush=True)
    for part in options.only:
        before, began = busy_seconds(), time.perf_counter()
        if part == "throughput":
            throughput(requests, check, options.keras)
        elif part == "kills":
            kills(options.kills)
        else:
            PARTS[part](requests, check)
        busy = (busy_seconds() - before) / (time.perf_counter() - began)
        print(f"  ({part}: all processes of the machine used {busy:.1f} cores)", flush=True)
    if missed:
        print("missed: " + ", ".join(missed))
    return int(bool(missed))


def digits() -> tuple[list[bytes], Check]:
    """Requests for the sample's digits on paper, and a check of their answers."""
    _, (frames, _) = pendigit.load_data("mini")
    pictures = [on_paper(frame) for frame in frames]
    expected = pendigit.load_reader().predict_proba(pictures)
    requests = [request_bytes("/v1/predict", as_png(picture)) for picture in pictures]

    def check(number: int, body: bytes) -> bool:
        found, wanted = json.loads(body), expected[number % len(expected)]
        return found["digit"] == int(wanted.argmax()) and np.allclose(found["probabilities"], wanted, atol=1e-4)

    return requests, check


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


def judge(name: str, good: bool) -> str:
    if not good:
        missed.append(name)
    return "" if good else "  MISSED"


def start(requests: list[bytes], check: Check) -> None:
    """From the command to the first answer, the shortest of five."""
    times = []
    for _ in range(5):
        port, began = free_port(), time.perf_counter()
        with running(ours(port), port):
            times.append(time.perf_counter() - began)
    good = judge("start", min(times) < START)
    print(f"start to first answer: {min(times):.2f} s, median {statistics.median(times):.2f} s of {len(times)}{good}")


def throughput(requests: list[bytes], check: Check, with_keras: bool) -> None:
    """Single digits as fast as they are answered, servers in turn."""
    commands = {
        "bare Starlette": ([sys.executable, PEERS / "serve_bare.py"], check),
        "pendigit serve": (PENDIGIT, check),
    }
    if with_keras:
        python = environment("tensorflow-serve", "tensorflow", "pillow", "fastapi", "uvicorn[standard]")
        commands["FastAPI with tf.keras"] = ([python, PEERS / "serve_keras.py"], lambda *_: True)
    rates: dict[str, list[float]] = {name: [] for name in commands}
    costs: dict[str, list[float]] = {name: [] for name in commands}
    with ExitStack() as stack:  # all at once: those that are not asked wait and take no time
        ports = {name: free_port() for name in commands}
        servers = {
            name: stack.enter_context(running([*command, str(ports[name])], ports[name]))
            for name, (command, _) in commands.items()
        }
        for number in range(ROUNDS + 1):
            for name, (_, right) in commands.items():
                used = cpu_seconds(servers[name])
                found = as_fast_as_it_goes(ports[name], requests, right, connections=CONNECTIONS, seconds=ROUND)
                used = cpu_seconds(servers[name]) - used
                assert set(found.statuses) == {200}, found.statuses
                assert found.wrong == 0, found.wrong
                if number:  # the first round warms them
                    rates[name].append(found.rate)
                    costs[name].append(used / found.statuses[200] * 1000)
    bare = rates["bare Starlette"]
    for name, rate in rates.items():
        shares = [one / other for one, other in zip(rate, bare, strict=True)]
        good = judge("throughput", name != "pendigit serve" or statistics.median(shares) >= SHARE)
        print(
            f"{name:22} {statistics.median(rate):6.0f} digits/s, {statistics.median(shares):4.0%} of bare"
            f" ({min(shares):.0%} to {max(shares):.0%} in {len(shares)} rounds);"
            f" {statistics.median(costs[name]):.2f} ms of CPU a digit{good}"
        )


def latency(requests: list[bytes], check: Check) -> None:
    """How long digits take at half of what the server can do."""
    port = free_port()
    with running(ours(port), port):
        full = as_fast_as_it_goes(port, requests, check, connections=CONNECTIONS, seconds=3).rate
        found = at_a_rate(port, requests, check, rate=full / 2, seconds=10, connections=64)
    good = judge("p99", found.quantile(0.99) < P99 and set(found.statuses) == {200})
    median, p99 = found.quantile(0.5), found.quantile(0.99)
    print(f"at half load, {full / 2:.0f} digits/s: median {median:.1f} ms, p99 {p99:.1f} ms{good}")


def endurance(requests: list[bytes], check: Check) -> None:
    """Many requests: no error, no wrong answer, no memory lost."""
    port = free_port()
    with running(ours(port), port) as server:
        as_fast_as_it_goes(port, requests, check, connections=CONNECTIONS, most=2000)
        ask(port, "/v1/read", as_png(on_paper(np.eye(28, dtype=np.uint8) * 255)))
        before = megabytes(server)
        found = as_fast_as_it_goes(port, requests, check, connections=CONNECTIONS, most=REQUESTS)
        after = megabytes(server)
    good = judge("endurance", found.statuses == {200: REQUESTS} and not found.wrong and not found.lost)
    print(f"{REQUESTS:,} requests: statuses {dict(found.statuses)}, {found.wrong} wrong, {found.lost} lost{good}")
    print(f"memory before {before:.0f} MB, after {after:.0f} MB{judge('memory', after < GROWTH * before)}")


def overload(requests: list[bytes], check: Check) -> None:
    """Four times what it can do: refusals that say when to come back, and none afterwards."""
    port = free_port()
    with running(ours(port), port) as server:
        full = as_fast_as_it_goes(port, requests, check, connections=CONNECTIONS, seconds=3).rate
        ask(port, "/v1/read", as_png(on_paper(np.eye(28, dtype=np.uint8) * 255)))
        flood(port, requests, check, 4 * full)
        before = megabytes(server)
        found = flood(port, requests, check, 4 * full)
        ended = time.perf_counter()
        while not answers(port):
            time.sleep(0.01)
        recovery = time.perf_counter() - ended
        calm = at_a_rate(port, requests, check, rate=full / 4, seconds=3, connections=64)
        after = megabytes(server)
    refused = found.statuses[503]
    good = set(found.statuses) == {200, 503} and not found.without_retry and not found.wrong and not found.lost
    print(
        f"overload of {4 * full:.0f} digits/s: {found.statuses[200]:,} answered, p99 {found.quantile(0.99):.0f} ms, "
        f"{refused:,} refused, {found.lost} lost{judge('overload', good)}"
    )
    good = judge("recovery", recovery < RECOVERY and set(calm.statuses) == {200})
    answered = f"{calm.statuses[200]:,} of {sum(calm.statuses.values()):,} answered, p99 {calm.quantile(0.99):.1f} ms"
    print(f"recovery: an answer after {recovery:.3f} s, then {answered}{good}")
    print(f"memory after a first overload {before:.0f} MB, after a second {after:.0f} MB"
          f"{judge('memory under overload', after < GROWTH * before)}")  # fmt: skip


def flood(port: int, requests: list[bytes], check: Check, rate: float) -> Answers:
    return at_a_rate(port, requests, check, rate=rate, seconds=5, connections=600)


def damaged(requests: list[bytes], check: Check) -> None:
    """Pictures cut off, with flipped bytes, or of nothing but noise: every one is answered, none with a 5xx."""
    pictures = list(damaged_pictures(DAMAGED))
    statuses: Counter[int] = Counter()
    slowest = 0.0
    port = free_port()
    with running(ours(port), port) as server:
        for index, picture in enumerate(pictures):
            began = time.perf_counter()
            status, _ = ask(port, "/v1/read" if index % 4 == 0 else "/v1/predict", picture, "application/octet-stream")
            statuses[status] += 1
            slowest = max(slowest, time.perf_counter() - began)
        alive = answers(port) and server.poll() is None
    good = judge("damaged", alive and max(statuses) < 500 and slowest < SLOWEST)
    print(f"{DAMAGED:,} damaged pictures: {dict(sorted(statuses.items()))}, the slowest {slowest:.2f} s{good}")


def damaged_pictures(count: int) -> Iterator[bytes]:
    import io

    from PIL import Image

    _, (frames, _) = pendigit.load_data("mini")
    formats = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "ICO", "JPEG2000", "AVIF", "PDF")
    for index in range(count):
        file = io.BytesIO()
        Image.fromarray(on_paper(frames[index % len(frames)])).save(file, formats[index % len(formats)])
        content = bytearray(file.getvalue())
        if index % 5 == 0:
            del content[random.randrange(len(content)) :]
        elif index % 5 == 1:
            content[random.randrange(len(content)) :] = random.randbytes(200)
        else:
            for _ in range(random.choice((1, 3, 10, 100))):
                content[random.randrange(len(content))] = random.randrange(256)
        yield bytes(content)


def kills(count: int) -> None:
    """SIGKILL while corrections are written: what was acknowledged is there, and the file is whole."""
    acknowledged: dict[int, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "corrections.sqlite")
        for _ in range(count):
            port = free_port()
            server = subprocess.Popen(
                [str(word) for word in ours(port, "--store", str(store))], stdout=subprocess.DEVNULL
            )
            wait_for(port, server)
            writers = [threading.Thread(target=correct, args=(port, acknowledged)) for _ in range(4)]
            for writer in writers:
                writer.start()
            before = len(acknowledged)
            while len(acknowledged) == before:
                time.sleep(0.005)
            time.sleep(random.uniform(0, 0.3))
            server.kill()
            server.wait()
            for writer in writers:
                writer.join()
            check_store(store, acknowledged)
            print(f"  {len(acknowledged):,} acknowledged so far, none lost", file=sys.stderr)
    print(f"{count} kills during correction writes: all {len(acknowledged):,} acknowledged ones kept, no damaged file")


def correct(port: int, acknowledged: dict[int, int]) -> None:
    """Send corrections until the server is gone; remember those that it has acknowledged."""
    picture = as_png(on_paper(np.eye(28, dtype=np.uint8) * 255))
    while True:
        digit = random.randrange(10)
        try:
            # A picture of its own each, so that both tables are written; what follows a PNG's end does not matter.
            status, body = ask(port, f"/v1/corrections?digit={digit}", picture + random.randbytes(10_000))
        except TimeoutError:  # a busy machine
            continue
        except (OSError, HTTPException):
            return
        if status == 201:
            acknowledged[json.loads(body)["id"]] = digit


def check_store(store: Path, acknowledged: dict[int, int]) -> None:
    with sqlite3.connect(store) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        kept = dict(connection.execute("SELECT id, digit FROM correction JOIN picture ON picture = digest"))
    connection.close()
    lost = {number for number, digit in acknowledged.items() if kept.get(number) != digit}
    assert not lost, lost


def schema(requests: list[bytes], check: Check) -> None:
    """Schemathesis over the whole OpenAPI document."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, running(ours(port, "--store", f"{folder}/store"), port) as server:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{port}/openapi.json"]
        checks = [
            "not_a_server_error",
            "status_code_conformance",
            "content_type_conformance",
            "response_schema_conformance",
        ]
        ended = subprocess.run(
            [*command, "--checks", checks, "--max-examples", "100", "--request-timeout", str(SLOWEST)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        alive = answers(port) and server.poll() is None
    print("\n".join(ended.stdout.splitlines()[-12:]))
    judge("schema", alive and ended.returncode == 0)


PARTS = {
    "start": start,
    "throughput": throughput,
    "latency": latency,
    "endurance": endurance,
    "overload": overload,
    "damaged": damaged,
    "kills": kills,
    "schema": schema,
}

if __name__ == "__main__":
    sys.exit(main())
