"""What is read of a photo: all of it or a part, the sheet found on that, and the page laid flat."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pendigit.errors import ImageError
from pendigit.reading.options import Region
from pendigit.reading.page import LONGEST, Page, flat_page
from pendigit.reading.photo import Photo
from pendigit.reading.sheet import Sheet, find_sheet


class View(NamedTuple):
    """A photo, the part of it that is read, the sheet on that, and the flat page."""

    photo: Photo
    picture: npt.NDArray[np.uint8]
    sheet: Sheet | None
    page: Page


def lay_flat(photo: Photo, region: Region | None) -> View:
    """The page on a photo or a part of it; a sheet that is small on it is seen with all of the photo's pixels."""
    if region is not None:
        return _lay_part_flat(photo.whole(), region)
    sheet = find_sheet(photo.pixels)
    is_small = sheet is not None and photo.shrunk > 1 and max(sheet.width, sheet.height) < LONGEST
    if sheet is not None and is_small and photo.is_decodable:
        sheet, photo = sheet.scaled(photo.shrunk), photo.whole()
    return View(photo, photo.pixels, sheet, flat_page(photo.pixels, sheet).scaled(photo.size))


def _lay_part_flat(photo: Photo, region: Region) -> View:
    """The page on a part of a photo: of the sheet that the photo shows, or else of what the part shows alone."""
    part, (left, top, width, height) = cut_region(photo.pixels, region), region
    sheet = find_sheet(photo.pixels)
    if sheet is not None:
        page = flat_page(photo.pixels, sheet).within((left, top, left + width, top + height))
        if page is not None:
            return View(photo, part, sheet.moved(-left, -top), page)
    sheet = find_sheet(part)
    return View(photo, part, sheet, flat_page(part, sheet).moved(left, top, photo.pixels.shape))


def without_sheet(view: View, region: Region | None) -> View:
    """The same part of the photo as it is: what was found on it may be no sheet."""
    page = flat_page(view.picture, None)
    if region is None:
        return view._replace(sheet=None, page=page.scaled(view.photo.size))
    return view._replace(sheet=None, page=page.moved(*region[:2], view.photo.pixels.shape))


def cut_region(picture: npt.NDArray[np.uint8], region: Region) -> npt.NDArray[np.uint8]:
    """The part of a picture that a region names. Raises ImageError where it does not lie inside."""
    left, top, width, height = region
    rows, columns = picture.shape[:2]
    if min(left, top) < 0 or min(width, height) < 2 or left + width > columns or top + height > rows:
        raise ImageError(
            f"the region {left},{top},{width},{height} of a picture of {columns}x{rows} pixels",
            "x,y,width,height inside the picture, at least 2x2",
            "measure it in the upright picture",
        )
    return picture[top : top + height, left : left + width]
