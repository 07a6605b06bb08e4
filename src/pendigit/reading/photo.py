"""A photo, decoded no larger than its page is read."""

from __future__ import annotations

from dataclasses import dataclass

from pendigit.reading.images import Pixels, Source, decode_image, decode_pages
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

    def whole(self) -> Photo:
        """The photo with all its pixels. Raises ImageError."""
        return self if self.shrunk == 1 else Photo(*decode_image(self.source), self.source)


def open_photo(source: Source) -> Photo:
    """A picture, see `load_image`, with about the pixels that are read of a page that fills it. Raises ImageError."""
    return Photo(*decode_image(source, page_scale), source)


def open_photos(source: Source) -> list[Photo]:
    """Every page of a document, or the one picture, see `load_pages`. Raises ImageError and MissingExtraError."""
    return [Photo(*page, source) for page in decode_pages(source, page_scale)]
