"""Load for HTTP servers on this machine: as fast as they answer, or at a rate of its own, every answer looked at."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any

import numpy as np

Check = Callable[[int, bytes], bool]  # a request's number and the body of its answer -> whether that is right


@dataclass
class Answers:
    """What came back: how many with each status, wrong ones among those with 200, seconds each took, of how long."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: int = 0
    broken: Counter[str] = field(default_factory=Counter)  # connections that broke, by what was said of it
    without_retry: int = 0  # 503s that do not say when to come back
    seconds: list[float] = field(default_factory=list)
    duration: float = 0.0

    @property
    def lost(self) -> int:
        """Requests without an answer."""
        return sum(self.broken.values())

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return self.statuses[200] / self.duration

    def quantile(self, share: float) -> float:
        """Milliseconds within which a share of the good answers came."""
        return float(np.quantile(self.seconds, share)) * 1000


def request_bytes(path: str, body: bytes, kind: str = "image/png", method: str = "POST") -> bytes:
    """A whole request, ready to be sent."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def as_fast_as_it_goes(
    port: int, requests: Sequence[bytes], check: Check, *, connections: int, seconds: float = 1e9, most: int = 10**9
) -> Answers:
    """Each connection sends its next request when it has its answer, for some seconds or some requests."""

    async def run() -> Answers:
        answers, began = Answers(), time.perf_counter()
        numbers = iter(range(most))

        def more() -> Iterator[int]:
            while time.perf_counter() < began + seconds and (number := next(numbers, None)) is not None:
                yield number

        await asyncio.gather(*(_client(port, requests, check, more(), answers) for _ in range(connections)))
        answers.duration = time.perf_counter() - began
        return answers

    return _run(run())


def at_a_rate(
    port: int, requests: Sequence[bytes], check: Check, *, rate: float, seconds: float, connections: int
) -> Answers:
    """Requests go out at fixed times, whether or not earlier ones are answered; waiting for a connection counts."""

    async def run() -> Answers:
        answers = Answers()
        lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
        free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        for line in lines:
            free.put_nowait(line)
        began = time.perf_counter()

        async def one(number: int, due: float) -> None:
            line = await free.get()
            try:
                await _ask(*line, requests, check, number, answers, due)
            except (OSError, EOFError) as error:
                answers.broken[repr(error)] += 1
                line = await asyncio.open_connection("127.0.0.1", port)
            free.put_nowait(line)

        tasks = []
        for number in islice(count(), int(rate * seconds)):
            due = began + number / rate
            delay = due - time.perf_counter()
            if delay > 0:
                await asyncio.sleep(delay)
            tasks.append(asyncio.create_task(one(number, due)))
        await asyncio.gather(*tasks)
        answers.duration = time.perf_counter() - began
        for _, writer in lines:
            writer.close()
        return answers

    return _run(run())


async def _client(port: int, requests: Sequence[bytes], check: Check, numbers: Iterator[int], answers: Answers) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in numbers:
        try:
            await _ask(reader, writer, requests, check, number, answers, time.perf_counter())
        except (OSError, EOFError) as error:
            answers.broken[repr(error)] += 1
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


async def _ask(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    requests: Sequence[bytes],
    check: Check,
    number: int,
    answers: Answers,
    began: float,
) -> None:
    writer.write(requests[number % len(requests)])
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    body = await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r")[0]))
    status = int(head[9:12])
    answers.statuses[status] += 1
    if status == 200:
        answers.seconds.append(time.perf_counter() - began)
        answers.wrong += not check(number, body)
    elif status == 503:
        answers.without_retry += b"retry-after: " not in head


def _run(coroutine: Any) -> Any:
    import uvloop

    return uvloop.run(coroutine)
