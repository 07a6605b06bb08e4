"""The seam: a classifier turns 28x28 frames into the probabilities of the ten digits.

The model contract, fixed for good. An ONNX file with

- one input: uint8 frames (n, 28, 28), ink bright (255) on black (0), in MNIST's frame;
- an output `probabilities`: float32 (n, 10), rows summing to 1; scaling, softmax and calibration temperature are
  inside the graph;
- optionally an output `digitness`: float32 (n,) in [0, 1], how surely the frame shows one digit at all;
- metadata, each a text: `labels`, `recipe`, `data_digest`, `versions`.

Files made elsewhere are taken too, when reshaping and scaling a frame gives what they ask for.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from pendigit.errors import DataError, ModelError, UsageError

Frames: TypeAlias = npt.NDArray[np.uint8]  # (n, 28, 28)
Probabilities: TypeAlias = npt.NDArray[np.float32]  # (n, 10)
Judgement: TypeAlias = tuple[Probabilities, npt.NDArray[np.float32] | None]  # and digitness (n,), where it is known
Scale: TypeAlias = Literal["0-1", "0-255"]  # what a network made elsewhere wants its pixels to be

SIDE = 28  # pixels: height and width of MNIST's frame
DIGITS = 10
NO_DIGIT = 10  # the label of a frame that shows no digit, or more than one
BATCH = 32  # frames: the committee's activations take 5 MB, of 128 frames 66 MB; larger batches gain it nothing
SUM_OFF = 1e-3  # the sums of probabilities in float16 are this far from 1
INPUT_SHAPES = ((SIDE, SIDE), (SIDE, SIDE, 1), (1, SIDE, SIDE), (SIDE * SIDE,))
_SHAPES_TEXT = "(n, 28, 28), (n, 28, 28, 1), (n, 1, 28, 28) or (n, 784)"


class Classifier(Protocol):
    """Anything that gives ten probabilities for each frame; its own subclasses need `name` and `judge` alone."""

    @property
    def name(self) -> str:
        """A short name for tables and messages."""

    def judge(self, frames: npt.ArrayLike) -> Judgement:
        """Frames (n, 28, 28) uint8 -> `predict_proba` and `digitness` from one run of the network. Raises DataError."""

    def predict_proba(self, frames: npt.ArrayLike) -> Probabilities:
        """Frames (n, 28, 28) uint8, ink bright on black -> probabilities (n, 10) float32. Raises DataError."""
        return self.judge(frames)[0]

    def predict(self, frames: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Frames (n, 28, 28) uint8 -> the most probable digits (n,). Raises DataError."""
        return np.asarray(self.predict_proba(frames).argmax(axis=1), np.int64)

    def digitness(self, frames: npt.ArrayLike) -> npt.NDArray[np.float32] | None:
        """Frames (n, 28, 28) uint8 -> how surely each shows one digit, (n,) in [0, 1]; None where that is unknown."""
        return self.judge(frames)[1]


def check_frames(frames: npt.ArrayLike) -> Frames:
    """Return `frames` as an array if they are uint8 (n, 28, 28). Raises DataError."""
    array = np.asarray(frames)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[1:] != (SIDE, SIDE):
        one = " (a single frame needs a leading axis: frame[None])" if array.shape == (SIDE, SIDE) else ""
        raise DataError(
            f"frames of shape {array.shape} and dtype {array.dtype}{one}",
            "MNIST frames (n, 28, 28) uint8, ink bright on black",
            "pass MNIST frames as they are, or pictures to load_reader()",
        )
    return array


def check_scale(scale: str) -> Scale:
    """Return `scale` if it is one. Raises UsageError."""
    known: tuple[Scale, ...] = get_args(Scale)
    for each in known:
        if scale == each:
            return each
    raise UsageError(f"--scale {scale}", " or ".join(get_args(Scale)), "choose what the model was trained on")


class OnnxClassifier(Classifier):
    """A model file run by ONNX Runtime.

    Args:
        path: The `.onnx` file.
        scale: What a model made elsewhere wants its pixels to be; a file of the contract scales inside.
        threads: Threads for one call; 0 takes all cores.

    Raises:
        ModelError: The file is missing, cut off, no model, or has other inputs or outputs.
    """

    def __init__(self, path: str | Path, scale: Scale = "0-1", threads: int = 1) -> None:
        self.path = Path(path)
        self._session, self.digest = open_model(self.path, threads)
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        self._input, self._shape, self._dtype = _input_of(self._session, self.path)
        self._outputs = _outputs_of(self._session, self.path)
        self._scale = scale

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @property
    def has_digitness(self) -> bool:
        """Whether the model also says how surely a frame shows one digit at all."""
        return "digitness" in self._outputs

    def judge(self, frames: npt.ArrayLike) -> Judgement:
        """Frames (n, 28, 28) uint8 -> `predict_proba` and `digitness` from one run of the network. Raises DataError."""
        checked = check_frames(frames)
        if len(checked) == 0:
            return np.empty((0, DIGITS), np.float32), np.empty(0, np.float32) if self.has_digitness else None
        parts = []
        for start in range(0, len(checked), BATCH):
            pixels = adapt(checked[start : start + BATCH], self._shape, self._dtype, self._scale)
            parts.append(self._session.run(self._outputs, {self._input: pixels}))
        outputs, *digitness = parts[0] if len(parts) == 1 else map(np.concatenate, zip(*parts, strict=True))
        return to_probabilities(outputs, self.path), digitness[0] if digitness else None


