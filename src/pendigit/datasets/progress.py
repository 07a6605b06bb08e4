"""What a person sees while a set is fetched or made: a bar on a terminal, one plain line elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self


class FetchProgress:
    """Shown on standard error between entering and leaving. Thread-safe."""

    def __init__(self, message: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=self._console, transient=True, disable=not self._console.is_terminal)
        self._message = message

    def __enter__(self) -> Self:
        self._console.print(self._message, markup=False)
        self._bar.start()
        self._task = self._bar.add_task("", total=None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def trying(self, source: str) -> None:
        """Name the source that is tried now; its size is not known yet."""
        self._bar.reset(self._task, description=source, total=None)

    def received(self, done: int, total: int) -> None:
        """Tell how many bytes have come; a `total` of 0 means that it is not known."""
        self._bar.update(self._task, completed=done, total=total or None)


@contextmanager
def making(message: str) -> Iterator[Callable[[int, int], None]]:
    """Shown on standard error while a set is made; what is given hears of frames made and frames in all."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(message, markup=False)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
