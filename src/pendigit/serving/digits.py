"""Pictures of one digit each to answers, several requests at once."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np

from pendigit.classifier import Frames, OnnxClassifier
from pendigit.doubt import Threshold
from pendigit.errors import PendigitError
from pendigit.frame import to_frame
from pendigit.reading.images import load_image
from pendigit.reading.reader import limit_of
from pendigit.results import Digit

Answer: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class DigitJob:
    """One picture of one digit.

    Attributes:
        picture: Its file's bytes.
        model: The model's file that reads it.
        max_error: A limit on the error; a digit that is not sure enough for it is not accepted.
        with_frame: Whether its frame is wanted.
    """

    picture: bytes
    model: Path
    max_error: float | None = None
    with_frame: bool = False


def read_digits(jobs: Sequence[DigitJob]) -> list[Answer | Exception]:
    """Jobs -> an answer or what went wrong for each. The network runs once for all that name the same model."""
    results: list[Answer | Exception] = []
    framed: dict[Path, list[tuple[int, Frames]]] = defaultdict(list)
    for index, job in enumerate(jobs):
        try:
            limit(job.model, job.max_error)
            frame = to_frame(load_image(job.picture))
            framed[job.model].append((index, frame))
            results.append({})
        except PendigitError as error:
            results.append(error)
    for model, found in framed.items():
        for (index, frame), digit in zip(found, _digits(model, [frame for _, frame in found]), strict=True):
            results[index] = _answer(jobs[index], digit, frame)
    return results


@cache
def load(model: Path) -> OnnxClassifier:
    """A model, loaded once. Raises ModelError."""
    return OnnxClassifier(model)


@lru_cache(maxsize=1000)
def limit(model: Path, max_error: float | None) -> Threshold | None:
    """What a model promises for a limit on the error, if one is asked for. Raises UsageError, ModelError."""
    return None if max_error is None else limit_of(load(model), max_error)


def _digits(model: Path, frames: list[Frames]) -> list[Digit]:
    probabilities, digitness = load(model).judge(np.stack(frames))
    surely = [None] * len(frames) if digitness is None else digitness.tolist()
    return [Digit.of(*pair) for pair in zip(probabilities.tolist(), surely, strict=True)]


def _answer(job: DigitJob, digit: Digit, frame: Frames) -> Answer:
    threshold = limit(job.model, job.max_error)
    judged = digit if threshold is None else digit.within(threshold)
    answer = judged.to_dict() | {"runners_up": judged.runners_up}
    return answer | {"frame": as_png(frame)} if job.with_frame else answer


def as_png(frame: Frames) -> str:
    """A frame (28, 28) uint8 -> a PNG file in base64."""
    return base64.b64encode(cv2.imencode(".png", frame)[1].tobytes()).decode()
