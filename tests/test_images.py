"""Every kind of picture is decoded rightly, and every kind of trouble is one clear line."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pendigit.errors import ImageError
from pendigit.reading.images import MAX_PIXELS, load_image

RAMP = (np.arange(20, dtype=np.uint8)[:, None] * 10 + np.arange(30, dtype=np.uint8)).astype(np.uint8)  # (20, 30)
COLOURS = np.dstack([RAMP, RAMP[::-1], 255 - RAMP])


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def strokes(colour: tuple[int, int, int], ground: int = 0) -> Image.Image:
    """A square ring of a colour; elsewhere transparent."""
    pixels = np.full((20, 20, 4), ground, np.uint8)
    pixels[..., 3] = 0
    pixels[5:15, 5:15] = (*colour, 255)
    pixels[8:12, 8:12, 3] = 0
    return Image.fromarray(pixels)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "TGA"])
def test_grey_and_colour_come_back_exactly(kind: str) -> None:
    assert (load_image(encoded(Image.fromarray(RAMP), kind)) == RAMP).all()
    assert (load_image(encoded(Image.fromarray(COLOURS), kind)) == COLOURS).all()


@pytest.mark.parametrize(("kind", "options"), [("WEBP", {"lossless": True}), ("JPEG2000", {})])
def test_other_lossless_formats(kind: str, options: dict[str, Any]) -> None:
    assert (load_image(encoded(Image.fromarray(COLOURS), kind, **options)) == COLOURS).all()


def test_all_sources_agree(tmp_path: Path) -> None:
    image = Image.fromarray(COLOURS)
    path = tmp_path / "one.png"
    image.save(path)
    for source in (path, str(path), path.read_bytes(), image, COLOURS):
        found = load_image(source)
        assert found.dtype == np.uint8
        assert (found == COLOURS).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_a_picture_upright(orientation: int) -> None:
    upright = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    turned = {  # where row 0 and column 0 of the stored picture lie, as the EXIF standard has it
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(turned))
    assert (load_image(encoded(stored, exif=exif.tobytes())) == upright).all()


def test_transparency_is_laid_on_white() -> None:
    found = load_image(encoded(strokes((10, 20, 200))))
    assert found[0, 0].tolist() == [255, 255, 255]
    assert found[6, 6].tolist() == [10, 20, 200]


def test_light_strokes_on_transparency_are_laid_on_black() -> None:
    found = load_image(encoded(strokes((250, 250, 240))))
    assert found[0, 0].tolist() == [0, 0, 0]
    assert found[6, 6].tolist() == [250, 250, 240]


def test_half_transparency_mixes() -> None:
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[..., 3] = 51  # a fifth
    assert (load_image(pixels) == 204).all()


def test_a_card_with_transparent_corners_stays_on_white() -> None:
    pixels = np.full((20, 20, 4), 255, np.uint8)
    pixels[5:15, 8:12, :3] = 30
    pixels[:3, :3, 3] = 0
    assert load_image(pixels)[0, 0].tolist() == [255, 255, 255]


def test_palettes() -> None:
    image = Image.fromarray(COLOURS).quantize(16)
    assert (load_image(encoded(image)) == np.asarray(image.convert("RGB"))).all()
    clear = strokes((200, 30, 40)).convert("P")
    found = load_image(encoded(clear, transparency=int(np.asarray(clear)[0, 0])))
    assert found[0, 0].tolist() == [255, 255, 255]
    assert found[6, 6, 0] > found[6, 6, 1] + 100


def test_grey_with_alpha_and_bilevel() -> None:
    pixels = np.dstack([np.full((6, 6), 40, np.uint8), np.eye(6, dtype=np.uint8) * 255])
    found = load_image(encoded(Image.fromarray(pixels)))
    assert found[0, 0].tolist() == [40, 40, 40]
    assert found[0, 1].tolist() == [255, 255, 255]
    bilevel = np.eye(6, dtype=bool)
    assert (load_image(encoded(Image.fromarray(bilevel))) == bilevel * 255).all()


def test_cmyk() -> None:
    found = load_image(encoded(Image.fromarray(COLOURS).convert("CMYK"), "TIFF"))
    assert found.shape == COLOURS.shape
    assert np.abs(found.astype(int) - COLOURS).max() <= 2


@pytest.mark.parametrize(("top", "full"), [(255, 255), (1000, 1023), (4000, 4095), (60000, 65535)])
def test_deep_greys_are_scaled_by_their_own_depth(top: int, full: int) -> None:
    deep = np.linspace(0, top, 600).round().astype(np.uint16).reshape(20, 30)
    expected = np.rint(deep / full * 255)
    assert (load_image(encoded(Image.fromarray(deep))) == expected).all()
    assert (load_image(deep) == expected).all()
    assert (load_image(deep.astype(np.int64)) == expected).all()


def test_arrays_of_other_kinds() -> None:
    assert (load_image(RAMP > 100) == (RAMP > 100) * 255).all()
    assert (load_image(RAMP.astype(np.float64)) == RAMP).all()
    assert (load_image(RAMP.astype(np.float32) / 255) == RAMP).all()
    assert (load_image(RAMP[:, :, None]) == RAMP).all()
    assert (load_image(COLOURS[:, ::-1] / 255) == COLOURS[:, ::-1]).all()
    assert load_image(COLOURS[::-1, ::2]).flags.c_contiguous


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_header(width: int, height: int) -> bytes:
    """A PNG of a size that is never decoded: its content is a few bytes."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def animation(kind: str) -> bytes:
    frames = [Image.fromarray(np.full((9, 9), level, np.uint8)) for level in (0, 100, 200)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)


