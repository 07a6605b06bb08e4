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
        pyarrow, data = load("ray", "pyarrow"), load("ray", "ray.data")
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
