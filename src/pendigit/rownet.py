"""The seam for whole rows: a row network turns a row's frame into what stands at each of its columns.

The model contract. An ONNX file with

- one input `rows`: uint8 (n, 32, W), W a multiple of 4, as `rowframe.to_row` makes them;
- one output `log_probabilities`: float32 (n, W / 2, 12): for every second column the ten digits, another sign, and
  nothing, in nats. Between two signs there is nothing, or another class: reading along the most probable classes,
  without repetitions and nothings, gives the row (connectionist temporal classification).
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.classifier import open_model
from pendigit.errors import ModelError
from pendigit.ink import Flags, Grey
from pendigit.rowframe import BLANK, CLASSES, COLUMN, OTHER, ROW_HEIGHT, STRIDE, runs, slanted, with_paper

SLANTS = (-0.2, 0.2)  # columns to the right by rows up
SURE = 0.95  # probability: of 614 rows so sure none was read differently with its slants
BESIDE, CONTEXT = 4, 12  # columns: what is in doubt is judged again with these beside it, and seen with those
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
        """A frame (32, W) -> log probabilities (T, 12): the row's own, and where these leave doubt the mean of several.

        What a hand's slant makes doubtful is clear in the same row slanted to one side; a slant leaves each sign in its
        column. That nothing stands in a column counts a little less than the network says.

        Rows are not read in batches: on one core that gains nothing, and short rows would be as long as the longest.
        """
        width = row.shape[1]
        ended = with_paper(row, max(PAPER, NARROWEST - width))
        seen = self.logits(ended[None])[0]
        chances = np.exp(seen)
        again = _widened(doubtful(seen), BESIDE)
        for first, end in runs(_widened(again, CONTEXT)):
            there = first + np.flatnonzero(again[first:end])
            chances[there] += self._leaning(ended, first, end)[there - first]
            chances[there] /= 1 + len(SLANTS)
        together: LogProbabilities = np.log(chances[: width // COLUMN] + TINY)
        together[:, BLANK] -= FULLER
        return together - np.logaddexp.reduce(together, axis=-1, keepdims=True)

    def _leaning(self, row: Grey, first: int, end: int) -> npt.NDArray[np.float32]:
        """Probabilities (end - first, 12) of some columns of a frame, summed over its slants."""
        left, right = first * COLUMN // STRIDE * STRIDE, -(-end * COLUMN // STRIDE) * STRIDE
        parts = np.stack([slanted(row, slant)[:, left:right] for slant in SLANTS])
        before = first - left // COLUMN
        summed: npt.NDArray[np.float32] = np.exp(self.logits(parts)).sum(axis=0)[before : before + end - first]
        return summed


def doubtful(columns: LogProbabilities) -> Flags:
    """Log probabilities (T, 12) -> the columns (T,) that leave doubt which digits a row has, though not where.

    Either a column may hold two digits, or it may hold one that no column of the same run surely holds.
    """
    digits = np.exp(columns[:, :OTHER])
    may_stand = digits > 1 - SURE
    sign = np.where(may_stand.any(axis=1), digits.argmax(axis=1), OTHER)
    starts = np.flatnonzero(np.diff(sign, prepend=-1))
    peaks = np.repeat(np.maximum.reduceat(digits.max(axis=1), starts), np.diff(starts, append=len(sign)))
    return np.asarray((may_stand.sum(axis=1) > 1) | (sign != OTHER) & (peaks < SURE))


def _widened(flags: Flags, columns: int) -> Flags:
    """The flags (T,), and as many columns to either side of each."""
    near = np.ones((1, 2 * columns + 1), np.uint8)
    return np.asarray(cv2.dilate(flags.astype(np.uint8)[None], near)[0] > 0)
