"""Pictures in, digits out: what the reader takes, refuses and loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pendigit.classifier import BATCH, OnnxClassifier
from pendigit.datasets import Dataset
from pendigit.errors import ImageError, ModelError, UsageError
from pendigit.models import find_model
from pendigit.reading.reader import Reader, load_reader


@pytest.fixture(scope="module")
def reader() -> Reader:
    return load_reader()


@pytest.fixture(scope="module")
def classifier() -> OnnxClassifier:
    return OnnxClassifier(find_model())


def photo(frame: NDArray[np.uint8], scale: int = 3) -> NDArray[np.uint8]:
    """Dark ink on a larger light sheet, in colour."""
    sheet = np.full((40 + 28 * scale, 60 + 28 * scale, 3), 240, np.uint8)
    big = frame.repeat(scale, 0).repeat(scale, 1)[:, :, None].astype(float) / 255
    sheet[30 : 30 + 28 * scale, 10 : 10 + 28 * scale] = np.rint(240 - big * np.array([200, 190, 120]))
    return sheet


def test_mnist_frames_give_what_the_classifier_gives(reader: Reader, classifier: OnnxClassifier, mini: Dataset) -> None:
    frames = mini.x_train[: BATCH + 40]  # more than one batch
    assert (reader.frames(frames) == frames).all()
    assert np.allclose(reader.predict_proba(frames), classifier.predict_proba(frames), atol=1e-6)
    assert (reader.predict(frames) == classifier.predict(frames)).all()


def test_answers_have_their_shapes(reader: Reader, mini: Dataset) -> None:
    digits, probabilities = reader.predict(mini.x_test[:5]), reader.predict_proba(mini.x_test[:5])
    assert (digits.shape, digits.dtype) == ((5,), np.int64)
    assert (probabilities.shape, probabilities.dtype) == ((5, 10), np.float32)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert reader.predict([]).shape == (0,)
    assert reader.predict_proba([]).shape == (0, 10)
    assert reader.frames([]).shape == (0, 28, 28)


def test_pictures_are_read_like_the_frames_they_show(reader: Reader, mini: Dataset) -> None:
    frames = mini.x_train[:100]
    read = reader.predict(photo(frame) for frame in frames)
    assert (read == reader.predict(frames)).mean() >= 0.97


def test_every_kind_of_source_together(reader: Reader, mini: Dataset, tmp_path: Path) -> None:
    pixels = photo(mini.x_train[7])
    image, path = Image.fromarray(pixels), tmp_path / "seven.png"
    image.save(path)
    sources = [pixels, pixels[:, :, 1], image, path, str(path), path.read_bytes(), 255 - pixels]
    frames = reader.frames(sources)
    alone = reader.predict_proba(pixels)
    assert alone.shape == (1, 10)
    for index in (0, 2, 3, 4, 5):
        assert (frames[index] == frames[0]).all()
    assert len(set(reader.predict(sources).tolist())) == 1


def test_one_picture_is_a_list_of_one(reader: Reader, mini: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    Image.fromarray(photo(mini.x_train[0])).save(path)
    for source in (path, str(path), path.read_bytes(), Image.open(path), mini.x_train[0], photo(mini.x_train[0])):
        assert reader.predict(source).shape == (1,)


def test_stacks_with_an_axis_of_channels(reader: Reader, mini: Dataset) -> None:
    frames = mini.x_train[:3]
    assert (reader.frames(frames[..., None]) == frames).all()
    photos = np.stack([photo(frame) for frame in frames])
    assert (reader.frames(photos) == reader.frames(list(photos))).all()


@pytest.mark.parametrize("blank", [0, 255, 128])
def test_a_blank_picture_is_named_by_its_index(reader: Reader, mini: Dataset, blank: int) -> None:
    pictures = [mini.x_train[0], photo(mini.x_train[1]), np.full((30, 50), blank, np.uint8)]
    with pytest.raises(ImageError, match=r"^image 2: no ink found in a picture of 50x30 pixels") as error:
        reader.predict(pictures)
    assert "\n" not in str(error.value)


def test_a_missing_picture_is_named(reader: Reader, mini: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"^image 1: cannot read .*none\.png"):
        reader.predict([mini.x_train[0], tmp_path / "none.png"])


def test_models_by_name_and_path(reader: Reader, mini: Dataset, tmp_path: Path) -> None:
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(find_model().read_bytes())
    frames = mini.x_test[:50]
    for model in (find_model().stem, find_model(), copy, str(copy)):
        assert (load_reader(model).predict(frames) == reader.predict(frames)).all()
    with pytest.raises(UsageError, match="unknown model 'nobody'"):
        load_reader("nobody")
    with pytest.raises(ModelError, match="no model can be read"):
        load_reader(tmp_path / "none.onnx")
