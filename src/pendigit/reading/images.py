"""Any picture, wherever it comes from, as upright uint8 pixels."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from pendigit.errors import ImageError, MissingExtraError
from pendigit.extras import require

if TYPE_CHECKING:
    from PIL import Image

Pixels: TypeAlias = npt.NDArray[np.uint8]  # (H, W) or (H, W, 3)
Scale: TypeAlias = Callable[[float, float], float]  # width and height -> the share of the pixels along each side
Source: TypeAlias = "str | Path | bytes | Image.Image | npt.NDArray[Any]"


class Decoded(NamedTuple):
    """Upright pixels, and the upright picture's own width and height, which may be larger."""

    pixels: Pixels
    size: tuple[int, int]


MAX_PIXELS = 89_000_000  # decoded: twice a phone's 44 megapixels; 270 MB as RGB; Pillow begins to warn just above
MIN_SIDE = 2  # pixels: a narrower picture shows no shape
FULL_SCALES = (255, 1023, 4095, 16383, 65535)  # 8, 10, 12, 14 and 16 bits: what cameras and scanners write
LIGHT = 128  # of 255: from here on a visible pixel of a transparent picture counts as light
# EPS is left out because Pillow starts Ghostscript for it; the rest are not used for photos, scans or drawings.
FORMATS = ("PNG", "JPEG", "MPO", "GIF", "WEBP", "AVIF", "TIFF", "BMP", "DIB", "PPM", "ICO", "TGA", "JPEG2000")
PDF = b"%PDF"
PDF_SCALE = 200 / 72  # pixels to a point: 200 dots an inch show a digit 3 mm tall in 24 pixels
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
HEIF = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")  # brands of the files that phones write
_EXPORT = "open it in a viewer and export it as PNG or JPEG"


def load_image(source: Source) -> Pixels:
    """A picture from a path, bytes, a Pillow image or an array -> upright pixels (H, W) or (H, W, 3) RGB, uint8.

    Turned upright by EXIF. Transparency is laid on white, or on black where everything visible is light. Deep greys
    are scaled by the smallest bit depth that holds them. Arrays are (H, W), (H, W, 1), (H, W, 3) or (H, W, 4): uint8,
    bool, floats in 0-1 or 0-255, or other integers. An animation or a file of many pages is refused rather than read
    in part.

    Raises:
        ImageError: Missing, a folder, empty, no picture, cut off, too large, under 2 pixels wide, animated, or an
            array of another shape or range.
    """
    return decode_image(source).pixels


def decode_image(source: Source, scale: Scale | None = None) -> Decoded:
    """As `load_image`, but a JPEG file may come at a half, a quarter or an eighth of its size.

    It keeps the share of its pixels along each side that `scale` gives for its width and height. What is left out is
    never computed, which takes a quarter of the time and memory. Raises ImageError.
    """
    if isinstance(source, np.ndarray):
        name = f"the array of shape {source.shape}"
        return _whole(_from_array(source, name), name)
    if isinstance(source, bytes):
        return _from_bytes(source, f"the picture of {len(source)} bytes", scale)
    if isinstance(source, (str, Path)):
        return _from_bytes(content_of(Path(source).expanduser()), str(source), scale)
    from PIL import Image

    if isinstance(source, Image.Image):
        name = f"the Pillow image {source.width}x{source.height}"
        return _decode(source, name, is_file=False)
    raise ImageError(
        f"an image given as {type(source).__name__}",
        "a path, bytes, a Pillow image or a NumPy array",
        "convert it to one of these",
    )


def load_pages(source: Source) -> list[Pixels]:
    """Every page of a document, in order: a TIFF's pages, a PDF's at 200 dots an inch, or the one picture.

    Raises:
        ImageError: As `load_image`; also for a PDF that is damaged or locked, or has no pages.
        MissingExtraError: A PDF or HEIC file without the extra [pdf] or [heic].
    """
    first, count = load_page(source)
    return [first, *(load_page(source, number)[0] for number in range(2, count + 1))]


