"""The seam for whole rows: a row network turns a row's frame into what stands at each of its columns.

The model contract. An ONNX file with

- one input `rows`: uint8 (n, 32, W), W a multiple of 4, as `rowframe.to_row` makes them;
- one output `log_probabilities`: float32 (n, W / 2, 12): for every second column the ten digits, another sign, and
  nothing, in nats. Between two signs there is nothing, or another class: reading along the most probable classes,
  without repetitions and nothings, gives the row (connectionist temporal classification).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from pendigit.classifier import open_model
from pendigit.errors import ModelError
from pendigit.ink import Grey
from pendigit.rowframe import BLANK, CLASSES, COLUMN, OTHER, ROW_HEIGHT, slanted

SLANTS = (-0.2, 0.2)  # columns to the right by rows up
SURE = 0.95  # probability: of 614 rows so sure none was read differently with its slants
PAPER, NARROWEST = 8, 48  # pixels: left after a row, and its length at least; the network was taught on longer frames
TINY = np.float32(1e-12)  # less likely is never told apart
FULLER = np.float32(0.3)  # nats off nothing: of 98 touching rows misread 56 lacked a digit, 2 had one too many
LogProbabilities = npt.NDArray[np.float32]  # (n, T, 12) or (T, 12)


class RowNetwork:
    """A row network's file run by ONNX Runtime.

    Args:
        path: The `.onnx` file.
        threads: Threads for one call; 0 takes all cores.

    Raises:
        ModelError: The file is missing, cut off, or no row network.
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        self.path = Path(path)
        self._session = open_model(self.path, threads)[0]
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        shapes = [tuple(each.shape) for each in (*self._session.get_inputs(), *self._session.get_outputs())]
        if len(shapes) != 2 or shapes[0][1:2] != (ROW_HEIGHT,) or shapes[1][2:] != (CLASSES,):
            raise ModelError(
                f"{path} has inputs and outputs of {shapes}",
                f"rows (n, {ROW_HEIGHT}, W) in, log probabilities (n, W / {COLUMN}, {CLASSES}) out",
                "use a row network",
            )

    def logits(self, frames: Grey) -> LogProbabilities:
        """Frames (n, 32, W) uint8 of one width -> log probabilities (n, W / 2, 12). `judge` gives better ones."""
        answer: LogProbabilities = self._session.run(None, {self._session.get_inputs()[0].name: frames})[0]
        return answer

    def judge(self, row: Grey) -> LogProbabilities:
        """A frame (32, W) -> log probabilities (T, 12): the row's own, or where these leave doubt, the mean of several.

        What a hand's slant makes doubtful is clear in the same row slanted to one side; a slant leaves each sign in its
        column. That nothing stands in a column counts a little less than the network says.

        Rows are not read in batches: on one core that gains nothing, and short rows would be as long as the longest.
        """
        width = row.shape[1]
        ended = np.pad(row, ((0, 0), (0, max(PAPER, NARROWEST - width))))
        seen = self.logits(ended[None])[:, : width // COLUMN]
        if not is_sure(seen[0]):
            leaning = self.logits(np.stack([slanted(ended, slant) for slant in SLANTS]))[:, : width // COLUMN]
            seen = np.concatenate([seen, leaning])
        together: LogProbabilities = np.log(np.mean(np.exp(seen), axis=0) + TINY)
        together[:, BLANK] -= FULLER
        return together - np.logaddexp.reduce(together, axis=-1, keepdims=True)


def is_sure(columns: LogProbabilities) -> bool:
    """Whether log probabilities (T, 12) leave no doubt about a row's digits, though they may about their place.

    No column may hold two digits, and each run of columns that may hold one has a column that surely does.
    """
    digits = np.exp(columns[:, :OTHER])
    may_stand = digits > 1 - SURE
    if (may_stand.sum(axis=1) > 1).any():
        return False
    sign = np.where(may_stand.any(axis=1), digits.argmax(axis=1), OTHER)
    starts = np.flatnonzero(np.diff(sign, prepend=-1))
    peaks = np.maximum.reduceat(digits.max(axis=1), starts)
    return bool((peaks[sign[starts] != OTHER] >= SURE).all())
