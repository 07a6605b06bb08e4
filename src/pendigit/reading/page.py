"""The flat, upright page that is read, and the way back from its pixels to the photo's."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.ink import Grey, square, to_grey, uint8
from pendigit.reading.sheet import Matrix, Sheet

LONGEST = 1800  # pixels: at it a digit 4 mm tall on an A4 sheet has 24, more than MNIST's 20
STRIP = 240  # pixels: the shorter side at least, on which a long strip's row is still read
SHORTEST = 1200  # pixels: smaller pictures are enlarged to it, so that strokes are some pixels wide
FILLED = 3  # pixels: how far what is filled up around a page reaches into it
ENLARGE = 3.0  # times at most: more shows nothing new

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels, the latter two exclusive


@dataclass(frozen=True)
class Page:
    """A flat page.

    Attributes:
        grey: (H, W) uint8.
        to_picture: (3, 3), maps the page's x, y, 1 to the picture's pixels.
        size: The picture's width and height in pixels.
        region: The box of the picture that is read; None for all of it.
        laid: (4, 2) x, y, where the corners of the page lie that was laid level; None for one that was not.
    """

    grey: Grey
    to_picture: Matrix
    size: tuple[int, int]
    region: Box | None = None
    laid: npt.NDArray[np.float64] | None = None

    def box_in_picture(self, box: Box) -> Box:
        """A box on the page -> the box around it in the picture, cut at the picture's border."""
        left, top, right, bottom = box
        corners = np.array([[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]], np.float64)
        mapped = corners @ self.to_picture.T
        points = mapped[:, :2] / mapped[:, 2:]
        limits = np.array(self.size)
        low = np.clip(np.floor(points.min(axis=0) + 1e-6), 0, limits - 1).astype(int)
        high = np.clip(np.ceil(points.max(axis=0) - 1e-6), low + 1, limits).astype(int)
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])

    @property
    def enlarged(self) -> float:
        """How many pixels of the page one of the picture's became, at least 1."""
        area = abs(float(np.linalg.det(self.to_picture[:2, :2])))  # of the picture that one pixel shows
        return max(1.0, 1 / math.sqrt(area))

    def moved(self, left: int, top: int, shape: tuple[int, ...]) -> Page:
        """The page of a part that was cut out of a picture of `shape` at `left`, `top`."""
        shift = np.array([[1, 0, left], [0, 1, top], [0, 0, 1]], np.float64)
        return replace(self, to_picture=shift @ self.to_picture, size=(shape[1], shape[0]))

    def scaled(self, size: tuple[int, int]) -> Page:
        """The page of a picture of another width and height, of which this one's was a smaller copy."""
        width, height = self.size
        return replace(self, to_picture=np.diag([size[0] / width, size[1] / height, 1.0]) @ self.to_picture, size=size)

    def within(self, region: Box) -> Page | None:
        """The part of the page that a box of the picture shows, plain around it; None where it shows none."""
        outline, (height, width) = self._outline(region), self.grey.shape
        left, top = np.clip(np.floor(outline.min(axis=0)), 0, (width, height)).astype(int)
        right, bottom = np.clip(np.ceil(outline.max(axis=0)), 0, (width, height)).astype(int)
        if min(right - left, bottom - top) < 2:
            return None
        shift = np.array([[1, 0, left], [0, 1, top], [0, 0, 1]], np.float64)
        grey = np.ascontiguousarray(self.grey[top:bottom, left:right])
        part = replace(self, grey=grey, to_picture=self.to_picture @ shift, region=region)
        shown = part.shown()
        plain = np.median(grey[shown > 0]) if shown.any() else 0
        return replace(part, grey=np.where(shown > 0, grey, np.uint8(plain)))

    def shown(self) -> Grey:
        """(H, W) 255 where the page shows what is read of the picture: around a page laid level it is filled up."""
        area = self._area(self._outline(self.region or (0, 0, *self.size)))
        if self.laid is not None:  # a sheet's, beyond which the picture goes on
            area = uint8(cv2.bitwise_and(area, self._area(self.laid)))
        return uint8(cv2.erode(area, square(2 * FILLED + 1), borderType=cv2.BORDER_CONSTANT, borderValue=255))

    def _area(self, corners: npt.NDArray[np.float64]) -> Grey:
        """(H, W) 255 between corners (4, 2) on the page."""
        return uint8(cv2.fillConvexPoly(np.zeros_like(self.grey), np.rint(corners).astype(np.int32), 255))

    def _outline(self, box: Box) -> npt.NDArray[np.float64]:
        """The corners (4, 2) on the page of a box of the picture."""
        left, top, right, bottom = box
        corners = np.array([[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]], np.float64)
        mapped = corners @ np.linalg.inv(self.to_picture).T
        return np.asarray(mapped[:, :2] / mapped[:, 2:], np.float64)

    def dark(self, light_on_dark: bool) -> Grey:
        """The page with its writing dark on light."""
        return uint8(cv2.bitwise_not(self.grey)) if light_on_dark else self.grey

    def turned(self, quarters: int) -> Page:
        """The page turned clockwise by a number of quarters."""
        height, width = self.grey.shape
        back = [
            np.eye(3),
            np.array([[0, 1, 0], [-1, 0, height], [0, 0, 1]], np.float64),
            np.array([[-1, 0, width], [0, -1, height], [0, 0, 1]], np.float64),
            np.array([[0, -1, width], [1, 0, 0], [0, 0, 1]], np.float64),
        ][quarters % 4]
        grey = np.ascontiguousarray(np.rot90(self.grey, -quarters))
        return replace(self, grey=grey, to_picture=self.to_picture @ back)

    def levelled(self, degrees: float) -> Page:
        """The page with what rises by `degrees` to the right laid level, enlarged so that nothing is cut."""
        height, width = self.grey.shape
        cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        matrix = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
        level = np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]], np.float64)
        corners = matrix @ level
        low, high = corners.min(axis=1), corners.max(axis=1)
        matrix[:2, 2] = -low[:2]
        size = (int(np.ceil(high[0] - low[0])), int(np.ceil(high[1] - low[1])))
        grey = cv2.warpAffine(self.grey, matrix[:2], size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        laid = (matrix @ level)[:2].T
        return replace(self, grey=uint8(grey), to_picture=self.to_picture @ np.linalg.inv(matrix), laid=laid)


def same_page(picture: npt.NDArray[np.uint8]) -> Page:
    """A picture (H, W) or (H, W, 3) as a page of its own size."""
    return Page(to_grey(picture), np.eye(3), (picture.shape[1], picture.shape[0]))


def flat_page(picture: npt.NDArray[np.uint8], sheet: Sheet | None) -> Page:
    """A picture (H, W) or (H, W, 3) -> the page that is read: the sheet alone, or all of the picture."""
    height, width = picture.shape[:2]
    page_width, page_height = (width, height) if sheet is None else (sheet.width, sheet.height)
    scale = page_scale(page_width, page_height)
    grey = to_grey(picture)
    size = (max(1, round(page_width * scale)), max(1, round(page_height * scale)))
    if sheet is None:
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        resized = grey if scale == 1 else cv2.resize(grey, size, interpolation=way)
        back = np.diag([width / size[0], height / size[1], 1.0])
        return Page(uint8(resized), back, (width, height))
    back = sheet.to_picture(*size)
    if scale < 0.5:  # sampling between few pixels would let grain through
        grey = uint8(cv2.blur(grey, (round(1 / scale),) * 2))
    way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    flat = cv2.warpPerspective(grey, back, size, flags=way | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    return Page(uint8(flat), back, (width, height))


def page_scale(width: float, height: float) -> float:
    """How many times larger a page of so many pixels is read, at most 1 for large ones."""
    longest, shortest = max(width, height), min(width, height)
    if longest > LONGEST:
        return min(1.0, max(LONGEST / longest, STRIP / shortest))
    return min(ENLARGE, max(1.0, SHORTEST / longest))
