"""The written set: fonts through a stand-in for npm, frames of every kind, and one cached file."""

from __future__ import annotations

import hashlib
import stat
import sys
import tarfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pendigit.classifier import NO_DIGIT, OnnxClassifier
from pendigit.datasets import Dataset, load_dataset, written
from pendigit.datasets.fonts import Font, fetch_fonts, listed
from pendigit.errors import DataError
from pendigit.frame import is_frame
from pendigit.learning import run
from pendigit.recipes import TrainingOptions

FREE = {"OFL-1.1", "Apache-2.0", "MIT", "UFL-1.0"}
NEEDS_NOTHING = ("form", "scribble", "marks", "blot", "crowd", "fluent")


def test_the_list_of_fonts_is_free_and_pinned() -> None:
    fonts = listed("hand", "print", "unseen")
    assert len({font.name for font in fonts}) == len(fonts) > 70
    assert {font.licence for font in fonts} <= FREE
    assert all(len(font.sha256) == 64 and font.file.startswith("files/") and font.version for font in fonts)
    assert not {font.name for font in listed("unseen")} & {font.name for font in listed("hand", "print")}


def packed(folder: Path, name: str, content: bytes) -> None:
    """A tarball as npm names it, with one font in it."""
    inside = folder / "package" / "files" / f"{name}.woff2"
    inside.parent.mkdir(parents=True, exist_ok=True)
    inside.write_bytes(content)
    with tarfile.open(folder / f"fontsource-{name}-1.0.0.tgz", "w:gz") as tar:
        tar.add(inside, f"package/files/{name}.woff2")


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for npm is a shell script")
def test_fonts_come_through_npm_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("one", "two")
    for name in names:
        packed(tmp_path, name, name.encode())
    npm, calls = tmp_path / "npm", tmp_path / "calls"
    npm.write_text(f'#!/bin/sh\necho "$@" >> {calls}\ncp {tmp_path}/*.tgz .\n')
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("PENDIGIT_HOME", str(tmp_path / "home"))
    digests = {name: hashlib.sha256(name.encode()).hexdigest() for name in names}
    fonts = [Font(name, "1.0.0", "OFL-1.1", "hand", f"files/{name}.woff2", digests[name]) for name in names]
    for _ in range(2):
        assert [path.read_text() for path in fetch_fonts(fonts)] == ["one", "two"]
    (call,) = calls.read_text().splitlines()
    assert call.endswith("@fontsource/one@1.0.0 @fontsource/two@1.0.0")
    fonts[0].path.write_bytes(b"damaged")
    assert fetch_fonts(fonts)[0].read_text() == "one"
    with pytest.raises(DataError, match=r"@fontsource/two@1\.0\.0 holds another files/two\.woff2"):
        fetch_fonts([replace(fonts[1], sha256="0" * 64)])
    npm.write_text("#!/bin/sh\necho 'npm error code ENOTFOUND' >&2\nexit 1\n")
    fonts[0].path.unlink()
    with pytest.raises(DataError, match="fonts are out of reach"):
        fetch_fonts(fonts)


@pytest.mark.parametrize("kind", [kind for kind in written.KINDS if kind not in {"lettered", "letter", "coarse"}])
def test_every_kind_gives_frames(kind: str, mini: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "_training_digits", lambda: (mini.x_train, mini.y_train))
    frames, labels = written.make_chunk(kind, 0, 12)
    assert frames.shape == (12, 28, 28)
    assert frames.dtype == labels.dtype == np.uint8
    assert (frames.max(axis=(1, 2)) > 100).all()
    assert sum(map(is_frame, frames)) >= 10
    digits = kind in {"form", "repenned", "fluent"}
    assert (labels < NO_DIGIT).all() if digits else (labels == NO_DIGIT).all()
    again, _ = written.make_chunk(kind, 0, 12)
    np.testing.assert_array_equal(frames, again)
    other, _ = written.make_chunk(kind, written.CHUNK, 12)
    assert (frames != other).any()


class Threads(ThreadPoolExecutor):
    """In place of processes, which would not see what a test replaced."""

    def __init__(self, workers: int | None, _context: object) -> None:
        super().__init__(workers)


def test_the_set_is_made_once_and_cached(
    mini: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = {kind: (5, make) for kind, (_, make) in written.KINDS.items() if kind in NEEDS_NOTHING}
    fetched: list[Any] = []

    def fetch(fonts: Iterable[Font]) -> None:
        fetched.extend(fonts)

    for name, value in {
        "KINDS": kinds,
        "load_mnist": lambda: mini,
        "fetch_fonts": fetch,
        "ProcessPoolExecutor": Threads,
        "_training_digits": lambda: (mini.x_train[:50], mini.y_train[:50]),
    }.items():
        monkeypatch.setattr(written, name, value)
    monkeypatch.setenv("PENDIGIT_HOME", str(tmp_path))
    made = written.load_written()
    assert capsys.readouterr().err.splitlines() == ["Making digits of many hands, once, which takes some minutes"]
    assert len(made.y_train) == written.MNIST_TIMES * 50 + 5 * len(kinds)
    assert {font.role for font in fetched} == {"hand", "print"}
    monkeypatch.setattr(written, "_make", None)
    again = load_dataset("written")
    assert again.digest == made.digest
    assert again.name == "written"
    schooled = load_dataset("schooled")
    assert len(again.y_train) - len(schooled.y_train) == written.KINDS["fluent"][0]
    np.testing.assert_array_equal(schooled.x_train, again.x_train[: len(schooled.x_train)])
    assert again.y_train.max() == NO_DIGIT
    np.testing.assert_array_equal(again.x_test, mini.x_test)


@pytest.mark.usefixtures("quickly_compiled")
def test_a_network_of_ten_outputs_learns_from_digits_alone(
    mini: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = mini.y_train[:120].copy()
    labels[:40] = NO_DIGIT
    mixed = Dataset("mixed", mini.x_train[:120], labels, mini.x_test[:50], mini.y_test[:50])
    monkeypatch.setattr(run, "load_dataset", lambda _: mixed)
    seen: list[int] = []
    monkeypatch.setattr(run, "_task", lambda *given, make=run._task: seen.append(len(given[-1])) or make(*given))
    run.train(TrainingOptions.of(epochs=1, hidden=4, dropout=0.0), tmp_path / "ten")
    told = run.train(
        TrainingOptions.of(network="reader", epochs=1, augment="none", schedule="constant"), tmp_path / "eleven"
    )
    assert seen == [80, 120]
    assert OnnxClassifier(tmp_path / "eleven" / "model.onnx").has_digitness
    assert told.evaluation.count == 50
