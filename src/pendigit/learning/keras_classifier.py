"""A .keras file as a classifier, also one made elsewhere."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from pendigit.classifier import BATCH, DIGITS, Classifier, Judgement, Scale, adapt, check_frames, to_probabilities
from pendigit.errors import ModelError
from pendigit.learning.export import check_shapes, ends_in_softmax, knows_digitness, sigmoid


class KerasClassifier(Classifier):
    """A Keras network run by Keras: slower to load than the ONNX file, and takes what Keras can open.

    Args:
        path: The `.keras` file. Code inside it (Lambda layers) is never run.
        scale: What the network wants its pixels to be.

    Raises:
        ModelError: The file is missing, damaged, asks for code to be run, or has other inputs or outputs.
    """

    def __init__(self, path: str | Path, scale: Scale = "0-1") -> None:
        self.path = Path(path)
        self.model = load_keras(self.path)
        self._shape = tuple(self.model.inputs[0].shape[1:])
        self._scale = scale

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    def judge(self, frames: npt.ArrayLike) -> Judgement:
        """Frames (n, 28, 28) uint8 -> `predict_proba` and `digitness` from one run of the network. Raises DataError."""
        outputs = self._outputs(frames)
        surely = sigmoid(outputs[:, DIGITS]) if knows_digitness(self.model) else None
        return to_probabilities(outputs[:, :DIGITS], self.path), surely

    def _outputs(self, frames: npt.ArrayLike) -> npt.NDArray[np.float32]:
        array = check_frames(frames)
        if len(array) == 0:
            return np.empty((0, *self.model.outputs[0].shape[1:]), np.float32)
        pixels = adapt(array, self._shape, np.float32, self._scale)
        return np.asarray(self.model.predict(pixels, batch_size=BATCH, verbose=0))


def load_teacher(model: str) -> keras.Model:
    """The network of a run folder or a .keras file, ending in logits. Raises ModelError, UsageError."""
    path = Path(model).expanduser()
    teacher = load_keras(path / "model.keras" if path.is_dir() else path)
    if ends_in_softmax(teacher):
        raise ModelError(
            f"the teacher {model} ends in a softmax", "one that ends in logits", "train one without --softmax"
        )
    return teacher


def load_keras(path: Path) -> keras.Model:
    """Open a .keras file without running code it may hold. Raises ModelError unless it maps a frame to ten values."""
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever its zip, JSON, HDF5 and layers raise
        reason = str(error).split("\n", maxsplit=1)[0][:160]
        raise ModelError(
            f"{path} cannot be opened by Keras ({reason})",
            "a whole .keras file without Lambda layers",
            "check the path, or save it again with model.save",
        ) from error
    check_shapes(model)
    return model
