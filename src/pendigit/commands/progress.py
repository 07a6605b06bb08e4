"""A training's and a table's progress in the terminal."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

if TYPE_CHECKING:
    from pendigit.learning.checkpoint import EpochRecord
    from pendigit.learning.training import Progress

QUIET_SECONDS = 10.0  # how often a long epoch gives a line where no bar can be drawn


class TrainingProgress:
    """A bar that lives while an epoch runs, and a line for each epoch; lines alone where there is no terminal."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live = self._console.is_terminal
        self._bar = Bar(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[state]}"),
            console=self._console,
            auto_refresh=False,
            transient=True,
            disable=not self._live,
        )
        self._task = self._bar.add_task("training", total=1.0, epoch="", state="compiling …")
        self._began = self._said = time.perf_counter()
        self._trained = 0

    def __enter__(self) -> TrainingProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def progress(self, epoch: int, epochs: int, count: int, progress: Progress) -> None:
        """Show where the epoch stands."""
        now = time.perf_counter()
        first = self._trained == 0
        done = epoch * count + progress.seen
        if first:  # the first block holds the compilation, which no later one repeats
            self._began, self._trained = now, done
        rate = (done - self._trained) / (now - self._began) if now > self._began else 0.0
        left = (epochs * count - done) / rate if rate else 0.0
        state = f"loss {progress.loss:.4f}  accuracy {progress.accuracy:.2%}"
        if rate:
            state += f"  {rate:,.0f} images/s  {_clock(left)} left"
        shown = f"{epoch + 1}/{epochs}"
        self._bar.update(self._task, completed=progress.seen / count, epoch=shown, state=state, refresh=True)
        if not self._live and progress.seen < count and now - self._said > QUIET_SECONDS:
            self._console.print(f"epoch {shown}  {progress.seen / count:4.0%}  {state}", soft_wrap=True)
            self._said = now

    def epoch(self, record: EpochRecord, epochs: int) -> None:
        """Leave one line for the epoch that is done."""
        line = f"epoch {record.epoch}/{epochs}  loss {record.loss:.4f}  accuracy {record.accuracy:.2%}"
        if record.val_loss is not None and record.val_accuracy is not None:
            line += f"  validation {record.val_loss:.4f} {record.val_accuracy:.2%}"
        self._console.print(f"{line}  {record.seconds:.1f} s", soft_wrap=True)
        self._said = time.perf_counter()


class TableProgress:
    """A bar that lives while a table grows; lines alone where there is no terminal."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live = self._console.is_terminal
        self._bar = Bar(
            TextColumn("reading"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[state]}"),
            console=self._console,
            transient=True,
            disable=not self._live,
        )
        self._task = self._bar.add_task("reading", total=None, state="looking for images …")
        self._began = self._said = time.perf_counter()
        self._first = 0

    def __enter__(self) -> TableProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def listing(self) -> None:
        """Wait for the first number."""

    def reading(self, done: int, total: int, failed: int) -> None:
        """Show how many images are done."""
        now = time.perf_counter()
        if not self._first:  # the first answers come after the start of the workers, which no later ones wait for
            self._began, self._first = now, done
        rate = (done - self._first) / (now - self._began) if now > self._began else 0.0
        state = f"{done:,} of {total:,}"
        if rate:
            state += f"  {rate:,.1f} images/s  {_clock((total - done) / rate)} left"
        if failed:
            state += f"  {failed:,} not read"
        self._bar.update(self._task, total=total, completed=done, state=state)
        if not self._live and done < total and now - self._said > QUIET_SECONDS:
            self._console.print(f"reading  {state}", soft_wrap=True)
            self._said = now

    def publishing(self) -> None:
        """Say that the table is being written."""
        self._bar.update(self._task, state="writing the table …")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes else f"{rest} s"
