"""The public face: the few functions most people need. Heavy parts load on first use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pendigit.classifier import NO_DIGIT, Classifier, Frames, OnnxClassifier, Scale
from pendigit.models import find_model

if TYPE_CHECKING:
    from pendigit.learning.reporting import Reporter
    from pendigit.learning.run import Run
    from pendigit.reading.reader import Reader
    from pendigit.results import Evaluation

Part = tuple[Frames, Frames]


def load_data(data: str | Path = "mnist") -> tuple[Part, Part]:
    """Load labelled digits in the shape Keras gives them.

    Args:
        data: "mnist", "mini" (a sample inside the package), or a path: npz, IDX folder, CSV, class folders.

    Returns:
        `(x_train, y_train), (x_test, y_test)`; x uint8 (n, 28, 28) ink bright on black, y uint8 (n,).

    Raises:
        DataError: The data is out of reach, damaged, or not digits.
    """
    from pendigit.datasets import load_dataset

    dataset = load_dataset(data)
    return (dataset.x_train, dataset.y_train), (dataset.x_test, dataset.y_test)


def train(
    network: str | None = None,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    tensorboard: bool = False,
    reporter: Reporter | None = None,
    **options: Any,
) -> Run:
    """Train a network and fill a run folder; needs the extra [train].

    Args:
        network: Its name; by default "classic", the tutorials' network.
        out: The run folder; by default a new one, `runs/NETWORK`, numbered when there is one already.
        resume: Go on with the run in `out` (by default the latest of this network) after its last finished epoch.
        tensorboard: Also write TensorBoard event files into the folder.
        reporter: Hears of every block and epoch; by default nothing is printed.
        **options: Any field of `pendigit.recipes.TrainingOptions`: data, epochs, batch_size, lr, seed, ... What is not
            given is as the network's recipe has it.

    Returns:
        The run: its folder, its scores on the test part, its history.

    Raises:
        PendigitError: Bad options, data or folder, or a loss that diverges.
    """
    from pendigit.learning import folders, run
    from pendigit.recipes import TrainingOptions

    given = options | ({"network": network} if network else {})
    if resume:
        folder = Path(out) if out else folders.latest_folder(network or TrainingOptions.network)
        chosen = folders.options_to_resume(folder, given)
    else:
        chosen = TrainingOptions.of(**given)
        folder = Path(out) if out else folders.new_folder(chosen.network)
    return run.train(chosen, folder, resume=resume, tensorboard=tensorboard, reporter=reporter)


def evaluate(model: str | Path | None = None, data: str | Path = "mnist:test", scale: Scale = "0-1") -> Evaluation:
    """Score a model on labelled digits.

    Args:
        model: A shipped name, a run folder, or the path of an .onnx or .keras file; None for the default.
        data: A set and its part, such as "mnist:test" or "my.npz:train"; a set alone means its test part.
        scale: What a model made elsewhere wants its pixels to be; files of pendigit's contract scale inside.

    Raises:
        ModelError: The model cannot be used.
        DataError: The data cannot be used.
    """
    from pendigit.datasets.selection import parse_selection, select
    from pendigit.judging.evaluation import evaluate_frames

    text = str(data)
    selection = parse_selection(text if text.endswith((":train", ":test")) or ":test:" in text else f"{text}:test")
    frames, labels, _ = select(selection)
    digits = labels != NO_DIGIT
    return evaluate_frames(
        load_classifier(model, scale=scale, threads=0), frames[digits], labels[digits], str(selection)
    )


def load_classifier(model: str | Path | None = None, *, scale: Scale = "0-1", threads: int = 1) -> Classifier:
    """Load a classifier of MNIST frames: `predict(frames) -> (n,)`, `predict_proba(frames) -> (n, 10)`.

    Args:
        model: A shipped name, a run folder, or the path of an .onnx or .keras file; None for the default.
        scale: What a model made elsewhere wants its pixels to be.
        threads: Threads for one call; 0 takes all cores.

    Raises:
        ModelError: The file is missing, cut off, no model, or has other inputs or outputs.
        MissingExtraError: A .keras file, and the extra [train] is not installed.
    """
    path = find_model(model)
    if path.suffix == ".keras":
        from pendigit.learning.keras_classifier import KerasClassifier

        return KerasClassifier(path, scale)
    return OnnxClassifier(path, scale, threads)


def load_reader(model: str | Path | None = None, *, threads: int = 1) -> Reader:
    """Load a reader of pictures of any size, one digit each: `predict(images)`, `predict_proba(images)`.

    Args:
        model: A shipped name, a run folder, or the path of an .onnx file; None for the default.
        threads: Threads for one call; 0 takes all cores.

    Raises:
        ModelError: The file is missing, cut off, no model, or has other inputs or outputs.
    """
    from pendigit.reading.reader import load_reader as load

    return load(model, threads=threads)
