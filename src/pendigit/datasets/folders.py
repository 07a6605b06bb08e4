"""Class folders: `0/` to `9/` of pictures, as they are or below `train/` and `test/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pendigit.datasets.checks import DIGITS, MAX_FRAMES, NO_FRAMES, SIDE, Part, check_dataset, decoding
from pendigit.datasets.dataset import Dataset, Pixels
from pendigit.errors import DataError, ImageError

ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"}
_TRAIN, _TEST = ("train", "training"), ("test", "testing")


def is_class_folder(folder: Path) -> bool:
    """Whether `folder`, or its train part, has at least one folder named by a digit."""
    return any((part / str(digit)).is_dir() for part in (folder, *_below(folder, _TRAIN)) for digit in range(DIGITS))


def read_class_folders(folder: Path) -> Dataset:
    """Read the pictures in the order of their digits, then names.

    A picture of exactly 28x28 pixels is taken as an MNIST frame (inverted if its border is bright, as black ink on
    white is); any other goes through `pendigit.frame`. Raises DataError.
    """
    train = next(iter(_below(folder, _TRAIN)), folder)
    test = next(iter(_below(folder, _TEST)), None) if train != folder else None
    return check_dataset(str(folder), _read_part(train), NO_FRAMES if test is None else _read_part(test))


def read_frame(path: Path) -> Pixels:
    """One picture file -> a frame uint8 (28, 28), ink bright on black. Raises DataError."""
    picture = _decode(path)
    if picture.shape[:2] == (SIDE, SIDE):
        grey = picture if picture.ndim == 2 else _luminance(picture)
        return 255 - grey if np.median(_border(grey)) > 127 else grey
    from pendigit.frame import to_frame

    try:
        return np.asarray(to_frame(picture), np.uint8)
    except ImageError as error:
        raise DataError(f"{path}: {error.seen}", error.expected, error.do) from error


def _below(folder: Path, names: tuple[str, ...]) -> list[Path]:
    return [folder / name for name in names if (folder / name).is_dir()]


def _read_part(folder: Path) -> Part:
    paths = [(path, digit) for digit in range(DIGITS) for path in _pictures(folder / str(digit))]
    if len(paths) > MAX_FRAMES:
        raise DataError(f"{folder} has {len(paths):,} pictures", f"at most {MAX_FRAMES:,}", "use a smaller set")
    if not paths:
        return NO_FRAMES
    frames = np.stack([read_frame(path) for path, _ in paths])
    return frames, np.array([digit for _, digit in paths], np.uint8)


def _pictures(folder: Path) -> list[Path]:
    """The picture files in `folder` by name; whatever else file managers leave there is passed over."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and not path.name.startswith("."))


def _decode(path: Path) -> Pixels:
    """Grey (h, w) or RGB (h, w, 3) uint8, upright; what is transparent is white paper."""
    from PIL import Image, ImageOps

    with decoding(str(path), "a picture (" + ", ".join(sorted(ENDINGS)) + ")"), Image.open(path) as file:
        image = ImageOps.exif_transpose(file)
        if image.mode.startswith("I;16"):
            return (np.asarray(image) >> 8).astype(np.uint8)  # Pillow's own conversion would clip at 255
        if image.has_transparency_data:
            ink = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", ink.size, "white"), ink).convert("RGB")
        return np.asarray(image.convert("L" if image.mode in ("1", "L", "I", "F") else "RGB"))


def _luminance(picture: Pixels) -> Pixels:
    """RGB (h, w, 3) -> grey (h, w); a picture whose channels are equal keeps their value exactly."""
    weights = np.array([299, 587, 114], np.uint32)  # ITU-R BT.601, in thousandths
    return ((picture @ weights + 500) // 1000).astype(np.uint8)


def _border(frame: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.concatenate([frame[0], frame[-1], frame[1:-1, 0], frame[1:-1, -1]])
