"""Pictures of one digit each to answers, several requests at once."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np

from pendigit.classifier import Frames, OnnxClassifier
from pendigit.errors import PendigitError
from pendigit.frame import to_frame
from pendigit.reading.images import load_image
from pendigit.results import Digit

Answer: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class DigitJob:
    """One picture of one digit: its file's bytes, the model's file that reads it, and whether its frame is wanted."""

    picture: bytes
    model: Path
    with_frame: bool = False


def read_digits(jobs: Sequence[DigitJob]) -> list[Answer | Exception]:
    """Jobs -> an answer or what went wrong for each. The network runs once for all that name the same model."""
    results: list[Answer | Exception] = []
    framed: dict[Path, list[tuple[int, Frames]]] = defaultdict(list)
    for index, job in enumerate(jobs):
        try:
            framed[job.model].append((index, to_frame(load_image(job.picture))))
            results.append({})
        except PendigitError as error:
            results.append(error)
    for model, found in framed.items():
        for (index, frame), answer in zip(found, _answers(load(model), [frame for _, frame in found]), strict=True):
            results[index] = answer | ({"frame": as_png(frame)} if jobs[index].with_frame else {})
    return results


@cache
def load(model: Path) -> OnnxClassifier:
    """A model, loaded once. Raises ModelError."""
    return OnnxClassifier(model)


def _answers(classifier: OnnxClassifier, frames: list[Frames]) -> list[Answer]:
    probabilities, digitness = classifier.judge(np.stack(frames))
    surely = [None] * len(frames) if digitness is None else digitness.tolist()
    return [_answer(Digit.of(row), sure) for row, sure in zip(probabilities.tolist(), surely, strict=True)]


def _answer(digit: Digit, digitness: float | None) -> Answer:
    return {
        "digit": digit.digit,
        "probability": digit.probability,
        "probabilities": digit.probabilities,
        "runners_up": digit.runners_up,
        "digitness": digitness,
    }


def as_png(frame: Frames) -> str:
    """A frame (28, 28) uint8 -> a PNG file in base64."""
    return base64.b64encode(cv2.imencode(".png", frame)[1].tobytes()).decode()
