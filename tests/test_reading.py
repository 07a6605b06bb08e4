"""Pages: written ones read back, and each stage does its one thing."""

from __future__ import annotations

import io
import json
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import pendigit
from pendigit.commands import run
from pendigit.errors import ImageError, UsageError
from pendigit.reading.doctor import diagnose, draw_stages
from pendigit.reading.images import load_pages
from pendigit.reading.light import find_ink
from pendigit.reading.lines import find_lines, without_lines
from pendigit.reading.overlay import draw_overlay
from pendigit.reading.page import flat_page
from pendigit.reading.photo import open_photo
from pendigit.reading.reader import Reader
from pendigit.reading.sheet import find_sheet
from pendigit.reading.skew import find_skew
from pendigit.reading.stages import read_stages
from pendigit.writing.conditions import Conditions
from pendigit.writing.glyphs import Glyph, glyphs_of
from pendigit.writing.pages import WrittenPage, write_page

Pixels = NDArray[np.uint8]
PLAIN = Conditions()
ROWS = ("31415926", "2718", "16180")


@cache
def reader() -> Reader:
    return pendigit.load_reader()


@cache
def sure_glyphs() -> Glyph:
    """Digits of the sample that the shipped network reads surely, so that a misread page is the page's fault."""
    _, (frames, labels) = pendigit.load_data("mini")
    probabilities = pendigit.load_classifier().predict_proba(frames)
    sure = (probabilities.argmax(axis=1) == labels) & (probabilities.max(axis=1) > 0.99)
    return glyphs_of(frames[sure], labels[sure])


@cache
def page(seed: int, conditions: Conditions = PLAIN, rows: tuple[str, ...] = ROWS) -> WrittenPage:
    return write_page(np.random.default_rng(seed), sure_glyphs(), conditions, rows)


def errors(read: list[str], true: tuple[str, ...]) -> int:
    """Characters in which two pages of as many rows differ; 99 where a row or a digit is missing or too many."""
    if [len(row) for row in read] != [len(row) for row in true]:
        return 99
    return sum(a != b for a, b in zip("".join(read), "".join(true), strict=True))


def texts(picture: Pixels) -> list[str]:
    return [row.text for row in reader().read(picture).rows]


def test_a_written_page_reads_back_with_its_boxes() -> None:
    written = page(1)
    reading = reader().read(written.picture)
    assert errors([row.text for row in reading.rows], ROWS) <= 1
    for row, true in zip(reading.rows, written.boxes, strict=True):
        for digit, (left, top, right, bottom) in zip(row.digits, true, strict=True):
            assert abs(np.array(digit.box) - (left, top, right, bottom)).max() <= 0.2 * (bottom - top)
    assert reading.text == "\n".join(row.text for row in reading.rows)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(scale=st.floats(0.4, 2.5), left=st.integers(0, 300), top=st.integers(0, 300), inverted=st.booleans())