GRAIN = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8))
PHOTO = encoded(GRAIN, "JPEG")

TROUBLE: dict[str, tuple[Any, str]] = {
    "empty": (b"", "is empty"),
    "text": (b"this is no picture\n" * 20, "no picture that can be decoded"),
    "truncated": (PHOTO[: len(PHOTO) // 2], "cut off or damaged"),
    "truncated png": (encoded(GRAIN)[:-3000], "cut off or damaged"),
    "one pixel": (encoded(Image.fromarray(RAMP[:1, :1])), "is 1x1 pixels"),
    "one pixel wide": (encoded(Image.fromarray(np.ascontiguousarray(RAMP[:, :1]))), "is 1x20 pixels"),
    "zero wide array": (RAMP[:, :0], "is 0x20 pixels"),
    "zero wide": (png_header(0, 40), "no picture that can be decoded"),
    "200 megapixels": (png_header(20_000, 10_000), "at most 89 megapixels"),
    "95 megapixels": (png_header(9_500, 10_000), "at most 89 megapixels"),
    "30,000 megapixels": (png_header(200_000, 150_000), "at most 89 megapixels"),
    "animated gif": (animation("GIF"), "animated or has many pages"),
    "animated webp": (animation("WEBP"), "animated or has many pages"),
    "animated png": (animation("PNG"), "animated or has many pages"),
    "many pages": (animation("TIFF"), "animated or has many pages"),
    "four axes": (np.zeros((2, 9, 9, 3), np.uint8), "pass a list of such pictures"),
    "five channels": (np.zeros((9, 9, 5), np.uint8), "pass a list of such pictures"),
    "not a number": (np.full((9, 9), np.nan), "float64 values from nan to nan"),
    "negative": (np.full((9, 9), -1), "int64 values from -1 to -1"),
    "too bright": (np.full((9, 9), 300.0), "float64 values from 300 to 300"),
    "complex": (np.full((9, 9), 1j), "complex128 values"),
    "something else": (42, "an image given as int"),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_trouble_is_one_clear_line(name: str, tmp_path: Path) -> None:
    source, words = TROUBLE[name]
    with pytest.raises(ImageError) as error:
        load_image(source)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    if isinstance(source, bytes):
        path = tmp_path / "one.png"
        path.write_bytes(source)
        with pytest.raises(ImageError, match=r"one\.png") as error:
            load_image(path)
        assert words in str(error.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"cannot read .*none.png \(No such file"):
        load_image(tmp_path / "none.png")
    with pytest.raises(ImageError, match="is a folder"):
        load_image(str(tmp_path))


def test_a_picture_below_the_limit_is_decoded_without_warnings() -> None:
    side = int(MAX_PIXELS**0.5) - 8
    assert side * side < MAX_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = load_image(encoded(Image.new("1", (side, 4))))
    assert found.shape == (4, side)


def test_a_pillow_image_is_the_frame_it_is_at() -> None:
    with Image.open(io.BytesIO(animation("GIF"))) as image:
        image.seek(1)
        assert (load_image(image) == 100).all()


SMALL = {
    kind: encoded(GRAIN.resize((12, 12)), kind, **options)
    for kind, options in {"PNG": {}, "JPEG": {}, "GIF": {}, "WEBP": {}, "TIFF": {"compression": "tiff_lzw"}}.items()
}


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(SMALL)),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4),
    st.floats(0, 1),
)
def test_damage_gives_a_picture_or_one_line(kind: str, changes: list[tuple[float, int]], kept: float) -> None:
    content = bytearray(SMALL[kind])
    for place, value in changes:
        content[int(place * (len(content) - 1))] = value
    content = content[: int(len(content) * kept**0.2)]
    said = ""
    try:
        assert load_image(bytes(content)).dtype == np.uint8
    except ImageError as error:
        said = str(error)
    assert "\n" not in said


def test_pillow_is_left_as_it_was() -> None:
    limit, filters = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    with pytest.raises(ImageError):
        load_image(png_header(20_000, 10_000))
    assert limit == Image.MAX_IMAGE_PIXELS
    assert filters == warnings.filters