def load_page(source: Source, number: int = 1) -> tuple[Pixels, int]:
    """One page of a document, counted from 1, and how many it has; the other pages are not decoded.

    Raises:
        ImageError, MissingExtraError: As `load_pages`; also where there is no such page.
    """
    page, count = decode_page(source, number)
    return page.pixels, count


def decode_page(source: Source, number: int = 1, scale: Scale | None = None) -> tuple[Decoded, int]:
    """As `load_page`, but a JPEG file may come smaller than it is, as from `decode_image`."""
    if not isinstance(source, (str, Path, bytes)):
        return decode_image(source), _checked(number, 1, "the picture")
    content = source if isinstance(source, bytes) else content_of(Path(source).expanduser())
    name = f"the picture of {len(content)} bytes" if isinstance(source, bytes) else str(source)
    if content.startswith(PDF):
        return _pdf_page(content, name, number)
    if content[:4] in TIFF:
        return _tiff_page(content, name, number)
    count = _checked(number, 1, name)
    return _from_bytes(content, name, scale), count


def _checked(number: int, count: int, name: str) -> int:
    if number > count:
        raise ImageError(f"page {number} of {name}", f"one of its {count}", "count its pages from 1")
    return count


def _tiff_page(content: bytes, name: str, number: int) -> tuple[Decoded, int]:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(content), formats=["TIFF"])
            count = _checked(number, getattr(image, "n_frames", 1), name)
            image.seek(number - 1)
            return _decode(image, f"{name}, page {number}", is_file=False), count
    except ImageError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever a damaged file leads them to
        raise ImageError(f"{name} is no TIFF that can be decoded", "a whole TIFF", _EXPORT) from error


def _pdf_page(content: bytes, name: str, number: int) -> tuple[Decoded, int]:
    require("pdf", "pypdfium2")
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(content) as document:
            if len(document) == 0:
                raise ImageError(f"{name} has no pages", "a PDF of scans", _EXPORT)
            count = _checked(number, len(document), name)
            page = document[number - 1]
            width, height = (side * PDF_SCALE for side in page.get_size())
            if width * height > MAX_PIXELS:
                raise _too_large(f"{name} has a page of {round(width)}x{round(height)} pixels")
            return _whole(np.array(page.render(scale=PDF_SCALE).to_pil().convert("RGB")), name), count
    except pypdfium2.PdfiumError as error:
        raise ImageError(f"{name} is no PDF that can be opened ({error})", "an unlocked PDF", _EXPORT) from error


def content_of(path: Path) -> bytes:
    """A file's bytes. Raises ImageError."""
    if path.is_dir():
        raise ImageError(f"{path} is a folder", "one picture", "name the pictures in it")
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageError(f"cannot read {path} ({error.strerror})", "a picture", "check the path") from error


