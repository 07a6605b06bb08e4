"""Ray: a laptop's cores or a cluster's, by the same reader."""

from __future__ import annotations

import json
import logging
import os
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from pendigit.batches.record import Record
from pendigit.batches.settings import Answer, Item, Settings
from pendigit.errors import UsageError
from pendigit.extras import load

BLOCK = 64  # images of a task: of small ones a second's work, after which a lost worker's task begins again
REACH_SECONDS = 5.0  # for a first connection
STARTS = 3  # tries
ENVIRONMENT = {
    "RAY_gcs_rpc_server_connect_timeout_s": "10",  # for Ray's own connection, once something answers
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # what Ray would warn of
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
}


def read_on_ray(
    items: Iterable[Item], settings: Settings, address: str | None, workers: int | None
) -> Iterator[list[Answer]]:
    """Read images on Ray; answers come in any order. A worker's images are read again by another if it is lost.

    Args:
        items: Paths that every node can open: a shared folder's, or URLs.
        settings: How to read; the model file is sent along.
        address: A cluster's `host:port` or `ray://host:port`; None starts Ray on this machine.
        workers: How many images are read at a time; None for one on each core.

    Raises:
        UsageError: No cluster answers at the address.
        MissingExtraError: The extra [ray] is not installed.
    """
    ray = load("ray", "ray")
    pyarrow = load("ray", "pyarrow")
    data = load("ray", "ray.data")
    is_ours = _connect(ray, address)
    try:
        context = data.DataContext.get_current()
        context.enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        each = iter(items)
        blocks = []
        while block := list(islice(each, BLOCK)):
            paths, digests = zip(*block, strict=True)
            blocks.append(ray.put(pyarrow.table({"path": paths, "digest": pyarrow.array(digests, pyarrow.string())})))
        if not blocks:
            return
        most = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        answered = data.from_arrow_refs(blocks).map_batches(
            _RayWorker,
            fn_constructor_args=(settings, settings.model.read_bytes()),
            batch_size=None,
            batch_format="pyarrow",
            concurrency=min(most, len(blocks)),
            num_cpus=1,
        )
        for batch in answered.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=2):
            yield [_answer(*pair) for pair in zip(*(column.to_pylist() for column in batch.columns), strict=True)]
    finally:
        if is_ours:
            ray.shutdown()


def _answer(path: str, record: str | None) -> Answer:
    return path if record is None else Record.from_dict(json.loads(record))


class _RayWorker:
    """An actor: loads the model once, then reads blocks of paths."""

    def __init__(self, settings: Settings, model: bytes) -> None:
        from pendigit.batches.worker import Worker

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, settings.model.name)
            path.write_bytes(model)
            self._worker = Worker(replace(settings, model=path))

    def __call__(self, block: Any) -> Any:
        import pyarrow

        items = list(zip(block["path"].to_pylist(), block["digest"].to_pylist(), strict=True))
        answers = [
            (answer, None) if isinstance(answer, str) else (answer.path, json.dumps(answer.to_dict()))
            for answer in self._worker.read(items)
        ]
        paths, records = zip(*answers, strict=True)
        return pyarrow.table({"path": paths, "record": pyarrow.array(records, pyarrow.string())})


def _connect(ray: Any, address: str | None) -> bool:
    """Join a cluster, or start one here; False within a program that has. Raises UsageError naming the address."""
    if ray.is_initialized():
        return False
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    quiet = {"logging_level": logging.CRITICAL, "log_to_driver": False}
    if address is None:
        _start(lambda: ray.init(address="local", include_dashboard=False, **quiet), ray.shutdown)
        return True
    try:
        _reach(address)
        ray.init(address=address, **quiet)
    except Exception as error:  # Ray's errors of connecting share no other base
        raise UsageError(
            f"no Ray cluster answers at {address} ({_first_line(error)})",
            "the head node's host:port",
            "see `ray status` there, or leave --address out for this machine",
        ) from error
    return True


def _start(start: Callable[[], object], stop: Callable[[], object]) -> None:
    """Start Ray here, again if that took too long: it gives its own processes 30 seconds."""
    for attempt in range(1, STARTS + 1):
        try:
            start()
            return
        except Exception as error:  # Ray's errors of starting share no other base
            stop()
            if attempt == STARTS:
                raise UsageError(
                    f"Ray did not start on this machine ({_first_line(error)})",
                    "cores and memory to spare",
                    "wait for other work to end, or read without --engine ray",
                ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0]


def _reach(address: str) -> None:
    """See whether anything listens; Ray itself would try for long. Raises OSError, ValueError."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon:  # other words, such as `auto`, are Ray's own
        socket.create_connection((host.strip("[]"), int(port)), REACH_SECONDS).close()
