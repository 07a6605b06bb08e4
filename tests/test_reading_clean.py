"""Clean pictures, as programs crop and draw them: closely cut out, without paper, grain or light."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import pendigit
from pendigit.frame import to_frames
from written_pages import reader, texts

Pixels = NDArray[np.uint8]


def digits(count: int, longer: int) -> list[tuple[str, Pixels]]:
    """Digits of the sample, dark on white, cut out at their ink, with their longer side in pixels."""
    _, (frames, labels) = pendigit.load_data("mini")
    found = []
    for frame, label in zip(frames[:count], labels[:count], strict=True):
        x, y, width, height = cv2.boundingRect(frame)
        size = [max(1, round(side * longer / max(width, height))) for side in (width, height)]
        ink = cv2.resize(frame[y : y + height, x : x + width], size, interpolation=cv2.INTER_CUBIC)
        found.append((str(label), np.asarray(255 - ink, np.uint8)))
    return found


def put(page: Pixels, digit: Pixels, x: int, y: int) -> None:
    """A digit on a page, its middle at x, y."""
    height, width = digit.shape
    window = (slice(y - height // 2, y - height // 2 + height), slice(x - width // 2, x - width // 2 + width))
    page[window] = np.minimum(page[window], digit)


@pytest.mark.parametrize("longer", [20, 60])
def test_a_digit_cut_out_closely_is_read(longer: int) -> None:
    cut = digits(50, longer)
    assert sum(texts(picture) == [text] for text, picture in cut) >= 48


def test_a_thin_digit_cut_out_closely_is_framed_whole() -> None:
    cut = []
    for text, digit in digits(300, 90):
        thin = cv2.erode(255 - digit, np.ones((5, 5), np.uint8))
        x, y, width, height = cv2.boundingRect(np.asarray(thin > 100, np.uint8))
        pale = cv2.convertScaleAbs(thin[y : y + height, x : x + width], alpha=195 / 255)
        cut.append((text, np.asarray(255 - pale, np.uint8)))
    read = reader().classifier.predict(to_frames([picture for _, picture in cut])[0])
    assert sum(str(digit) == text for digit, (text, _) in zip(read, cut, strict=True)) >= 290


def test_two_digits_cut_out_closely_are_read() -> None:
    right = 0
    for (one, left), (other, second) in zip(digits(20, 60), digits(40, 60)[20:], strict=True):
        page = np.full((66, left.shape[1] + second.shape[1] + 6), 255, np.uint8)
        put(page, left, left.shape[1] // 2, 33)
        put(page, second, left.shape[1] + 6 + second.shape[1] // 2, 33)
        right += texts(page) == [one + other]
    assert right >= 18


def test_a_letter_that_stands_alone_is_no_digit() -> None:
    taken = ""
    for letter in "ABDGJLQTY":
        picture = np.full((120, 120), 235, np.uint8)
        (width, height), _ = cv2.getTextSize(letter, cv2.FONT_HERSHEY_SIMPLEX, 2.6, 6)
        at = ((120 - width) // 2, (120 + height) // 2)
        cv2.putText(picture, letter, at, cv2.FONT_HERSHEY_SIMPLEX, 2.6, 40, 6, cv2.LINE_AA)
        taken += "".join(texts(picture))
    assert len(taken) <= 1


def test_digits_in_a_grid_as_black_as_they_are() -> None:
    page = np.full((940, 940), 255, np.uint8)
    for at in range(20, 921, 100):
        cv2.line(page, (at, 20), (at, 920), 0, 3)
        cv2.line(page, (20, at), (920, at), 0, 3)
    found = digits(9, 60)
    for index, (_, digit) in enumerate(found):
        put(page, digit, 370 + index % 3 * 100, 370 + index // 3 * 100)
    assert texts(page) == ["".join(text for text, _ in found[start : start + 3]) for start in (0, 3, 6)]


def test_small_digits_on_a_large_page_are_no_boxes() -> None:
    page = np.full((1200, 1600), 255, np.uint8)
    found = digits(40, 26)
    for index, (_, digit) in enumerate(found):
        put(page, digit, 100 + index % 10 * 60, 300 + index // 10 * 60)
    pale = cv2.convertScaleAbs(page, alpha=45 / 255, beta=190)  # as a pencil writes
    read = texts(np.asarray(pale, np.uint8))
    assert len("".join(read)) >= len(found) - 1


@pytest.mark.parametrize(("size", "place"), [(40, 0), (40, 10), (50, 20)])
def test_light_that_falls_off_to_the_sides_hides_no_row(size: int, place: int) -> None:
    page = np.full((1200, 1600), 255, np.uint8)
    found = digits(30, size)[place : place + 10]
    for index, (_, digit) in enumerate(found):
        put(page, digit, 100 + index * 60, 300)
    y, x = np.mgrid[-1:1:1200j, -1:1:1600j]
    dimmed = (page * (1 - 0.2 * (x**2 + y**2))).astype(np.uint8)
    assert texts(dimmed) == ["".join(text for text, _ in found)]
