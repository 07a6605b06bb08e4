"""The seam for whole rows: a row network turns a row's frame into what stands at each of its columns.

The model contract. An ONNX file with

- one input `rows`: uint8 (n, 32, W), W a multiple of 4, as `rowframe.to_row` makes them;
- one output `log_probabilities`: float32 (n, W / 2, 12): for every second column the ten digits, another sign, and
  nothing, in nats. Between two signs there is nothing, or another class: reading along the most probable classes,
  without repetitions and nothings, gives the row (connectionist temporal classification).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pendigit.classifier import open_model
from pendigit.errors import ModelError
from pendigit.ink import Grey
from pendigit.rowframe import BLANK, CLASSES, COLUMN, ROW_HEIGHT, slanted, stack_rows

SLANTS = (0.0, -0.2, 0.2)  # columns to the right by rows up
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

    def logits(self, rows: Sequence[Grey] | Grey) -> LogProbabilities:
        """Frames (32, W) uint8 of any widths -> log probabilities (n, T, 12); T is half of the widest.

        What a narrower row has no columns for is paper, of which the network says that nothing is there. `judge` gives
        the same of better quality.
        """
        batch = stack_rows(list(rows))
        if not len(batch):
            return np.empty((0, 0, CLASSES), np.float32)
        answer: LogProbabilities = self._session.run(None, {self._session.get_inputs()[0].name: batch})[0]
        return answer

    def judge(self, rows: Sequence[Grey] | Grey) -> LogProbabilities:
        """As `logits`: the mean over each row and the same row slanted either way, column by column.

        What a hand's slant makes doubtful is clear in one of them. A slant leaves each sign in its column. That nothing
        stands in a column counts a little less than the network says.
        """
        seen = [self.logits([slanted(row, slant) for row in rows]) for slant in SLANTS]
        together: LogProbabilities = np.log(np.mean(np.exp(seen), axis=0) + TINY)
        together[..., BLANK] -= FULLER
        return together - np.logaddexp.reduce(together, axis=-1, keepdims=True)
