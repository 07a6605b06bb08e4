"""Pages to numbers: generated pages, and photos and scans that are not ours, beside Tesseract and RapidOCR.

    python benchmarks/reading.py [--model NAME] [--pages 500] [--data FOLDER] [--only SET] [--peers] [--figures]
        [--speed]

CER is the edit distance over the number of true digits, rows joined. Rows count as exact when a row read says just what
a row of the truth does. The peers read the very same pictures in the same go: Tesseract 5 (`tesseract` on the path,
digits whitelist), RapidOCR 3.10 in an environment of its own, with and without its classifier of directions.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

import pendigit
from bench import CACHE, PEERS, environment, machine, measure, own_environment
from pendigit.errors import ImageError
from pendigit.reading.images import load_image
from pendigit.writing.conditions import NAMES, Conditions, random_conditions
from pendigit.writing.glyphs import Glyph, glyphs_of
from pendigit.writing.pages import write_page
from sets import DATA

SEED = 2026  # of the generated pages; the reader was tuned on pages of other seeds
PHOTOS = ("photos_dev", "price_list_dev", "boxes_dev", "cheques_dev")
LENGTHS = "cheques_dev"  # also read with the number of digits known
STRINGS = "numbers_0_15_dev"
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)  # strengths of one condition
PAGES_A_STEP = 12
MEGAPIXELS = 12.0

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Sheet:
    """A picture and its true rows."""

    name: str
    picture: Pixels
    rows: list[str]


@dataclass
class Score:
    """Counts over a set."""

    digits: int = 0
    edits: int = 0
    rows: int = 0
    rows_exact: int = 0
    pictures: int = 0
    exact: int = 0

    def add(self, read: list[str], true: list[str]) -> None:
        """Count one picture's rows."""
        self.digits += len("".join(true))
        self.edits += Levenshtein.distance("".join(read), "".join(true))
        left = list(read)
        for row in true:
            if row in left:
                left.remove(row)
                self.rows_exact += 1
        self.rows += len(true)
        self.pictures += 1
        self.exact += read == true

    def __str__(self) -> str:
        return (
            f"CER {self.edits / self.digits:6.2%}   rows exact {self.rows_exact / self.rows:6.1%}   "
            f"pictures exact {self.exact / self.pictures:6.1%} ({self.exact} of {self.pictures})"
        )


Read = Callable[[list[Sheet]], list[list[str]]]


def generated(count: int) -> Iterator[Sheet]:
    glyph = test_glyphs()
    for index in range(count):
        rng = np.random.default_rng([SEED, index])
        page = write_page(rng, glyph, random_conditions(rng))
        yield Sheet(f"generated-{index:04}", page.picture, list(page.rows))


def test_glyphs() -> Glyph:
    """MNIST's test digits of the sample in the package, which no network was trained on."""
    _, (frames, labels) = pendigit.load_data("mini")
    return glyphs_of(frames, labels)


def photos(folder: Path) -> Iterator[Sheet]:
    with (folder / "truth.csv").open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            yield Sheet(line["file"], load_image(folder / line["file"]), line["truth"].split("|"))


def strings(path: Path) -> Iterator[Sheet]:
    with np.load(path) as file:
        if "images" in file:
            pictures = list(file["images"])
        else:
            pixels, shapes, offsets = file["pixels"], file["shapes"], file["offsets"]
            parts = zip(offsets[:-1], offsets[1:], shapes, strict=True)
            pictures = [pixels[start:stop].reshape(shape) for start, stop, shape in parts]
        for index, (picture, label) in enumerate(zip(pictures, file["labels"], strict=True)):
            yield Sheet(f"{path.stem}-{index:04}", picture, [str(label)])


def ours(model: str | None) -> Read:
    reader = pendigit.load_reader(model)
    return lambda sheets: [[row.text for row in reader.read(sheet.picture).rows] for sheet in sheets]


def knowing_the_lengths(model: str | None) -> Read:
    """Ours, told that there is one row and how many digits it has."""
    reader = pendigit.load_reader(model)

    def read_one(sheet: Sheet) -> list[str]:
        try:
            return [row.text for row in reader.read(sheet.picture, digits=len(sheet.rows[0]), rows=1).rows]
        except ImageError:  # nothing that may be a digit
            return [""]

    return lambda sheets: [read_one(sheet) for sheet in sheets]


def tesseract(sheets: list[Sheet]) -> list[list[str]]:
    texts = []
    with tempfile.TemporaryDirectory() as folder:
        for sheet in sheets:
            path = Path(folder) / "page.png"
            cv2.imwrite(str(path), _bgr(sheet.picture))
            command = ["tesseract", path, "-", "--psm", "6", "-c", "tessedit_char_whitelist=0123456789"]
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
            lines = ("".join(filter(str.isdigit, line)) for line in ended.stdout.splitlines())
            texts.append([line for line in lines if line])
    return texts


def rapidocr(direction: str) -> Read:
    def read(sheets: list[Sheet]) -> list[list[str]]:
        python = environment("rapidocr-pages", "rapidocr==3.10.*", "onnxruntime")
        with tempfile.TemporaryDirectory() as folder:
            for index, sheet in enumerate(sheets):
                cv2.imwrite(f"{folder}/{index:05}.png", _bgr(sheet.picture))
            texts = measure([python, PEERS / "rapidocr_pages.py", folder, direction]).json["texts"]
        return [texts[f"{index:05}.png"] for index in range(len(sheets))]

    return read


