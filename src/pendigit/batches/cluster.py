"""Ray: a laptop's cores or a cluster's, by the same reader."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from pendigit.batches.joining import joined
from pendigit.batches.record import Record
from pendigit.batches.settings import Answer, Item, Settings
from pendigit.extras import load

BLOCK = 64  # images of a task: of small ones a second's work, after which a lost worker's task begins again
AT_ONCE = 2**20  # images that Ray knows of: it keeps something of each task until all are done


def read_on_ray(
    items: Iterable[Item], settings: Settings, address: str | None, workers: int | None
) -> Iterator[list[Answer]]:
    """Read images on Ray; answers come in any order. A worker's images are read again by another if it is lost.

    Args:
        items: Paths that every node can open: a shared folder's, or URLs.
        settings: How to read; the model file is sent along.
        address: A cluster's `host:port`, from one of its nodes; None starts Ray on this machine.
        workers: How many images are read at a time; None for one on each core.

    Raises:
        UsageError: No cluster answers at the address.
        MissingExtraError: The extra [ray] is not installed.
    """
    with joined(address) as ray:
        data = load("ray", "ray.data")
        context = data.DataContext.get_current()
        context.enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        each = iter(items)
        while blocks := list(_blocks(islice(each, AT_ONCE))):
            most = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
            # One block an item: blocks of Arrow's would first be looked at by processes that start for it alone.
            answered = data.from_items(blocks, override_num_blocks=len(blocks)).map_batches(
                _RayWorker,
                fn_constructor_args=(settings, settings.model.read_bytes()),
                batch_size=None,
                batch_format="pyarrow",
                concurrency=min(most, len(blocks)),
                num_cpus=1,
            )
            for batch in answered.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=2):
                yield [_answer(*pair) for pair in zip(*(column.to_pylist() for column in batch.columns), strict=True)]


def _blocks(items: Iterator[Item]) -> Iterator[dict[str, tuple[str | None, ...]]]:
    """The paths and digests of so many items at a time."""
    while block := list(islice(items, BLOCK)):
        paths, digests = zip(*block, strict=True)
        yield {"paths": paths, "digests": digests}


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

        items = [item for each in block.to_pylist() for item in zip(each["paths"], each["digests"], strict=True)]
        answers = [
            (answer, None) if isinstance(answer, str) else (answer.path, json.dumps(answer.to_dict()))
            for answer in self._worker.read(items)
        ]
        paths, records = zip(*answers, strict=True)
        return pyarrow.table({"path": paths, "record": pyarrow.array(records, pyarrow.string())})
