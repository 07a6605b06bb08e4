"""A photo, decoded no larger than its page is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from pendigit.reading.images import MAX_PIXELS, Pixels, Source, decode_image, decode_page
from pendigit.reading.page import page_scale


@dataclass(frozen=True)
class Photo:
    """A picture that may have been decoded smaller than it is.

    Attributes:
        pixels: (H, W) or (H, W, 3) RGB uint8, upright.
        size: The upright picture's own width and height in pixels, in which places on it are given.
        source: What it was decoded from.
    """

    pixels: Pixels
    size: tuple[int, int]
    source: Source

    @property
    def shrunk(self) -> float:
        """How many pixels of the picture one that was decoded stands for, along a side."""
        return float(max(self.size) / max(self.pixels.shape[:2]))

    @property
    def is_decodable(self) -> bool:
        """Whether all its pixels may be decoded."""
        return self.shrunk == 1 or self.size[0] * self.size[1] <= MAX_PIXELS

    def whole(self) -> Photo:
        """The photo with all its pixels. Raises ImageError."""
        return self if self.shrunk == 1 else Photo(*decode_image(self.source), self.source)

    def shown(self) -> Pixels:
        """Pixels of the picture's own size: its own, or, where they are too many, fewer, enlarged."""
        if self.is_decodable:
            return self.whole().pixels
        return np.asarray(cv2.resize(self.pixels, self.size, interpolation=cv2.INTER_LINEAR), np.uint8)


def open_photo(source: Source) -> Photo:
    """A picture, see `load_image`, with about the pixels that are read of a page that fills it. Raises ImageError."""
    return Photo(*decode_image(source, page_scale), source)


def open_page(source: Source, number: int = 1) -> tuple[Photo, int]:
    """One page of a document, counted from 1, and how many it has, see `load_page`.

    Raises ImageError, MissingExtraError.
    """
    page, count = decode_page(source, number, page_scale)
    return Photo(*page, source), count


def open_pages(source: Source) -> Iterator[Photo]:
    """Every page of a document, or the one picture, each decoded when it is asked for.

    Raises ImageError, MissingExtraError.
    """
    first, count = open_page(source)
    yield first
    yield from (open_page(source, number)[0] for number in range(2, count + 1))