def _bgr(picture: Pixels) -> Pixels:
    return picture if picture.ndim == 2 else np.ascontiguousarray(picture[:, :, ::-1])


def table(sheets_of: dict[str, list[Sheet]], readers: dict[str, Read]) -> None:
    for name, sheets in sheets_of.items():
        print(f"{name}: {len(sheets)} pictures")
        with ThreadPoolExecutor() as pool:  # peers are processes of their own; nothing is timed here
            texts = pool.map(lambda read, sheets=sheets: read(sheets), readers.values())
        for reader, read in zip(readers, texts, strict=True):
            score = Score()
            for found, sheet in zip(read, sheets, strict=True):
                score.add(found, sheet.rows)
            print(f"  {reader:<28} {score}", flush=True)


def disturbances(model: str | None) -> dict[str, list[float]]:
    """The share of digits read, 1 - CER, at each strength of each condition, all else undisturbed."""
    glyph, read = test_glyphs(), ours(model)
    shares: dict[str, list[float]] = {}
    for name in NAMES:
        shares[name] = []
        for step in STEPS:
            score = Score()
            for index in range(PAGES_A_STEP):
                page = write_page(np.random.default_rng([SEED, index]), glyph, replace(Conditions(), **{name: step}))
                score.add(read([Sheet("", page.picture, list(page.rows))])[0], list(page.rows))
            shares[name].append(max(0.0, 1 - score.edits / score.digits))
        print(f"  {name:<12} " + "  ".join(f"{share:6.1%}" for share in shares[name]), flush=True)
    return shares


def draw(shares: dict[str, list[float]], path: Path) -> None:
    """A small chart for each condition: the share of digits read against its strength."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 6), dpi=130)
    axes = figure.subplots(3, 6, sharex=True, sharey=True).ravel()
    lowest = min(60.0, 100 * min(map(min, shares.values())) - 5)
    for axis, (name, values) in zip(axes, shares.items(), strict=True):
        axis.plot(STEPS, [100 * value for value in values], color="#0072b2", marker="o", markersize=3)
        axis.set_title(name, fontsize=10, loc="left")
        axis.set_ylim(lowest, 101)
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("strength of the disturbance", fontsize=10)
    figure.supylabel("digits read, %", fontsize=10)
    figure.subplots_adjust(left=0.07, right=0.99, top=0.94, bottom=0.1, hspace=0.35, wspace=0.12)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path)
    print(f"drawn: {path}")


def speed(model: str | None) -> None:
    """A 12-megapixel photo on one thread, and the peak memory of the process that reads it."""
    page = write_page(
        np.random.default_rng(SEED),
        test_glyphs(),
        Conditions(slope=0.3, grain=0.2),
        ("31415926", "27182818", "14142135"),
    )
    height, width = page.picture.shape[:2]
    scale = (MEGAPIXELS * 1e6 / (height * width)) ** 0.5
    large = cv2.resize(page.picture, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_CUBIC)
    CACHE.mkdir(parents=True, exist_ok=True)
    photo = CACHE / "photo.jpg"
    cv2.imwrite(str(photo), _bgr(np.asarray(large, np.uint8)), [cv2.IMWRITE_JPEG_QUALITY, 92])
    python = own_environment()  # reading needs no extra
    taken = measure([python, PEERS / "read_photo.py", photo, "9", *([model] if model else [])], OMP_NUM_THREADS="1")
    print(
        f"a photo of {large.shape[1]}x{large.shape[0]} pixels: {taken.json['milliseconds']:.0f} ms on one thread, "
        f"{taken.megabytes:.0f} MB at most (others used {taken.noise:.0%} of the CPU)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="name, file or run folder")
    parser.add_argument("--pages", type=int, default=500, help="generated pages")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of photo sets")
    parser.add_argument("--only", help="one set of photos alone, such as cheques_dev")
    parser.add_argument("--peers", action="store_true", help="also run Tesseract and RapidOCR")
    parser.add_argument("--figures", action="store_true", help="also draw accuracy against each disturbance")
    parser.add_argument("--speed", action="store_true", help="only time the large photo")
    options = parser.parse_args()
    print(machine())
    if options.speed:
        speed(options.model)
        return
    readers: dict[str, Read] = {"ours": ours(options.model)}
    if options.peers:
        readers |= {
            "Tesseract 5": tesseract,
            "RapidOCR": rapidocr("cls"),
            "RapidOCR, no direction": rapidocr("nocls"),
        }
    sheets = {"generated": list(generated(options.pages))} if options.pages else {}
    sheets |= {name: list(photos(options.data / name)) for name in PHOTOS if (options.data / name).is_dir()}
    if (options.data / f"{STRINGS}.npz").exists():
        sheets[STRINGS] = list(strings(options.data / f"{STRINGS}.npz"))
    if options.only:
        if options.only not in sheets:
            parser.error(f"no set {options.only} in {options.data}")
        sheets = {options.only: sheets[options.only]}
    table(sheets, readers)
    if LENGTHS in sheets:
        table({LENGTHS: sheets[LENGTHS]}, {"ours, true length given": knowing_the_lengths(options.model)})
    if options.figures:
        draw(disturbances(options.model), Path(__file__).parents[1] / "docs" / "figures" / "reading.png")


if __name__ == "__main__":
    sys.exit(main())
