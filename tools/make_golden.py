"""Make tests/golden/: pictures of digits, NAME.png, and the frames they must give, NAME.frame.png.

A picture without a frame holds no ink. The digits are MNIST's own, from the built-in sample, drawn onto paper by the
functions below. Run from the project's root: python tools/make_golden.py
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pendigit.datasets import load_dataset
from pendigit.errors import ImageError
from pendigit.files import make_folder, publish
from pendigit.frame import to_frame

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden"
PAPER, INK = 235.0, 40.0  # grey levels

Picture = NDArray[np.uint8]
Shape = NDArray[np.float32]  # (h, w), 0 paper to 1 ink


def digits() -> list[Shape]:
    """The first digit of each class of the sample, 0 to 9, cropped tightly."""
    mini = load_dataset("mini")
    return [tight(mini.x_train[int(np.flatnonzero(mini.y_train == digit)[0])]) for digit in range(10)]


def tight(frame: NDArray[np.uint8]) -> Shape:
    """A frame's digit without its black margins."""
    x, y, width, height = cv2.boundingRect(frame)
    return frame[y : y + height, x : x + width].astype(np.float32) / np.float32(255)


def sized(shape: Shape, height: int) -> Shape:
    """The digit at another height."""
    width = max(2, round(shape.shape[1] * height / shape.shape[0]))
    way = cv2.INTER_AREA if height < shape.shape[0] else cv2.INTER_CUBIC
    return np.clip(cv2.resize(shape, (width, height), interpolation=way), 0, 1).astype(np.float32)


def on(shape: Shape, size: tuple[int, int], place: tuple[int, int], paper: float = PAPER, ink: float = INK) -> Shape:
    """The digit on a sheet of (height, width) at (top, left), as grey levels."""
    cover = np.zeros(size, np.float32)
    cover[place[0] : place[0] + shape.shape[0], place[1] : place[1] + shape.shape[1]] = shape
    return np.asarray(paper + (ink - paper) * cover, np.float32)


def picture(levels: NDArray[np.floating]) -> Picture:
    """Grey levels, rounded and cut to 0..255."""
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def noise(size: tuple[int, int], deviation: float, seed: int = 0) -> Shape:
    """Normal noise."""
    return np.random.default_rng(seed).normal(0, deviation, size).astype(np.float32)


def slope(size: tuple[int, int], down: float, right: float) -> Shape:
    """Light that falls off: grey levels gained from edge to edge."""
    rows, columns = (np.linspace(0, 1, side, dtype=np.float32) for side in size)
    return np.asarray(rows[:, None] * down + columns * right, np.float32)


def lined(levels: Shape, *lines: tuple[int, int, int, int, int]) -> Shape:
    """Dark lines (x1, y1, x2, y2, thickness) drawn over a picture."""
    out = levels.copy()
    for x1, y1, x2, y2, thickness in lines:
        cv2.line(out, (x1, y1), (x2, y2), 25.0, thickness)
    return out


def specked(levels: Shape, count: int) -> Shape:
    """Dark dots of up to two pixels' radius."""
    out, random = levels.copy(), np.random.default_rng(1)
    for x, y, radius in zip(*(random.integers(0, top, count) for top in (*levels.shape[::-1], 3)), strict=True):
        cv2.circle(out, (int(x), int(y)), int(radius), 60.0, -1)
    return out


def coloured(levels: Shape, paper: tuple[int, int, int], ink: tuple[int, int, int]) -> Picture:
    """RGB: from the paper's colour to the ink's by how dark a picture is."""
    share = ((levels - INK) / (PAPER - INK))[:, :, None]
    return picture(np.asarray(ink) + (np.asarray(paper) - np.asarray(ink)) * share)


