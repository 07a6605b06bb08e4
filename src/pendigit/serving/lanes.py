"""A bounded queue and the threads that work it off: what does not fit is refused at once, so that memory stays flat."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Generic, TypeVar

from pendigit.serving.problems import BusyError

Job = TypeVar("Job")
Result = TypeVar("Result")
Work = Callable[[Sequence[Job]], Sequence["Result | Exception"]]
Pending = tuple[Job, "asyncio.Future[Result]"]


class Lane(Generic[Job, Result]):
    """Worker threads behind a bounded queue.

    A worker takes all jobs that wait, up to a batch: under load the network sees several digits at once, and the event
    loop is woken once for all of them. A lone job is never kept waiting for company.

    Args:
        name: Of the threads, and in what is said when the queue is full.
        works: One for each thread: jobs -> a result or an exception for each, in their order.
        room: Jobs that wait or are worked on at once.
        seconds: How long a job waits for its result.
        batch: Most jobs that are given to `work` together.
    """

    def __init__(
        self, name: str, works: Sequence[Work[Job, Result]], *, room: int, seconds: float, batch: int = 1
    ) -> None:
        self.name, self.room, self.seconds = name, room, seconds
        self.waiting = 0  # jobs in the queue or being worked on; touched by the event loop alone
        self._batch = batch
        self._queue: SimpleQueue[Pending[Job, Result] | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._run, args=(work,), name=name) for work in works]
        for thread in self._threads:
            thread.start()

    async def do(self, job: Job) -> Result:
        """The job's result. Raises what the work raises for it, and BusyError when it is full or takes too long."""
        if self.waiting >= self.room:
            seen = f"{self.waiting} {self.name} that wait already"
            raise BusyError(seen, f"at most {self.room} at once", "try again in a second")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self.waiting += 1
        self._queue.put((job, future))
        try:
            async with asyncio.timeout(self.seconds):
                return await future
        except TimeoutError as error:
            raise BusyError(
                f"no answer after {self.seconds:g} seconds",
                "a picture that is read in this time",
                "send a smaller picture or a part of it, or try again later",
            ) from error
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """Finish what waits, then end the threads."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self, work: Work[Job, Result]) -> None:
        while (first := self._queue.get()) is not None:
            taken = self._more(first)
            taken = [pending for pending in taken if not pending[1].cancelled()]  # nobody waits for these any more
            if taken:
                results = _results(work, [job for job, _ in taken])
                taken[0][1].get_loop().call_soon_threadsafe(_deliver, taken, results)

    def _more(self, first: Pending[Job, Result]) -> list[Pending[Job, Result]]:
        taken = [first]
        while len(taken) < self._batch and not self._queue.empty():
            pending = self._queue.get()
            if pending is None:
                self._queue.put(None)  # the end: after these
                break
            taken.append(pending)
        return taken


def _results(work: Work[Job, Result], jobs: list[Job]) -> Sequence[Result | Exception]:
    try:
        return work(jobs)
    except Exception as error:  # noqa: BLE001 - a fault of ours must reach its requests, not end the thread
        return [error] * len(jobs)


def _deliver(taken: list[Pending[Job, Result]], results: Sequence[Result | Exception]) -> None:
    for (_, future), result in zip(taken, results, strict=True):
        if future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