def adapt(frames: Frames, shape: tuple[int, ...], dtype: npt.DTypeLike, scale: Scale) -> npt.NDArray[Any]:
    """Frames (n, 28, 28) uint8 -> what a model asks for: (n, *shape) of `dtype`, scaled unless it is uint8."""
    pixels = frames.reshape(len(frames), *shape)
    if dtype == np.uint8:
        return pixels
    floats = pixels.astype(dtype)
    return floats / np.asarray(255, dtype) if scale == "0-1" else floats


def to_probabilities(outputs: npt.NDArray[Any], source: Path) -> Probabilities:
    """Logits or probabilities (n, 10) -> probabilities (n, 10) float32.

    Rows in [0, 1] that sum to 1 are probabilities already; anything else finite is taken as logits. Raises ModelError.
    """
    values = outputs.astype(np.float32, copy=False)
    shaped = outputs.ndim == 2 and outputs.shape[1] == DIGITS
    if shaped and _are_probabilities(values):
        return values
    if not shaped or not np.isfinite(outputs).all():
        raise ModelError(
            f"{source} answered with shape {outputs.shape}, {np.isnan(outputs).sum()} of the values not a number",
            "ten finite values for each frame",
            "use a classifier of the digits 0-9",
        )
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _are_probabilities(values: npt.NDArray[np.float32]) -> bool:
    """Whether rows (n, 10) are positive and sum to 1; False where a value is not a number."""
    if len(values) == 1:  # as many steps of NumPy would take as long as a small network
        row = values[0].tolist()
        return bool(abs(sum(row) - 1) < SUM_OFF and min(row) >= 0)
    return len(values) == 0 or bool(abs(values.sum(axis=1) - 1).max() < SUM_OFF and values.min() >= 0)


def frame_shape(shape: tuple[Any, ...]) -> tuple[int, ...] | None:
    """The per-frame part of a model's input shape if a frame can be reshaped to it, else None."""
    rest = tuple(shape[1:])
    return rest if rest in INPUT_SHAPES else None


def open_model(path: Path, threads: int) -> tuple[Any, str]:
    """A model file -> ONNX Runtime's session for it and the file's SHA-256. Raises ModelError."""
    content = _content(path)
    return _session(content, path, threads), hashlib.sha256(content).hexdigest()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"no model can be read at {path} ({error.strerror})",
            "an .onnx file or the name of a shipped model",
            "check the path, or leave --model out for the default",
        ) from error


def _session(content: bytes, path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it would keep what the largest batch ever took
    options.log_severity_level = 4  # fatal only: what matters is raised
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads leave the cores alone
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no other base
        reason = str(error).split("\n", maxsplit=1)[0].split(" : ")[-1][:120]
        raise ModelError(
            f"{path} is not a model that ONNX Runtime can load ({reason})",
            "a whole .onnx file",
            "export or download it again",
        ) from error


def _input_of(session: Any, path: Path) -> tuple[str, tuple[int, ...], type[np.generic]]:
    """The name, per-frame shape and dtype of the one input. Raises ModelError."""
    dtypes: dict[str, type[np.generic]] = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32}
    inputs = session.get_inputs()
    if len(inputs) == 1 and inputs[0].type in dtypes:
        shape = frame_shape(tuple(inputs[0].shape))
        if shape is not None and not isinstance(inputs[0].shape[0], int):
            return inputs[0].name, shape, dtypes[inputs[0].type]
    raise ModelError(
        f"{path} takes {', '.join(f'{i.name}: {i.type} {i.shape}' for i in inputs)}",
        f"one input of uint8 or float32 {_SHAPES_TEXT}, n free",
        "export the model with such an input",
    )


def _outputs_of(session: Any, path: Path) -> tuple[str, ...]:
    """The names of the outputs used: the ten values first, then `digitness` if there is one. Raises ModelError."""
    outputs = session.get_outputs()
    names = [output.name for output in outputs]
    tens = [output.name for output in outputs if len(output.shape) == 2 and output.shape[1] == DIGITS]
    main = "probabilities" if "probabilities" in tens else tens[0] if len(tens) == 1 else None
    if main is None:
        raise ModelError(
            f"{path} gives {', '.join(f'{o.name}: {o.shape}' for o in outputs)}",
            "one output (n, 10)",
            "use a classifier of the digits 0-9",
        )
    return (main, "digitness") if "digitness" in names else (main,)
