"""The frames of many images in one batch for the network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from greenlet import getcurrent, greenlet

from pendigit.classifier import BATCH, Classifier, Frames, Judgement, OnnxClassifier

READINGS = 8  # that wait at most, each with its picture: of 12 megapixels they hold some hundred megabytes

T = TypeVar("T")
Job = Callable[[Classifier], T]  # reads something, and may ask its classifier at any time


class _Waiting(Classifier, Generic[T]):
    """A job, and the classifier it is given: asked for an answer, it stops the job until the batch is full."""

    def __init__(self, job: Job[T], classifier: OnnxClassifier) -> None:
        self.frames: Frames
        self.result: T
        self.seconds = 0.0
        self._classifier = classifier
        self._hub = getcurrent()
        self._job = greenlet(lambda: job(self))

    def go_on(self, *answer: Any) -> bool:
        """Run the job until it asks for frames (True) or has its result (False)."""
        began = time.perf_counter()
        value = self._job.switch(*answer)
        self.seconds += time.perf_counter() - began
        if self._job.dead:
            self.result = value
            return False
        self.frames = value
        return True

    @property
    def name(self) -> str:
        return self._classifier.name

    def judge(self, frames: npt.ArrayLike) -> Judgement:
        """Both answers come at once."""
        asked = np.asarray(frames)
        return self._hub.switch(asked) if len(asked) else self._classifier.judge(asked)  # nothing to wait for

    def __getattr__(self, name: str) -> Any:
        return getattr(self._classifier, name)


def run_together(jobs: Iterable[Job[T]], classifier: OnnxClassifier) -> Iterator[tuple[T, float]]:
    """Run jobs and let the network see the frames of all that wait for it at once.

    Gives each job's result and the seconds it took, with its share of the network's, as they end: in any order. What a
    job raises comes out here.
    """
    waiting: list[_Waiting[T]] = []
    for job in jobs:
        each = _Waiting(job, classifier)
        if not each.go_on():
            yield each.result, each.seconds
            continue
        waiting.append(each)
        if len(waiting) == READINGS or sum(len(one.frames) for one in waiting) >= BATCH:
            waiting = yield from _answer(waiting, classifier)
    while waiting:
        waiting = yield from _answer(waiting, classifier)


def _answer(waiting: Sequence[_Waiting[T]], classifier: OnnxClassifier) -> Any:
    """Ask the network once and let every job go on; gives those that ended, returns those that wait again."""
    began = time.perf_counter()
    frames = np.concatenate([each.frames for each in waiting])
    probabilities, digitness = classifier.judge(frames)
    share = (time.perf_counter() - began) / len(frames)
    still, start = [], 0
    for each in waiting:
        end = start + len(each.frames)
        each.seconds += share * len(each.frames)
        if each.go_on((probabilities[start:end], None if digitness is None else digitness[start:end])):
            still.append(each)
        else:
            yield each.result, each.seconds
        start = end
    return still
