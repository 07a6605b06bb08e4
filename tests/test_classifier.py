"""The seam: model files of the contract and from elsewhere against NumPy, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from scipy.special import softmax

import pendigit
from pendigit.classifier import BATCH, OnnxClassifier, Scale, check_frames, check_scale, to_probabilities
from pendigit.errors import DataError, ModelError, UsageError
from pendigit.models import find_model, shipped

RANDOM = np.random.default_rng(0)
WEIGHTS = RANDOM.normal(size=(784, 10)).astype(np.float32) / 8
BIAS = RANDOM.normal(size=10).astype(np.float32)
FRAMES = RANDOM.integers(0, 256, (9, 28, 28), np.uint8)
SHAPES = ((28, 28), (28, 28, 1), (1, 28, 28), (784,))


def write_model(
    path: Path,
    shape: tuple[object, ...] = ("n", 28, 28),
    kind: int = TensorProto.UINT8,
    divisor: float = 255,
    ending: str = "Softmax",
    outputs: tuple[str, ...] = ("probabilities",),
    weights: np.ndarray = WEIGHTS,
) -> Path:
    """A linear network: cast, divide, flatten, weights; then softmax or nothing."""
    nodes = [
        helper.make_node("Cast", ["frames"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["floats", "divisor"], ["scaled"]),
        helper.make_node("Reshape", ["scaled", "flat"], ["rows"]),
        helper.make_node("Gemm", ["rows", "weights", "bias"], ["logits"]),
        helper.make_node(ending, ["logits"], [outputs[0]]),
    ]
    infos = [helper.make_tensor_value_info(outputs[0], TensorProto.FLOAT, ["n", weights.shape[1]])]
    if "digitness" in outputs:
        nodes.append(helper.make_node("ReduceMax", ["scaled"], ["digitness"], axes=[1, 2], keepdims=0))
        infos.append(helper.make_tensor_value_info("digitness", TensorProto.FLOAT, ["n"]))
    constants = {
        "divisor": np.float32(divisor),
        "flat": np.array([-1, 784], np.int64),
        "weights": weights,
        "bias": BIAS[: weights.shape[1]],
    }
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("frames", kind, shape)],
        infos,
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"labels": "0123456789"})
    onnx.save_model(model, path)
    return path


def expected(frames: np.ndarray, scale: float = 255) -> np.ndarray:
    return softmax(frames.reshape(-1, 784).astype(np.float64) / scale @ WEIGHTS + BIAS, axis=1)


@pytest.mark.parametrize("ending", ["Softmax", "Identity"])
@pytest.mark.parametrize("scale", ["0-1", "0-255"])
@pytest.mark.parametrize("shape", SHAPES)
def test_models_made_elsewhere_agree_with_numpy(
    tmp_path: Path, shape: tuple[int, ...], scale: Scale, ending: str
) -> None:
    # A model trained on 0-255 divides inside here, so that both answer alike when they are fed as they ask.
    divisor = 1 if scale == "0-1" else 255
    path = write_model(tmp_path / "m.onnx", ("n", *shape), TensorProto.FLOAT, divisor, ending, ("scores",))
    classifier = OnnxClassifier(path, scale)
    np.testing.assert_allclose(classifier.predict_proba(FRAMES), expected(FRAMES), atol=1e-5)
    np.testing.assert_array_equal(classifier.predict(FRAMES), expected(FRAMES).argmax(axis=1))
    wrong = OnnxClassifier(path, "0-255" if scale == "0-1" else "0-1")
    assert np.abs(wrong.predict_proba(FRAMES) - expected(FRAMES)).max() > 0.01, "the scale matters"


def test_a_file_of_the_contract_scales_inside_whatever_the_scale(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx")
    for scale in ("0-1", "0-255"):
        np.testing.assert_allclose(OnnxClassifier(path, scale).predict_proba(FRAMES), expected(FRAMES), atol=1e-5)


def test_answers_have_the_promised_types_for_any_batch(tmp_path: Path) -> None:
    classifier = OnnxClassifier(write_model(tmp_path / "linear.onnx"))
    assert classifier.name == "linear"
    assert classifier.metadata == {"labels": "0123456789"}
    for count in (0, 1, BATCH, BATCH + 1):
        frames = np.resize(FRAMES, (count, 28, 28))
        probabilities, digits = classifier.predict_proba(frames), classifier.predict(frames)
        assert (probabilities.shape, probabilities.dtype) == ((count, 10), np.float32)
        assert (digits.shape, digits.dtype) == ((count,), np.int64)
        np.testing.assert_allclose(probabilities, expected(frames), atol=1e-5)


def test_digitness_is_there_when_the_model_has_it(tmp_path: Path) -> None:
    without = OnnxClassifier(write_model(tmp_path / "a.onnx"))
    assert not without.has_digitness
    assert without.digitness(FRAMES) is None
    having = OnnxClassifier(write_model(tmp_path / "b.onnx", outputs=("probabilities", "digitness")))
    assert having.has_digitness
    found = having.digitness(FRAMES)
    assert found is not None
    np.testing.assert_allclose(found, FRAMES.max(axis=(1, 2)) / 255, atol=1e-6)
    empty = having.digitness(FRAMES[:0])
    assert empty is not None
    assert empty.shape == (0,)
    np.testing.assert_allclose(having.predict_proba(FRAMES), expected(FRAMES), atol=1e-5)


@pytest.mark.parametrize(
    "frames",
    [
        FRAMES.astype(np.float32),
        FRAMES.astype(np.int64),
        FRAMES[:, :27],
        FRAMES.reshape(-1, 784),
        FRAMES[..., None],
        [],
        "text",
    ],
)
def test_frames_of_other_kinds_are_refused(frames: object) -> None:
    with pytest.raises(DataError, match=r"frames of shape \(.*\) and dtype \S+; expected MNIST frames"):
        check_frames(frames)  # type: ignore[arg-type]


def test_a_single_frame_gets_the_hint_it_needs() -> None:
    with pytest.raises(DataError, match=r"leading axis: frame\[None\]"):
        check_frames(FRAMES[0])
    assert check_frames(FRAMES[0][None]).shape == (1, 28, 28)


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"shape": ("n", 32, 32)}, "takes frames"),
        ({"shape": ("n", 28, 28, 3)}, "takes frames"),
        ({"shape": (1, 28, 28)}, "takes frames"),
        ({"kind": TensorProto.DOUBLE}, "takes frames: tensor\\(double\\)"),
        ({"kind": TensorProto.INT32}, "takes frames"),
        ({"weights": WEIGHTS[:, :9]}, "gives probabilities"),
    ],
)
def test_other_inputs_and_outputs_are_refused(tmp_path: Path, change: dict[str, object], seen: str) -> None:
    with pytest.raises(ModelError, match=seen):
        OnnxClassifier(write_model(tmp_path / "m.onnx", **change))  # type: ignore[arg-type]


def test_files_that_are_no_model_are_refused(tmp_path: Path) -> None:
    whole = write_model(tmp_path / "whole.onnx").read_bytes()
    for name, content in (("cut", whole[: len(whole) // 2]), ("empty", b""), ("text", b"hello"), ("zero", bytes(99))):
        path = tmp_path / f"{name}.onnx"
        path.write_bytes(content)
        with pytest.raises(ModelError, match=f"{name}.onnx is not a model that ONNX Runtime can load") as caught:
            OnnxClassifier(path)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 400
    for path in (tmp_path / "missing.onnx", tmp_path):
        with pytest.raises(ModelError, match="no model can be read"):
            OnnxClassifier(path)


def test_outputs_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    broken = write_model(tmp_path / "m.onnx", weights=np.full_like(WEIGHTS, np.nan))
    with pytest.raises(ModelError, match="not a number"):
        OnnxClassifier(broken).predict_proba(FRAMES)


@pytest.mark.parametrize("count", [0, 1, 20])
def test_logits_become_probabilities_and_probabilities_stay(count: int) -> None:
    logits = RANDOM.normal(size=(count, 10)).astype(np.float32) * 40
    np.testing.assert_allclose(to_probabilities(logits, Path("m")), softmax(logits, axis=1), atol=1e-6)
    probabilities = softmax(logits, axis=1).astype(np.float32)
    np.testing.assert_array_equal(to_probabilities(probabilities, Path("m")), probabilities)
    for logit in (0.3, -0.1):  # within 0 and 1 yet not summing to 1; and below 0
        alike = np.full((count, 10), logit, np.float32)
        np.testing.assert_allclose(to_probabilities(alike, Path("m")), 0.1, atol=1e-6)
    sums_to_1 = np.tile(np.array([-0.5, 1.5, *[0.0] * 8], np.float32), (count, 1))
    np.testing.assert_allclose(to_probabilities(sums_to_1, Path("m")), softmax(sums_to_1, axis=1), atol=1e-6)
    unlike = [np.full((1 + count, 10), value) for value in (np.inf, -np.inf, np.nan)]
    for bad in (np.zeros(10), np.zeros((1 + count, 9)), *unlike):
        with pytest.raises(ModelError):
            to_probabilities(bad, Path("m"))


def test_scales() -> None:
    assert [check_scale("0-1"), check_scale("0-255")] == ["0-1", "0-255"]
    with pytest.raises(UsageError, match="--scale 0-2; expected 0-1 or 0-255"):
        check_scale("0-2")


def test_models_are_found_by_name_file_and_folder(tmp_path: Path) -> None:
    assert "classic" in shipped()
    assert find_model() in shipped().values()
    assert find_model("classic") == shipped()["classic"]
    assert find_model(tmp_path) == tmp_path / "model.onnx"
    assert find_model(str(tmp_path / "missing.onnx")) == tmp_path / "missing.onnx"
    with pytest.raises(UsageError, match=r"unknown model 'clasic'; expected a shipped name .*classic"):
        find_model("clasic")


def test_the_shipped_models_keep_the_contract(mini: object) -> None:
    """A sound one reads well over nine of ten digits of the sample."""
    (_, _), (frames, labels) = pendigit.load_data("mini")
    for name, path in shipped().items():
        content = onnx.load(path)
        (entry,) = content.graph.input
        assert entry.type.tensor_type.elem_type == TensorProto.UINT8
        assert [side.dim_value for side in entry.type.tensor_type.shape.dim][1:] == [28, 28]
        assert content.graph.output[0].name == "probabilities"
        classifier = pendigit.load_classifier(name)
        assert isinstance(classifier, OnnxClassifier)
        assert {"labels", "recipe", "data_digest", "versions"} <= classifier.metadata.keys()
        probabilities = classifier.predict_proba(frames)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
        assert (probabilities.argmax(axis=1) == labels).mean() > 0.95
