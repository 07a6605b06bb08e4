"""The contract of framing: pictures and the frames that every implementation must give for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pendigit.datasets import Dataset
from pendigit.frame import is_frame, to_frame, to_frames

GOLDEN = Path(__file__).parent / "golden"
TOLERANCE = 1  # grey level: OpenCV's builds round differently
pictures = sorted(path for path in GOLDEN.glob("*.png") if not path.name.endswith(".frame.png"))


def pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image)


def test_there_are_enough_and_they_are_small() -> None:
    assert 20 <= len(pictures) <= 40
    assert sum(path.stat().st_size for path in GOLDEN.iterdir()) < 300_000
    assert sum(not path.with_suffix(".frame.png").exists() for path in pictures) >= 5, "pictures without ink"


@pytest.mark.parametrize("path", pictures, ids=lambda path: path.stem)
def test_golden(path: Path) -> None:
    frames, found = to_frames([pixels(path)])
    expected = path.with_suffix(".frame.png")
    assert found[0] == expected.exists()
    if found[0]:
        difference = np.abs(frames[0].astype(int) - pixels(expected))
        assert difference.max() <= TOLERANCE
        assert is_frame(pixels(expected))


def test_the_mnist_frame_among_them_is_mnists(mini: Dataset) -> None:
    frame = pixels(GOLDEN / "mnist_frame.png")
    assert any((digit == frame).all() for digit in mini.x_train)
    assert (to_frame(frame) == frame).all()
