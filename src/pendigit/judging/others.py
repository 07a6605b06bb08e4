"""Pictures that show no digit, or more than one, made of a set's own frames: for judging, never for training."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from pendigit.classifier import SIDE, Frames
from pendigit.frame import frame_ink

SEED = 0


def blank(frames: Frames) -> Frames:
    """As many empty frames."""
    return np.zeros_like(frames)


def noise(frames: Frames) -> Frames:
    """As many frames of noise: any grey anywhere."""
    return np.random.default_rng(SEED).integers(0, 256, frames.shape, np.uint8)


def thirds(frames: Frames) -> Frames:
    """The left or the right third of each digit, as large as a digit."""
    made = []
    for index, frame in enumerate(frames):
        left, _, width, _ = cv2.boundingRect(frame)
        part = max(1, round(width / 3))
        start = left if index % 2 else left + width - part
        made.append(frame_ink(frame[:, start : start + part]))
    return np.stack(made)


def pairs(frames: Frames) -> Frames:
    """Each digit with the next one beside it, both within one frame."""
    made = []
    for frame, other in zip(frames, np.roll(frames, 1, axis=0), strict=True):
        inks = [_ink(each) for each in (frame, other)]
        made.append(frame_ink(np.hstack([np.pad(ink, ((0, SIDE - len(ink)), (1, 1))) for ink in inks])))
    return np.stack(made)


OTHERS: dict[str, Callable[[Frames], Frames]] = {"blank": blank, "noise": noise, "thirds": thirds, "two digits": pairs}


def _ink(frame: Frames) -> Frames:
    x, y, width, height = cv2.boundingRect(frame)
    return frame[y : y + height, x : x + width]