def test_place_scale_and_polarity_do_not_matter(scale: float, left: int, top: int, inverted: bool) -> None:
    row = page(2, rows=("2071945",)).picture.mean(axis=2).astype(np.uint8)
    row = cv2.resize(row, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    larger = cv2.copyMakeBorder(row, top, 40, left, 40, cv2.BORDER_REPLICATE)
    assert errors(texts(255 - larger if inverted else larger), ("2071945",)) <= 1


@pytest.mark.parametrize(
    "conditions",
    [
        Conditions(slope=0.8),
        Conditions(shadow=0.7),
        Conditions(grain=0.7),
        Conditions(blur=0.5),
        Conditions(faint=0.7),
        Conditions(ruled=0.8),
        Conditions(squared=0.8),
        Conditions(boxed=0.8),
        Conditions(tilt=0.8),
        Conditions(skew=0.8),
        Conditions(perspective=0.6),
        Conditions(colour=1.0),
        Conditions(desk=0.5),
        Conditions(inverted=1.0),
        Conditions(grain=0.9, faint=0.8),
    ],
    ids=lambda conditions: "-".join(name for name, value in vars(conditions).items() if value),
)
def test_a_disturbed_page_keeps_its_rows(conditions: Conditions) -> None:
    assert errors(texts(page(3, conditions).picture), ROWS) <= 3


@pytest.mark.parametrize("quarters", [1, 3])
def test_a_page_that_lies_sideways_is_turned(quarters: int) -> None:
    if not reader().classifier.has_digitness:  # type: ignore[attr-defined]
        pytest.skip("a network that takes everything for a digit cannot tell")
    sideways = np.ascontiguousarray(np.rot90(page(4).picture, quarters))
    assert errors(texts(sideways), ROWS) <= 1


@settings(max_examples=12, deadline=None, derandomize=True)
@given(height=st.integers(30, 120), light=st.booleans(), ground=st.integers(0, 100))
def test_what_is_drawn_on_a_screen(height: int, light: bool, ground: int) -> None:
    rng = np.random.default_rng(height)
    drawing = np.zeros((3 * height, 6 * height), np.float32)
    for place, digit in enumerate((2, 0, 7, 1)):
        while (ink := sure_glyphs()(rng, digit)).shape[1] > len(ink):  # it would run into the next one
            pass
        ink = cv2.resize(ink, None, fx=height / len(ink), fy=height / len(ink), interpolation=cv2.INTER_AREA)
        left = round((0.5 + 1.4 * place) * height)
        drawing[height : height + len(ink), left : left + ink.shape[1]] = ink
    picture = ground + np.uint8(drawing * (255 - ground))
    reading = reader().read(picture if light else 255 - picture, drawn=True)
    assert reading.text == "2071"
    assert all(abs(digit.box[1] - height) <= 2 for digit in reading.rows[0].digits)


def test_a_stroke_on_a_screen_is_no_ruled_line() -> None:
    drawing = np.full((400, 900), 255, np.uint8)
    cv2.line(drawing, (450, 40), (440, 360), 0, 12, cv2.LINE_AA)
    assert reader().read(drawing, drawn=True).text == "1"
    assert reader().read(np.full_like(drawing, 255), drawn=True).rows == ()


def test_a_part_of_a_page() -> None:
    picture = page(4).picture
    left, top = (min(box[side] for box in page(4).boxes[1]) for side in (0, 1))
    right, bottom = (max(box[side] for box in page(4).boxes[1]) for side in (2, 3))
    region = (left - 8, top - 8, right - left + 16, bottom - top + 16)
    part = reader().read(picture, region=region)
    assert errors([row.text for row in part.rows], (ROWS[1],)) <= 1
    assert abs(part.rows[0].digits[0].box[0] - left) < 8
    with pytest.raises(ImageError, match="region"):
        reader().read(picture, region=(0, 0, 10**6, 10))


def test_a_wide_gap_starts_a_group() -> None:
    first, second = (page(seed, rows=("1234",)).picture for seed in (5, 6))
    height = max(len(first), len(second))
    gap = np.full((height, 400, 3), np.median(first), np.uint8)
    both = [cv2.copyMakeBorder(each, 0, height - len(each), 0, 0, cv2.BORDER_REPLICATE) for each in (first, second)]
    rows = reader().read(np.hstack([both[0], gap, both[1]])).rows
    assert sum(len(row.groups) for row in rows) == 2


def test_separators_are_kept_when_asked_for() -> None:
    picture = page(7, rows=("1234",)).picture.copy()
    boxes = page(7, rows=("1234",)).boxes[0]
    size = (boxes[3][3] - boxes[3][1]) // 5
    cv2.circle(picture, (boxes[3][2] + 2 * size, boxes[3][3] - size // 2), size // 2, (20, 20, 20), -1)
    plain, kept = (reader().read(picture, keep=keep).rows[0].text for keep in ("", ".,-"))
    assert len(plain) == 4
    assert kept == plain + "."
    with pytest.raises(UsageError, match="any of"):
        reader().read(picture, keep="x")


@pytest.mark.parametrize("degrees", [-9.0, -2.5, 3.0, 8.0])
def test_skew_is_measured(degrees: float) -> None:
    page_ = flat_page(page(8, Conditions(), ("8" * 9, "0" * 9, "5" * 9)).picture, None)
    level = find_skew(find_ink(page_.grey).mask)
    tilted = page_.levelled(degrees)
    assert find_skew(find_ink(tilted.grey).mask) == pytest.approx(level - degrees, abs=1.0)


def test_lines_go_and_strokes_stay() -> None:
    ruled = page(9, Conditions(squared=0.8))
    flat = flat_page(ruled.picture, None)
    ink = find_ink(flat.grey)
    digits = np.zeros_like(ink.mask)
    for box in (box for row in ruled.boxes for box in row):
        left, top, right, bottom = (round(side * flat.enlarged) for side in box)
        digits[top:bottom, left:right] = 255
    clean = without_lines(ink.mask, ink.ink, find_lines(ink.traces, 80.0))
    assert cv2.mean(ink.mask, 255 - digits)[0] > 255 * 0.02
    assert cv2.mean(clean, 255 - digits)[0] < 255 * 0.002
    assert cv2.mean(clean, digits)[0] > 0.85 * cv2.mean(ink.mask, digits)[0]


def test_a_line_behind_close_digits_goes_too() -> None:
    """Between them too little of it is seen to be long: it goes on from where more is."""
    mask = np.zeros((600, 1000), np.uint8)
    mask[300:304] = 255
    for left in range(300, 700, 40):  # strokes that leave gaps of a third of the line
        mask[270:340, left : left + 27] = 255
    lines = find_lines(mask, 70.0)
    assert (lines[300:304, 328:339] == 255).all()
    assert not lines[270:298].any()


def test_a_shadow_with_a_hard_edge_is_no_stroke() -> None:
    grey = page(1).picture.astype(np.float32)
    height, width = grey.shape[:2]
    shade = np.zeros((height, width), np.float32)
    cv2.ellipse(shade, (width // 4, height // 2), (width // 6, height // 3), 10.0, 0, 360, 1.0, -1)
    shade = cv2.GaussianBlur(shade, (0, 0), 0.009 * max(height, width))[:, :, None]
    assert errors(texts((grey * (1 - 0.5 * shade)).astype(np.uint8)), ROWS) <= 1


def test_a_sheet_on_a_desk_is_found_and_a_bare_page_is_not() -> None:
    sheet = find_sheet(page(10, Conditions(desk=0.6)).picture)
    assert sheet is not None
    for boxes in page(10, Conditions(desk=0.6)).boxes:
        for left, top, _, _ in boxes:
            assert cv2.pointPolygonTest(sheet.corners, (float(left), float(top)), False) > 0
    for conditions in (Conditions(), Conditions(shadow=1.0), Conditions(boxed=1.0)):
        assert find_sheet(page(10, conditions).picture) is None


def test_nothing_written_reads_as_nothing() -> None:
    rng = np.random.default_rng(0)
    grain = np.clip(rng.normal(200, 6, (400, 600)), 0, 255).astype(np.uint8)
    for blank in (np.full((300, 400), 255, np.uint8), np.zeros((300, 400, 3), np.uint8), grain, grain[:2, :2]):
        stages = read_stages(blank, reader().networks)
        assert stages.reading.rows == ()
        assert stages.reading.to_dict()["rows"] == []
        assert "no digit here" in diagnose(stages)[0]


def test_a_strip_of_twenty_thousand_pixels() -> None:
    row = page(11, rows=("20719",)).picture
    strip = cv2.copyMakeBorder(row, 0, 0, 100, 20_000 - 100 - row.shape[1], cv2.BORDER_REPLICATE)
    assert errors(texts(strip), ("20719",)) <= 1


def test_a_hundred_megapixels_are_read_as_jpeg_and_refused_as_png() -> None:
    written = page(1)
    height, width = written.picture.shape[:2]
    large = np.full((10_000, 10_000), 255, np.uint8)
    scale = 8_000 / max(height, width)
    grey = cv2.resize(cv2.cvtColor(written.picture, cv2.COLOR_RGB2GRAY), None, fx=scale, fy=scale)
    large[1000 : 1000 + grey.shape[0], 1000 : 1000 + grey.shape[1]] = grey
    found = reader().read(encoded(large, ".jpg"))
    assert errors([row.text for row in found.rows], ROWS) <= 1
    left, top, _, _ = found.rows[0].digits[0].box
    assert abs(np.array([left, top]) - 1000 - np.array(written.boxes[0][0][:2]) * scale).max() < 0.1 * 8_000 / 10
    with pytest.raises(ImageError, match="megapixels"):
        load_pages(encoded(large, ".png"))


def encoded(picture: Pixels, ending: str) -> bytes:
    return cv2.imencode(ending, picture)[1].tobytes()


def turned_photo(upright: Pixels, orientation: int) -> bytes:
    """A photo as a camera stores it that was held otherwise, with the EXIF tag that says so."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.rot90(upright, {1: 0, 6: 1, 8: -1}[orientation])
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(stored)).save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.mark.parametrize("orientation", [1, 6, 8])
def test_a_photo_is_decoded_no_larger_than_it_is_read(orientation: int) -> None:
    upright = np.zeros((2600, 4000, 3), np.uint8)
    upright[:, 2000:] = 255
    photo = open_photo(turned_photo(upright, orientation))
    assert photo.size == (4000, 2600)
    assert photo.shrunk == 2
    assert photo.pixels[:, :900].max() < 20
    assert photo.pixels[:, 1100:].min() > 235
    assert photo.whole().pixels.shape == upright.shape


def test_a_photo_decoded_smaller_reads_the_same_in_its_own_pixels() -> None:
    upright = cv2.resize(page(1).picture, None, fx=5, fy=5, interpolation=cv2.INTER_LINEAR)
    photo = open_photo(turned_photo(upright, 6))
    small, whole = (reader().read(each) for each in (photo, photo.whole()))
    assert photo.shrunk == pytest.approx(2, rel=1e-3)
    assert small.text == whole.text
    for one, other in zip(small.rows[0].digits, whole.rows[0].digits, strict=True):
        assert abs(np.array(one.box) - other.box).max() <= 8  # pixels of 3,700


def test_a_sheet_that_is_small_on_a_photo_is_seen_with_all_its_pixels() -> None:
    desk = np.full((1500, 3800), 60, np.uint8)
    desk[300:1200, 500:1900] = 230
    cv2.putText(desk, "4711", (700, 900), cv2.FONT_HERSHEY_SIMPLEX, 10, 40, 25)
    photo = open_photo(encoded(desk, ".jpg"))
    stages = read_stages(photo, reader().networks)
    assert photo.shrunk == 2
    assert stages.photo.shrunk == 1
    assert stages.sheet is not None
    assert abs(stages.sheet.corners[0] - (500, 300)).max() < 50


def test_strokes_that_rough_paper_broke_are_whole_again() -> None:
    clean = flat_page(page(1).picture, None).grey
    rough = np.random.default_rng(0).random((-(-clean.shape[0] // 4), -(-clean.shape[1] // 4))) < 0.45
    gaps = np.kron(rough, np.ones((4, 4), bool))[: clean.shape[0], : clean.shape[1]]
    paler = np.where(gaps & (clean < 128), 150, clean).astype(np.uint8)
    whole, broken = find_ink(clean), find_ink(paler)
    crumbs = (broken.ink > 0.5 * float(np.median(whole.ink[whole.mask > 0]))).astype(np.uint8)
    parts = [cv2.connectedComponents(mask)[0] for mask in (whole.mask, broken.mask, crumbs)]
    assert parts[1] <= 2 * parts[0]
    assert parts[2] > 2 * parts[1]


def test_a_strip_shows_its_polarity() -> None:
    strip = np.full((60, 20_000), 230, np.uint8)
    strip[20:40, 100:400:20] = 30
    assert not find_ink(strip).light_on_dark
    assert find_ink(255 - strip).light_on_dark


def test_print_and_faces_hold_few_sure_digits() -> None:
    data = pytest.importorskip("skimage.data")
    printed = np.full((500, 700), 245, np.uint8)
    for line, words in enumerate(("Handwritten numbers", "are what is read here;", "print and faces are not")):
        cv2.putText(printed, words, (30, 120 + 120 * line), cv2.FONT_HERSHEY_COMPLEX, 1.5, 30, 3, cv2.LINE_AA)
    for picture in (printed, data.astronaut()):  # NASA's, in the public domain
        digits = [digit for row in reader().read(picture).rows for digit in row.digits]
        assert sum(digit.probability * (digit.digitness or 0) > 0.9 for digit in digits) <= 8, "o and l among them"


def test_overlay_and_stages_are_drawn() -> None:
    picture = page(1).picture
    stages = read_stages(picture, reader().networks)
    drawn = draw_overlay(picture, stages.reading)
    assert drawn.shape == picture.shape
    changed = (drawn != picture).any(axis=2).mean()
    assert 0.001 < changed < 0.3
    sheet = draw_stages(stages)
    assert sheet.shape[2] == 3
    assert f"{stages.count} digits in 3 rows" in diagnose(stages)[0]


def test_pages_of_a_tiff_and_of_a_pdf(tmp_path: Path) -> None:
    from PIL import Image

    images = [Image.fromarray(page(seed, rows=(text,)).picture) for seed, text in ((12, "123"), (13, "45"))]
    for name in ("pages.tiff", "pages.pdf"):
        path = tmp_path / name
        images[0].save(path, save_all=True, append_images=images[1:])
        found = load_pages(path)
        assert [len(texts(each)[0]) for each in found] == [3, 2]
    with pytest.raises(ImageError, match="no PDF"):
        load_pages(b"%PDF-1.7 and no more")
    with pytest.raises(ImageError, match="TIFF"):
        load_pages(b"II*\0" + b"rest")


def test_a_heic_photo(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    from PIL import Image

    written = page(12, rows=("123",)).picture
    path = tmp_path / "photo.heic"
    heif.from_pillow(Image.fromarray(written)).save(path, quality=90)
    assert load_pages(path)[0].shape == written.shape


def photo(folder: Path, name: str, seed: int = 3) -> Path:
    path = folder / name
    cv2.imwrite(str(path), cv2.cvtColor(page(seed).picture, cv2.COLOR_RGB2BGR))
    return path


def test_read_prints_a_line_a_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["read", str(photo(tmp_path, "page.png")), "--overlay", str(tmp_path / "drawn")]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.split("  (unsure")[0].replace(" ", "") for line in printed] == list(ROWS)
    assert cv2.imread(str(tmp_path / "drawn" / "page.png.png")).shape == page(3).picture.shape


def test_read_goes_on_after_a_broken_file_and_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo(tmp_path, "b.png")
    (tmp_path / "a.png").write_text("no picture")
    (tmp_path / "c.jpg").write_bytes(photo(tmp_path, "b.png").read_bytes()[:200])
    assert run(["read", str(tmp_path), "--json"]) == 3
    shown = capsys.readouterr()
    answers = json.loads(shown.out)
    assert ["error" in answer for answer in answers] == [True, False, True]
    assert answers[1]["text"].split("\n") == list(ROWS)
    assert len(shown.err.splitlines()) == 2
    assert "a.png" in shown.err


def test_doctor_draws_every_stage_and_says_what_it_saw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "stages.png"
    assert run(["doctor", str(photo(tmp_path, "page.png")), "-o", str(picture)]) == 0
    assert ROWS[0] in capsys.readouterr().out.replace(" ", "")
    assert min(cv2.imread(str(picture)).shape[:2]) > 300
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((200, 300, 3), 240, np.uint8))
    assert run(["read", str(blank)]) == 0
    assert "no digits found" in capsys.readouterr().out
    assert run(["doctor", str(blank), "-o", str(picture)]) == 0
    assert "no digit" in capsys.readouterr().out.lower()


@pytest.mark.parametrize(
    ("words", "code", "seen"),
    [
        (["--region", "1,2,3"], 2, "--region 1,2,3"),
        (["--region", "5000,0,10,10"], 3, "the region 5000,0,10,10"),
        (["--keep", "x"], 2, "separators 'x'"),
        (["--model", "nobody"], 2, "unknown model 'nobody'"),
    ],
)
def test_bad_questions_get_one_line(
    words: list[str], code: int, seen: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["read", str(photo(tmp_path, "page.png")), *words]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert seen in line
