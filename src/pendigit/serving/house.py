"""What a running server holds: its lanes, its corrections, what it counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pendigit import models
from pendigit.errors import UsageError
from pendigit.serving.corrections import Corrections
from pendigit.serving.digits import DigitJob, load, read_digits
from pendigit.serving.lanes import Lane
from pendigit.serving.metrics import Metrics
from pendigit.serving.pages import LoadModel
from pendigit.serving.problems import UnknownError
from pendigit.serving.processes import Task, WorkProcess
from pendigit.serving.settings import Settings

BATCH = 16  # digits: the network gains little from more, and the first of them waits for the last


class House:
    """Everything behind the routes. It opens when the server starts and closes when it ends.

    Args:
        settings: What the server is asked to be.

    Raises:
        UsageError, ModelError: The model cannot be used.
        OutputError: The corrections cannot be kept.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.model = models.find_model(settings.model)
        load(self.model)
        self.metrics = Metrics()
        self.store = Corrections(settings.store) if settings.store else None

    def open(self) -> None:
        """Start the threads and the processes behind them."""
        wait, workers = self.settings.seconds, range(self.settings.workers)
        self.digits: Lane[DigitJob, dict[str, Any]] = Lane(
            "digits", [read_digits for _ in workers], room=self.settings.digits_waiting, seconds=wait, batch=BATCH
        )
        self._processes = [WorkProcess(self.settings.page_seconds, LoadModel(self.model)) for _ in workers]
        self.pages: Lane[Task, Any] = Lane("pages", self._processes, room=self.settings.pages_waiting, seconds=wait)
        self.metrics.watch({"digits": self.digits, "pages": self.pages})

    def close(self) -> None:
        """Finish what is under way and let go of everything."""
        self.digits.close()
        self.pages.close()
        for process in self._processes:
            process.close()
        if self.store is not None:
            self.store.close()

    def model_named(self, name: str | None) -> Path:
        """The file of a model that ships, or of the server's own. Never a path: files are the server's business."""
        shipped = models.shipped()
        if name is None or name == self.model.stem:
            return self.model
        if name not in shipped:
            raise UsageError(f"unknown model {name!r}", " or ".join(shipped), "see GET /v1/models")
        return shipped[name]

    @property
    def corrections(self) -> Corrections:
        """The corrections. Raises UnknownError where none are kept."""
        if self.store is None:
            raise UnknownError("corrections", "a server that keeps them", "start it without --no-store")
        return self.store
