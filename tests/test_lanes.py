"""The bounded queue: order, company, refusal, time, and a clean end."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from pendigit.errors import ImageError
from pendigit.serving.lanes import Lane
from pendigit.serving.problems import BusyError
from pendigit.serving.processes import WorkProcess


class Gate:
    """Work that waits until it is let go, and remembers what was given to it together."""

    def __init__(self) -> None:
        self.opened, self.entered = threading.Event(), threading.Event()
        self.batches: list[list[int]] = []

    def __call__(self, jobs: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(jobs))
        self.entered.set()
        assert self.opened.wait(10)
        return [ValueError(str(job)) if job < 0 else job * 2 for job in jobs]


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def lane(gate: Gate) -> Iterator[Lane[int, int]]:
    lane = Lane("digits", [gate], room=4, seconds=0.5, batch=3)
    yield lane
    gate.opened.set()
    lane.close()


async def started(lane: Lane[int, int], gate: Gate, jobs: Sequence[int]) -> list[asyncio.Task[int]]:
    """Tasks of jobs, the first of which is being worked on while the others wait."""
    first = asyncio.create_task(lane.do(jobs[0]))
    await asyncio.sleep(0)
    await asyncio.to_thread(gate.entered.wait)
    rest = [asyncio.create_task(lane.do(job)) for job in jobs[1:]]
    await asyncio.sleep(0)
    return [first, *rest]


def test_each_job_gets_its_own_result_and_what_waits_goes_together(gate: Gate, lane: Lane[int, int]) -> None:
    async def run() -> list[int | BaseException]:
        tasks = await started(lane, gate, [1, 2, -3, 4])
        gate.opened.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    one, two, three, four = asyncio.run(run())
    assert (one, two, four) == (2, 4, 8)
    assert isinstance(three, ValueError)
    assert gate.batches == [[1], [2, -3, 4]]
    assert lane.waiting == 0


def test_what_does_not_fit_is_refused_at_once(gate: Gate, lane: Lane[int, int]) -> None:
    async def run() -> None:
        tasks = await started(lane, gate, [1, 2, 3, 4])
        assert lane.waiting == 4
        with pytest.raises(BusyError, match="4 digits that wait already; expected at most 4"):
            await lane.do(5)
        gate.opened.set()
        assert await asyncio.gather(*tasks) == [2, 4, 6, 8]
        assert await lane.do(6) == 12

    asyncio.run(run())


def test_who_waits_too_long_is_told_so_and_the_work_is_not_begun(gate: Gate, lane: Lane[int, int]) -> None:
    async def run() -> None:
        tasks = await started(lane, gate, [1, 2])
        for task in tasks:
            with pytest.raises(BusyError, match=r"no answer after 0\.5 seconds"):
                await task
        gate.opened.set()
        assert await lane.do(3) == 6

    asyncio.run(run())
    assert gate.batches == [[1], [3]]


def test_a_fault_of_the_work_reaches_the_request_and_the_thread_goes_on() -> None:
    def work(jobs: Sequence[int]) -> list[int | Exception]:
        if 0 in jobs:
            raise ZeroDivisionError
        return list(jobs)

    async def run() -> None:
        lane = Lane("digits", [work], room=4, seconds=5)
        with pytest.raises(ZeroDivisionError):
            await lane.do(0)
        assert await lane.do(7) == 7
        lane.close()

    asyncio.run(run())


def test_closing_finishes_what_waits(gate: Gate) -> None:
    async def run() -> list[int]:
        lane = Lane("digits", [gate, gate], room=9, seconds=5)
        tasks = [asyncio.create_task(lane.do(job)) for job in range(6)]
        await asyncio.sleep(0)
        gate.opened.set()
        await asyncio.to_thread(lane.close)
        return await asyncio.gather(*tasks)

    assert asyncio.run(run()) == [0, 2, 4, 6, 8, 10]


@dataclass(frozen=True)
class Call:
    """A task for another process."""

    function: Callable[..., Any]
    argument: Any

    def __call__(self) -> Any:
        return self.function(self.argument)


def fail(word: str) -> None:
    raise ImageError(word, "another", "nothing")


@pytest.fixture(scope="module")
def process() -> Iterator[WorkProcess]:
    process = WorkProcess(seconds=3)
    process([Call(len, "warm")])
    yield process
    process.close()


def test_a_process_gives_results_and_errors_as_they_are(process: WorkProcess) -> None:
    length, error, fault = process([Call(len, "four"), Call(fail, "seen"), Call(len, 4)])
    assert length == 4
    assert isinstance(error, ImageError)
    assert (error.seen, error.expected, error.do) == ("seen", "another", "nothing")
    assert isinstance(fault, RuntimeError)
    assert "TypeError" in str(fault)


def test_what_takes_too_long_is_ended_and_the_next_task_is_done(process: WorkProcess) -> None:
    (before,) = process([Call(_pid, None)])
    (error,) = process([Call(time.sleep, 600)])
    assert isinstance(error, ImageError)
    assert "over 3 seconds" in str(error)
    (after,) = process([Call(_pid, None)])
    assert before != after
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


def test_a_process_that_breaks_down_is_replaced(process: WorkProcess) -> None:
    (error,) = process([Call(os._exit, 11)])
    assert isinstance(error, ImageError)
    assert "brought its decoder down" in str(error)
    assert process([Call(len, "next")]) == [4]


def test_one_that_does_not_start_is_a_fault_and_no_pictures() -> None:
    process = WorkProcess(seconds=3, first=Call(os._exit, 1))
    (fault,) = process([Call(len, "next")])
    assert isinstance(fault, RuntimeError)
    process.close()


def _pid(_: None) -> int:
    return os.getpid()