def _from_bytes(content: bytes, name: str, scale: Scale | None = None) -> Decoded:
    from PIL import Image

    if not content:
        raise ImageError(f"{name} is empty", "a picture", "save or download it again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters is raised below
            image = _open(content)
    except Image.DecompressionBombError as error:
        raise _too_large(f"{name} has {error.args[0].split('(')[-1].split(' ')[0]} pixels") from error
    except MissingExtraError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever a damaged file leads them to
        raise ImageError(f"{name} is no picture that can be decoded", "a PNG, JPEG or the like", _EXPORT) from error
    with image:
        return _decode(image, name, is_file=True, scale=scale)


def _open(content: bytes) -> Image.Image:
    """Read the header, with Pillow's few common formats first: loading the others takes longer than decoding."""
    from PIL import Image, UnidentifiedImageError

    if content[4:8] == b"ftyp" and content[8:12] in HEIF:
        require("heic", "pillow_heif")
        import pillow_heif

        pillow_heif.register_heif_opener()
        return Image.open(io.BytesIO(content), formats=["HEIF"])
    Image.preinit()
    try:
        return Image.open(io.BytesIO(content), formats=[name for name in FORMATS if name in Image.OPEN])
    except UnidentifiedImageError:
        Image.init()
        return Image.open(io.BytesIO(content), formats=[name for name in FORMATS if name in Image.OPEN])


def _decode(image: Image.Image, name: str, is_file: bool, scale: Scale | None = None) -> Decoded:
    """Check the header, then decode; a Pillow image is the frame that it is at. Raises ImageError."""
    from PIL import ImageOps

    if min(image.size) < MIN_SIDE:
        raise _too_small(name, image.width, image.height)
    size = image.size
    if is_file and scale is not None:
        share = min(1.0, scale(*size))
        image.draft(image.mode, (math.ceil(size[0] * share), math.ceil(size[1] * share)))  # JPEG alone heeds it
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(f"{name} has {size[0]}x{size[1]} pixels")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as broken EXIF: the picture itself is fine
            if is_file and getattr(image, "is_animated", False) and image.format != "MPO":  # a photo with its previews
                raise ImageError(f"{name} is animated or has many pages", "one picture", "save the one you mean as PNG")
            image.load()
            stored = image.size
            upright = image if is_file else image.copy()  # a caller's image stays as it is
            ImageOps.exif_transpose(upright, in_place=True)
            pixels = _from_mode(upright, name)
    except ImageError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever a damaged file leads them to
        raise ImageError(f"{name} is cut off or damaged", "a whole picture", "save or download it again") from error
    return Decoded(pixels, size if pixels.shape[1::-1] == stored else size[::-1])


def _from_mode(image: Image.Image, name: str) -> Pixels:
    """Any Pillow mode -> pixels."""
    if image.mode.startswith(("I", "F")):
        return _from_array(np.asarray(image), name)
    if image.has_transparency_data:
        return _flatten(np.asarray(image.convert("RGBA")))
    mode = "L" if image.mode in {"1", "L"} else "RGB"
    return np.asarray(image if image.mode == mode else image.convert(mode))


def _from_array(array: npt.NDArray[Any], name: str) -> Pixels:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim != 2 and (array.ndim != 3 or array.shape[2] not in {3, 4}):
        raise ImageError(name, "one picture (H, W), (H, W, 3) or (H, W, 4)", "pass a list of such pictures")
    if 0 in array.shape:
        raise _too_small(name, array.shape[1], array.shape[0])
    pixels = _to_bytes(array, name)
    return _flatten(pixels) if pixels.ndim == 3 and pixels.shape[2] == 4 else np.ascontiguousarray(pixels)


def _to_bytes(array: npt.NDArray[Any], name: str) -> Pixels:
    """Any numbers -> uint8, by the range they must have been made for."""
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    low, high = (float(array.min()), float(array.max())) if array.dtype.kind in "iuf" else (np.nan, np.nan)
    scales = (1, 255) if array.dtype.kind == "f" else FULL_SCALES
    full = next((scale for scale in scales if low >= 0 and high <= scale), None)
    if full is None:
        raise ImageError(
            f"{name} holds {array.dtype} values from {low:g} to {high:g}",
            "bool, integers from 0 to 65535, or floats from 0 to 1 or to 255",
            "scale the values first",
        )
    return np.rint(array * (255 / full)).astype(np.uint8)


def _flatten(pixels: Pixels) -> Pixels:
    """RGBA (H, W, 4) -> RGB on white, or on black where everything visible is light: its ink must be."""
    colour, alpha = pixels[:, :, :3], pixels[:, :, 3:]
    visible = colour[alpha[:, :, 0] >= LIGHT]
    light = len(visible) > 0 and visible.mean(axis=1).min() >= LIGHT
    ground = 0 if light and alpha.min() < LIGHT else 255
    share = alpha / np.float32(255)
    return np.rint(colour * share + ground * (1 - share)).astype(np.uint8)


def _whole(pixels: Pixels, name: str) -> Decoded:
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise _too_small(name, width, height)
    return Decoded(pixels, (width, height))


def _too_small(name: str, width: int, height: int) -> ImageError:
    return ImageError(f"{name} is {width}x{height} pixels", f"at least {MIN_SIDE}x{MIN_SIDE}", "use a larger picture")


def _too_large(seen: str) -> ImageError:
    return ImageError(seen, f"at most {MAX_PIXELS // 1_000_000} megapixels", "crop it or make it smaller")
