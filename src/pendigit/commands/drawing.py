"""Pictures in the terminal: two pixels to a character, by half blocks."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from rich.bar import Bar
from rich.color import Color
from rich.console import Console, Group
from rich.style import Style
from rich.table import Table
from rich.text import Text

from pendigit.classifier import SIDE
from pendigit.results import Digit

HALF_BLOCK = "▀"  # its upper half in the foreground's colour, its lower half in the background's
SHADES = " ░▒▓█"  # from black to white, where there are no colours
BAR_WIDTH = 8  # characters of a probability of 1: all three columns fit 80


def draw_in_terminal(picture: npt.NDArray[np.uint8], frame: npt.NDArray[np.uint8], digit: Digit) -> None:
    """Print a picture (H, W) or (H, W, 3), its frame (28, 28), and its ten probabilities side by side."""
    console = Console(highlight=False)
    as_text = as_blocks if console.color_system else as_shades
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("picture", "frame", "probabilities"):
        table.add_column(title, no_wrap=True)
    table.add_row(as_text(_fit(picture)), as_text(frame), _bars(digit))
    console.print(table)


def as_shades(pixels: npt.NDArray[np.uint8]) -> Text:
    """Pixels (H, W) or (H, W, 3) uint8, H even -> text of H/2 lines in five shades."""
    grey = pixels.mean(axis=2) if pixels.ndim == 3 else pixels
    level = grey.reshape(len(grey) // 2, 2, -1).mean(axis=1) * len(SHADES) / 256
    return Text("\n".join("".join(SHADES[int(value)] for value in row) for row in level))


def as_blocks(pixels: npt.NDArray[np.uint8]) -> Text:
    """Pixels (H, W) or (H, W, 3) uint8, H even -> text of H/2 lines, two pixels to a character."""
    colour = np.repeat(pixels[:, :, None], 3, axis=2) if pixels.ndim == 2 else pixels
    text = Text()
    for top, bottom in zip(colour[::2], colour[1::2], strict=True):
        for above, below in zip(top.tolist(), bottom.tolist(), strict=True):
            text.append(HALF_BLOCK, Style(color=Color.from_rgb(*above), bgcolor=Color.from_rgb(*below)))
        text.append("\n")
    text.rstrip()
    return text


def _fit(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Shrink or grow a picture to fit the frame's size."""
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(2, round(height * scale / 2) * 2))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(picture, size, interpolation=way), np.uint8)


def _bars(digit: Digit) -> Group:
    grid = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    for value, share in enumerate(digit.probabilities):
        best = value == digit.digit
        bar = Bar(1, 0, share, width=BAR_WIDTH, color="blue" if best else "bright_black")
        grid.add_row(Text(str(value), "bold" if best else ""), bar, Text(f"{share:6.1%}", "bold" if best else "dim"))
    return Group(Text(), grid)