def widened(shape: Shape, by: int) -> Shape:
    """Strokes fatter by `by` pixels, or thinner."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(by) + 1, abs(by) + 1))
    padded = np.pad(shape, abs(by))
    return np.asarray(cv2.dilate(padded, kernel) if by > 0 else cv2.erode(padded, kernel), np.float32)


def cases() -> dict[str, Callable[[], Picture]]:
    """Every golden picture."""
    zero, one, two, three, four, five, six, seven, eight, nine = digits()
    sheet = (70, 70)
    box = ((0, 1, 69, 3, 2), (2, 0, 1, 69, 2), (0, 66, 69, 67, 3), (67, 0, 68, 69, 2))
    return {
        "plain": lambda: picture(on(sized(two, 40), sheet, (15, 20))),
        "light_on_dark": lambda: picture(on(sized(two, 40), sheet, (15, 20), INK, PAPER)),
        "mnist_frame": lambda: load_dataset("mini").x_train[3],
        "tight_dark": lambda: picture(on(five, five.shape, (0, 0), 255, 0)),
        "tight_light": lambda: picture(on(five, five.shape, (0, 0), 0, 255)),
        "tight_one": lambda: picture(on(sized(one, 50), sized(one, 50).shape, (0, 0))),
        "tight_zero": lambda: picture(on(sized(zero, 50), sized(zero, 50).shape, (0, 0))),
        "blue_on_white": lambda: coloured(on(sized(three, 40), sheet, (10, 20)), (250, 250, 245), (30, 60, 200)),
        "red_on_yellow": lambda: coloured(on(sized(four, 40), sheet, (10, 20)), (250, 230, 90), (190, 30, 40)),
        "white_on_green": lambda: coloured(on(sized(six, 40), sheet, (10, 20)), (30, 90, 50), (240, 245, 240)),
        "faint": lambda: picture(on(sized(seven, 40), sheet, (10, 20), 230, 212) + noise(sheet, 2)),
        "faint_clean": lambda: picture(on(eight, (28, 28), (3, 4), 250, 238)),
        "slope": lambda: picture(on(sized(nine, 40), sheet, (10, 20), 90, 30) + slope(sheet, 90, 60)),
        "slope_inverted": lambda: picture(255 - on(sized(nine, 40), sheet, (10, 20), 90, 30) - slope(sheet, 90, 60)),
        "shadow": lambda: picture(
            on(sized(four, 40), sheet, (14, 16))
            * cv2.blur(np.where(np.arange(70) < 45, 1, 0.6)[None].repeat(70, 0), (5, 5))
        ),
        "noise": lambda: picture(on(sized(six, 50), sheet, (10, 20), 200, 90) + noise(sheet, 15)),
        "specks": lambda: picture(specked(on(sized(seven, 40), sheet, (15, 20)), 8)),
        "box": lambda: picture(lined(on(sized(eight, 36), sheet, (16, 22)), *box)),
        "box_corner": lambda: picture(lined(on(sized(two, 36), sheet, (16, 22)), *box[:2])),
        "box_faint_digit": lambda: picture(lined(on(sized(six, 36), sheet, (16, 22), PAPER, 180), *box)),
        "box_inside": lambda: picture(
            lined(on(sized(three, 30), sheet, (20, 26)), (0, 7, 69, 8, 2), (61, 0, 62, 69, 2))
        ),
        "line_below": lambda: picture(lined(on(sized(four, 40), sheet, (12, 20)), (0, 64, 69, 62, 3))),
        "fat": lambda: picture(on(widened(sized(two, 50), 6), (80, 80), (8, 8))),
        "thin": lambda: picture(on(widened(sized(two, 60), -4), (80, 80), (5, 5))),
        "tiny": lambda: picture(on(sized(five, 10), (24, 30), (3, 15))),
        "tiny_8x8": lambda: picture(on(sized(zero, 8), (8, 8), (0, 0), 0, 255)),
        "huge": lambda: picture(on(sized(nine, 200), (300, 280), (60, 80))),
        "small_on_large_sheet": lambda: picture(on(sized(three, 24), (400, 500), (300, 60))),
        "corner_of_sheet": lambda: picture(on(sized(six, 30), (100, 120), (69, 90))),
        "wide": lambda: picture(on(cv2.resize(four, (60, 20)), (40, 90), (8, 15))),
        "narrow_sheet": lambda: picture(on(sized(one, 60), (90, sized(one, 60).shape[1] + 4), (12, 2))),
        "two_pieces": lambda: picture(
            on(np.where(np.arange(36)[:, None] // 2 == 6, 0, sized(five, 36)).astype(np.float32), sheet, (15, 8))
        ),
        "blank": lambda: picture(np.full((40, 40), 240.0)),
        "black": lambda: picture(np.zeros((40, 40))),
        "blank_slope": lambda: picture(120 + slope((60, 60), 60, 40)),
        "blank_noise": lambda: picture(200 + noise((60, 60), 10)),
        "uniform_noise": lambda: picture(np.random.default_rng(3).integers(0, 256, (48, 48))),
        "empty_box": lambda: picture(lined(np.full(sheet, PAPER, np.float32), *box)),
    }


def write_png(path: Path, image: Picture) -> None:
    """Whole or not at all."""
    with publish(path) as draft:
        pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        draft.write_bytes(cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes())


def main() -> None:
    """Write all of them, in place of the old ones."""
    make_folder(GOLDEN)
    for old in GOLDEN.glob("*.png"):
        old.unlink()
    for name, make in cases().items():
        image = make()
        write_png(GOLDEN / f"{name}.png", image)
        try:
            write_png(GOLDEN / f"{name}.frame.png", to_frame(image))
        except ImageError:
            print(f"{name}: no ink")
    files = list(GOLDEN.glob("*.png"))
    print(f"{GOLDEN}: {len(files)} files, {sum(file.stat().st_size for file in files):,} bytes")


if __name__ == "__main__":
    main()
