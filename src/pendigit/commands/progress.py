"""A training's and a table's progress in the terminal."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

if TYPE_CHECKING:
    from pendigit.learning.checkpoint import EpochRecord
    from pendigit.learning.training import Progress

QUIET_SECONDS = 10.0  # how often a long epoch gives a line where no bar can be drawn


class _Live:
    """A bar that lives while something runs; where there is no terminal, a line now and then."""

    auto_refresh = True

    def __init__(self, name: str, state: str) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live = self._console.is_terminal
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[state]}"),
            console=self._console,
            auto_refresh=self.auto_refresh,
            transient=True,
            disable=not self._live,
        )
        self._task = self._bar.add_task(name, total=None, state=state)
        self._said = time.perf_counter()
        self._began, self._first = self._said, 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def _speed(self, done: int, total: int) -> str:
        """Rate and time left, from the second call on: what came before holds compilations and starts of processes."""
        now = time.perf_counter()
        if not self._first or done < self._first:  # or another count has begun
            self._began, self._first = now, done
        rate = (done - self._first) / (now - self._began) if now > self._began else 0.0
        if not rate:
            return ""
        return f"  {rate:,.{0 if rate >= 100 else 1}f} images/s  {_clock((total - done) / rate)} left"

    def _say(self, line: str, force: bool = False) -> None:
        """A line where no bar can be drawn, if the last one is some time ago, or that must be said."""
        now = time.perf_counter()
        if force or (not self._live and now - self._said > QUIET_SECONDS):
            self._console.print(line, soft_wrap=True)
            self._said = now


class TrainingProgress(_Live):
    """A bar that lives while an epoch runs, and a line for each epoch; lines alone where there is no terminal."""

    auto_refresh = False  # a thread of its own would take time from the training

    def __init__(self) -> None:
        super().__init__("epoch", "compiling …")

    def progress(self, epoch: int, epochs: int, count: int, progress: Progress) -> None:
        """Show where the epoch stands."""
        speed = self._speed(epoch * count + progress.seen, epochs * count)
        state = f"loss {progress.loss:.4f}  accuracy {progress.accuracy:.2%}{speed}"
        shown = f"epoch {epoch + 1}/{epochs}"
        self._bar.update(self._task, completed=progress.seen, total=count, description=shown, state=state, refresh=True)
        if progress.seen < count:
            self._say(f"{shown}  {progress.seen / count:4.0%}  {state}")

    def epoch(self, record: EpochRecord, epochs: int) -> None:
        """Leave one line for the epoch that is done."""
        line = f"epoch {record.epoch}/{epochs}  loss {record.loss:.4f}  accuracy {record.accuracy:.2%}"
        if record.val_loss is not None and record.val_accuracy is not None:
            line += f"  validation {record.val_loss:.4f} {record.val_accuracy:.2%}"
        self._say(f"{line}  {record.seconds:.1f} s", force=True)


class TableProgress(_Live):
    """A bar that lives while a table grows; lines alone where there is no terminal."""

    def __init__(self) -> None:
        super().__init__("reading", "looking for images …")

    def reading(self, done: int, total: int, failed: int) -> None:
        """Show how many images are done."""
        state = f"{done:,} of {total:,}{self._speed(done, total)}"
        if failed:
            state += f"  {failed:,} not read"
        self._bar.update(self._task, total=total, completed=done, state=state)
        if done < total:
            self._say(f"reading  {state}")

    def publishing(self) -> None:
        """Say that the table is being written."""
        self._bar.update(self._task, state="writing the table …")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes else f"{rest} s"
