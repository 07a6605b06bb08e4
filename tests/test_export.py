"""Exports of small Keras networks answer as Keras does, or are not published."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import keras
import numpy as np
import onnx
import pytest
from keras import layers
from scipy.special import expit, softmax

from pendigit.classifier import OnnxClassifier
from pendigit.datasets import Dataset
from pendigit.errors import ModelError
from pendigit.learning import export, graph
from pendigit.learning.committee import SLANTS, committee
from pendigit.learning.export import export_onnx
from pendigit.learning.keras_classifier import KerasClassifier
from pendigit.learning.networks import build
from pendigit.recipes import TrainingOptions

RANDOM_STATE = 5
pytestmark = pytest.mark.usefixtures("quickly_compiled")


def sequential(shape: tuple[int, ...], *parts: keras.Layer) -> keras.Model:
    return keras.Sequential([keras.Input(shape), *parts])


def flat(**_: object) -> keras.Model:
    return sequential((784,), layers.Dense(12, activation="tanh", use_bias=False), layers.Dense(10))


def plain_convolutions() -> keras.Model:
    return sequential(
        (28, 28, 1),
        layers.ZeroPadding2D(((1, 2), (0, 3))),
        layers.Conv2D(4, 3, padding="same", strides=2, activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(2, padding="same"),
        layers.SpatialDropout2D(0.2),
        layers.Conv2D(6, (3, 2), padding="valid", dilation_rate=2, use_bias=False),
        layers.BatchNormalization(scale=False, center=False),
        layers.Activation("silu"),
        layers.AveragePooling2D(3, strides=2, padding="same"),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    )


def mixed_rows() -> keras.Model:
    return sequential(
        (28, 28),
        layers.EinsumDense("nyx,yxz->nyz", output_shape=(28, 9), bias_axes="z", activation="relu"),
        layers.EinsumDense("nyz,zw->nyw", output_shape=(28, 3)),
        layers.Flatten(),
        layers.Dense(10),
    )


def depthwise() -> keras.Model:
    return sequential(
        (28, 28),
        layers.Rescaling(2.0, offset=-1.0),
        layers.Reshape((28, 28, 1)),
        layers.Conv2D(4, 5, strides=(2, 3)),
        layers.LeakyReLU(negative_slope=0.1),
        layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, strides=2, activation="elu"),
        layers.Conv2D(8, 1, groups=4, activation="leaky_relu"),
        layers.GlobalAveragePooling2D(),
        layers.GaussianNoise(0.1),
        layers.Dense(10),
        layers.Softmax(),
    )


def channel_of_one_first() -> keras.Model:
    return sequential((1, 28, 28), layers.Flatten(), layers.Dense(9, activation="selu"), layers.Dense(10))


def branches() -> keras.Model:
    entry = keras.Input((28, 28, 1))
    trunk = layers.Conv2D(4, 3, padding="same", activation="relu")(entry)
    side = layers.Conv2D(4, 1)(trunk)
    trunk = layers.Add()([trunk, side, layers.Conv2D(4, 5, padding="same", activation="softplus")(entry)])
    trunk = layers.Concatenate()([trunk, side])
    trunk = layers.ReLU()(layers.AveragePooling2D(4)(trunk))
    joined = layers.Concatenate()(
        [layers.GlobalMaxPooling2D()(trunk), layers.Flatten()(trunk), layers.GlobalAveragePooling2D()(side)]
    )
    return keras.Model(entry, layers.Dense(10)(layers.Activation("sigmoid")(joined)))


def nested() -> keras.Model:
    inner = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(3, 7, strides=4), layers.Flatten()])
    entry = keras.Input((28, 28))
    return keras.Model(entry, layers.Dense(10)(inner(layers.Reshape((28, 28, 1))(entry))))


def wrapped() -> keras.Model:
    return sequential((784,), sequential((784,), layers.Dense(10, activation="softmax")))


NETWORKS: list[Callable[[], keras.Model]] = [
    lambda: build(TrainingOptions()),
    lambda: build(TrainingOptions(softmax=True)),
    flat,
    plain_convolutions,
    depthwise,
    channel_of_one_first,
    branches,
    nested,
    mixed_rows,
    wrapped,
]


def shaken(make: Callable[[], keras.Model]) -> keras.Model:
    """The network with weights, biases and moving averages that are all of account."""
    model = make()
    random = np.random.default_rng(RANDOM_STATE)
    for variable in model.variables:
        if "moving_variance" in variable.path or "gamma" in variable.path:
            variable.assign(random.uniform(0.5, 2, variable.shape))
        elif "kernel" not in variable.path and "seed" not in variable.path:
            variable.assign(random.normal(0, 0.4, variable.shape))
    return model


@pytest.mark.parametrize("number", range(len(NETWORKS)))
def test_an_export_answers_as_keras_does(number: int, mini: Dataset, tmp_path: Path) -> None:
    model = shaken(NETWORKS[number])
    frames = mini.x_test[:256]
    path = tmp_path / "model.onnx"
    export_onnx(model, path, frames, {"labels": "0123456789"})
    outputs = np.asarray(model(frames.reshape(-1, *model.inputs[0].shape[1:]).astype(np.float32) / 255))
    expected = outputs if export.ends_in_softmax(model) else softmax(outputs, axis=1)
    assert export.ends_in_softmax(model) == np.allclose(outputs.sum(axis=1), 1, atol=1e-3)
    assert np.ptp(expected, axis=0).max() > 0.005, "the answers depend on the frames"
    classifier = OnnxClassifier(path)
    for count in (1, 7, 256):
        np.testing.assert_allclose(classifier.predict_proba(frames[:count]), expected[:count], atol=1e-5)
    assert [each.name for each in tmp_path.iterdir()] == ["model.onnx"]
    saved = tmp_path / "model.keras"
    model.save(saved)
    np.testing.assert_allclose(KerasClassifier(saved).predict_proba(frames), expected, atol=1e-5)


@pytest.mark.parametrize("ends_in_softmax", [False, True])
def test_the_temperature_divides_the_logits(ends_in_softmax: bool, mini: Dataset, tmp_path: Path) -> None:
    model = build(TrainingOptions(softmax=ends_in_softmax))
    frames = mini.x_test[:256]
    export_onnx(model, tmp_path / "warm.onnx", frames, {}, temperature=0.25)
    outputs = np.asarray(model(frames.astype(np.float32) / 255))
    logits = np.log(outputs) if ends_in_softmax else outputs
    found = OnnxClassifier(tmp_path / "warm.onnx").predict_proba(frames)
    np.testing.assert_allclose(found, softmax(logits / 0.25, axis=1), atol=1e-5)


def test_an_eleventh_output_becomes_digitness(mini: Dataset, tmp_path: Path) -> None:
    model = sequential((28, 28), layers.Flatten(), layers.Dense(11, name=export.DIGITNESS_LAYER))
    frames = mini.x_test[:256]
    export_onnx(model, tmp_path / "model.onnx", frames, {}, temperature=2)
    outputs = np.asarray(model(frames.astype(np.float32) / 255))
    classifier = OnnxClassifier(tmp_path / "model.onnx")
    assert classifier.has_digitness
    np.testing.assert_allclose(classifier.predict_proba(frames), softmax(outputs[:, :10] / 2, axis=1), atol=1e-5)
    np.testing.assert_allclose(classifier.digitness(frames), expit(outputs[:, 10]), atol=1e-5)
    model.save(tmp_path / "model.keras")
    found = KerasClassifier(tmp_path / "model.keras").predict_proba(frames)
    np.testing.assert_allclose(found, softmax(outputs[:, :10], axis=1), atol=1e-5)


def test_a_committee_is_the_weighted_mean_of_its_members_over_slanted_frames(mini: Dataset, tmp_path: Path) -> None:
    members = [build(TrainingOptions(network="tiny", seed=0)), build(TrainingOptions(network="reader", seed=1))]
    frames, weights = mini.x_test[:256], (3, 1)
    export_onnx(committee(members, weights), tmp_path / "model.onnx", frames, {}, bits=16)  # rounds their kernels
    every = []
    for slant in SLANTS:
        lean = np.array([[1, slant, -slant * 13.5], [0, 1, 0]])  # OpenCV's own interpolation is in 32nds of a pixel
        leaning = np.stack([cv2.warpAffine(frame.astype(np.float32) / 255, lean, (28, 28)) for frame in frames])
        every.append([np.asarray(member(leaning)) for member in members])
    first, second = (np.mean(views, axis=0) for views in zip(*every, strict=True))
    found, digitness = OnnxClassifier(tmp_path / "model.onnx").judge(frames)
    np.testing.assert_allclose(found, softmax(0.75 * first + 0.25 * second[:, :10], axis=1), atol=2e-3)
    assert digitness is not None
    np.testing.assert_allclose(digitness, expit(second[:, 10]), atol=2e-3, err_msg="only one member has it")
    assert np.abs(found - softmax(every[0][0], axis=1)).max() > 0.01, "no member's answer is the committee's"
    kernels = sum(np.size(kernel) for member in members for kernel in member.get_weights() if kernel.ndim > 1)
    assert (tmp_path / "model.onnx").stat().st_size < 2 * kernels + 120_000, "each kernel is stored once, in 16 bits"


def test_kernels_of_8_bits_are_whole_steps_of_each_outputs_largest(mini: Dataset, tmp_path: Path) -> None:
    model = sequential((28, 28, 1), layers.Conv2D(6, 5, strides=2), layers.Flatten(), layers.Dense(10))
    before = [np.asarray(kernel) for kernel in model.get_weights() if kernel.ndim > 1]
    before[1][:, 3] = 0  # an output without weights
    model.layers[-1].kernel.assign(before[1])
    export_onnx(model, tmp_path / "model.onnx", mini.x_test[:256], {}, bits=8)  # rounds, and compares answers
    after = [np.asarray(kernel) for kernel in model.get_weights() if kernel.ndim > 1]
    for kernels in zip(before, after, strict=True):
        exact, rounded = (kernel.reshape(-1, kernel.shape[-1]) for kernel in kernels)
        step = np.abs(exact).max(axis=0) / 127
        assert np.all(np.abs(rounded - exact) <= 0.501 * step)
        steps = rounded[:, step > 0] / step[step > 0]
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)
    assert (tmp_path / "model.onnx").stat().st_size < sum(kernel.size for kernel in before) + 5_000


def test_the_file_keeps_the_contract_and_its_metadata(mini: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    metadata = {"labels": "0123456789", "recipe": {"lr": 0.001}, "data_digest": "abc", "versions": {"keras": "3"}}
    export_onnx(build(TrainingOptions()), path, mini.x_test[:256], metadata)
    content = onnx.load(path)
    (entry,) = content.graph.input
    (exit_,) = content.graph.output
    assert (entry.name, exit_.name) == ("frames", "probabilities")
    assert entry.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert exit_.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    sides = [[side.dim_value or side.dim_param for side in info.type.tensor_type.shape.dim] for info in (entry, exit_)]
    assert sides == [["n", 28, 28], ["n", 10]]
    kept = OnnxClassifier(path).metadata
    assert kept["labels"] == "0123456789"
    assert json.loads(kept["recipe"]) == {"lr": 0.001}
    assert json.loads(kept["versions"]) == {"keras": "3"}


def two_inputs() -> keras.Model:
    entries = [keras.Input((28, 28)), keras.Input((28, 28))]
    return keras.Model(entries, layers.Dense(10)(layers.Flatten()(layers.Add()(entries))))


REFUSED = [
    (lambda: sequential((28, 28), layers.LSTM(4), layers.Dense(10)), "is a LSTM, which cannot be exported"),
    (lambda: sequential((28, 28), layers.Flatten(), layers.Dense(10, activation="mish")), "the activation 'mish'"),
    (lambda: sequential((28, 28), layers.Dense(3), layers.Flatten(), layers.Dense(10)), "is a Dense on shape"),
    (lambda: sequential((28, 28), layers.ReLU(max_value=6), layers.Flatten(), layers.Dense(10)), "capped ReLU"),
    (lambda: sequential((32, 32), layers.Flatten(), layers.Dense(10)), r"takes \[\(32, 32\)\]"),
    (lambda: sequential((28, 28), layers.Flatten(), layers.Dense(11)), r"gives \[\(11,\)\]"),
    (two_inputs, "the network takes"),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_cannot_be_exported_is_named_and_not_published(number: int, mini: Dataset, tmp_path: Path) -> None:
    make, seen = REFUSED[number]
    with pytest.raises(ModelError, match=seen):
        export_onnx(make(), tmp_path / "model.onnx", mini.x_test[:256], {})
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_answers_otherwise_is_not_published(
    mini: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"old")
    monkeypatch.setitem(graph.ACTIVATIONS, "relu", lambda _graph, value: value)
    with pytest.raises(ModelError, match=r"differ from Keras's by .* in a batch of 1; expected at most 1e-05"):
        export_onnx(build(TrainingOptions()), path, mini.x_test[:256], {})
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["model.onnx"]


@pytest.mark.parametrize("scale", ["0-1", "0-255"])
@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (1, 28, 28), (784,)])
def test_keras_files_made_elsewhere_are_taken(
    shape: tuple[int, ...], scale: str, mini: Dataset, tmp_path: Path
) -> None:
    divisor = 255 if scale == "0-255" else 1
    model = sequential(shape, layers.Flatten(), layers.Rescaling(1 / divisor), layers.Dense(10))
    path = tmp_path / "elsewhere.keras"
    model.save(path)
    classifier = KerasClassifier(path, scale)  # type: ignore[arg-type]
    kernel, bias = (np.asarray(weight) for weight in model.weights)
    frames = mini.x_test[:20]
    expected = softmax(frames.reshape(-1, 784) / 255 @ kernel + bias, axis=1)
    np.testing.assert_allclose(classifier.predict_proba(frames), expected, atol=1e-5)
    np.testing.assert_array_equal(classifier.predict(frames), expected.argmax(axis=1))
    assert classifier.predict_proba(frames[:0]).shape == (0, 10)
    assert classifier.name == "elsewhere"


def test_keras_files_that_are_damaged_or_ask_for_code_are_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.keras"
    sequential((28, 28), layers.Flatten(), layers.Dense(10)).save(whole)
    content = whole.read_bytes()
    for name, damaged in (("cut", content[: len(content) // 2]), ("empty", b""), ("text", b"hello")):
        (tmp_path / f"{name}.keras").write_bytes(damaged)
    code = sequential((28, 28), layers.Flatten(), layers.Lambda(lambda x: x[:, :10]))
    code.save(tmp_path / "code.keras")
    sequential((28, 27), layers.Flatten(), layers.Dense(10)).save(tmp_path / "narrow.keras")
    for name in ("cut", "empty", "text", "code", "missing", "narrow"):
        with pytest.raises(ModelError, match=f"{name}.keras|takes") as caught:
            KerasClassifier(tmp_path / f"{name}.keras")
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 400
