"""The server under load, overload, damaged pictures and kills, beside a bare endpoint and a tutorial's, on loopback.

    python benchmarks/serve.py [--only start throughput latency endurance overload damaged kills schema] [--keras]

Pictures are digits of the built-in sample, drawn dark on 100x100 pixels of paper. Every answer is compared with what
the reader says in this process. Servers that are compared run in turn, in rounds. Exits 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

import numpy as np

import pendigit
from bench import PEERS, busy_seconds, environment, machine
from load import Answers, Check, as_fast_as_it_goes, at_a_rate, request_bytes
from serve_faults import damaged, kills, schema
from servers import PENDIGIT, answers, as_png, ask, cpu_seconds, free_port, megabytes, on_paper, ours, running

CONNECTIONS = 16
REQUESTS = 20_000
ROUNDS, ROUND = 5, 3.0  # of the throughput, and its seconds
SHARE = 0.6  # of the bare endpoint's throughput
P99 = 50.0  # milliseconds at half load
GROWTH = 1.10  # memory after 20,000 requests to memory before
RECOVERY = 1.0  # seconds after an overload
START = 1.5  # seconds to the first answer
KILLS = 100
missed: list[str] = []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--only", nargs="+", choices=EVERY, default=EVERY)
    parser.add_argument("--keras", action="store_true", help="also time FastAPI with tf.keras, in its own environment")
    parser.add_argument("--kills", type=int, default=KILLS)
    options = parser.parse_args()
    random.seed(0)
    requests, check = digits()
    print(machine(), flush=True)
    for part in options.only:
        before, began = busy_seconds(), time.perf_counter()
        if part in FAULTS:
            judge(part, FAULTS[part]())
        elif part == "kills":
            kills(options.kills)
        elif part == "throughput":
            throughput(requests, check, options.keras)
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
        f"{refused:,} refused, {found.lost} lost {dict(found.broken) or ''}{judge('overload', good)}"
    )
    good = judge("recovery", recovery < RECOVERY and set(calm.statuses) == {200})
    answered = f"{calm.statuses[200]:,} of {sum(calm.statuses.values()):,} answered, p99 {calm.quantile(0.99):.1f} ms"
    print(f"recovery: an answer after {recovery:.3f} s, then {answered}{good}")
    print(f"memory after a first overload {before:.0f} MB, after a second {after:.0f} MB"
          f"{judge('memory under overload', after < GROWTH * before)}")  # fmt: skip


def flood(port: int, requests: list[bytes], check: Check, rate: float) -> Answers:
    return at_a_rate(port, requests, check, rate=rate, seconds=5, connections=600)


PARTS: dict[str, Callable[[list[bytes], Check], None]] = {
    "start": start,
    "latency": latency,
    "endurance": endurance,
    "overload": overload,
}
FAULTS = {"damaged": damaged, "schema": schema}
EVERY = ["start", "throughput", "latency", "endurance", "overload", "damaged", "kills", "schema"]


if __name__ == "__main__":
    sys.exit(main())
