"""What a server must live through: damaged pictures, kills while corrections are written, whatever a schema allows."""

from __future__ import annotations

import io
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import numpy as np
from PIL import Image

import pendigit
from servers import SLOWEST, answers, as_png, ask, free_port, on_paper, ours, running, wait_for

DAMAGED = 2000


def damaged() -> bool:
    """Whether each of many broken pictures is answered, none with a 5xx: cut off, with flipped bytes, or noise."""
    pictures = list(damaged_pictures(DAMAGED))
    statuses: Counter[int] = Counter()
    slowest = 0.0
    port = free_port()
    with running(ours(port), port) as server:
        for index, picture in enumerate(pictures):
            began = time.perf_counter()
            status, _ = ask(port, "/v1/read" if index % 4 == 0 else "/v1/predict", picture, "application/octet-stream")
            statuses[status] += 1
            slowest = max(slowest, time.perf_counter() - began)
        alive = answers(port) and server.poll() is None
    print(f"{DAMAGED:,} damaged pictures: {dict(sorted(statuses.items()))}, the slowest {slowest:.2f} s")
    return alive and max(statuses) < 500 and slowest < SLOWEST


def damaged_pictures(count: int) -> Iterator[bytes]:
    _, (frames, _) = pendigit.load_data("mini")
    formats = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "ICO", "JPEG2000", "AVIF", "PDF")
    for index in range(count):
        file = io.BytesIO()
        Image.fromarray(on_paper(frames[index % len(frames)])).save(file, formats[index % len(formats)])
        content = bytearray(file.getvalue())
        if index % 5 == 0:
            del content[random.randrange(len(content)) :]
        elif index % 5 == 1:
            content[random.randrange(len(content)) :] = random.randbytes(200)
        else:
            for _ in range(random.choice((1, 3, 10, 100))):
                content[random.randrange(len(content))] = random.randrange(256)
        yield bytes(content)


def kills(count: int) -> None:
    """SIGKILL while corrections are written. Fails unless what was acknowledged is there, and the file whole."""
    acknowledged: dict[int, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "corrections.sqlite")
        for _ in range(count):
            port = free_port()
            server = subprocess.Popen(
                [str(word) for word in ours(port, "--store", str(store))], stdout=subprocess.DEVNULL
            )
            wait_for(port, server)
            writers = [threading.Thread(target=correct, args=(port, acknowledged)) for _ in range(4)]
            for writer in writers:
                writer.start()
            before = len(acknowledged)
            while len(acknowledged) == before:
                time.sleep(0.005)
            time.sleep(random.uniform(0, 0.3))
            server.kill()
            server.wait()
            for writer in writers:
                writer.join()
            check_store(store, acknowledged)
            print(f"  {len(acknowledged):,} acknowledged so far, none lost", file=sys.stderr)
    print(f"{count} kills during correction writes: all {len(acknowledged):,} acknowledged ones kept, no damaged file")


def correct(port: int, acknowledged: dict[int, int]) -> None:
    """Send corrections until the server is gone; remember those that it has acknowledged."""
    picture = as_png(on_paper(np.eye(28, dtype=np.uint8) * 255))
    while True:
        digit = random.randrange(10)
        try:
            # A picture of its own each, so that both tables are written; what follows a PNG's end does not matter.
            status, body = ask(port, f"/v1/corrections?digit={digit}", picture + random.randbytes(10_000))
        except TimeoutError:  # a busy machine
            continue
        except (OSError, HTTPException):
            return
        if status == 201:
            acknowledged[json.loads(body)["id"]] = digit


def check_store(store: Path, acknowledged: dict[int, int]) -> None:
    with sqlite3.connect(store) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        kept = dict(connection.execute("SELECT id, digit FROM correction JOIN picture ON picture = digest"))
    connection.close()
    lost = {number for number, digit in acknowledged.items() if kept.get(number) != digit}
    assert not lost, lost


def schema() -> bool:
    """Whether Schemathesis finds nothing in the whole OpenAPI document."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, running(ours(port, "--store", f"{folder}/store"), port) as server:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{port}/openapi.json"]
        checks = [
            "not_a_server_error",
            "status_code_conformance",
            "content_type_conformance",
            "response_schema_conformance",
        ]
        ended = subprocess.run(
            [*command, "--checks", ",".join(checks), "--max-examples", "100", "--request-timeout", str(SLOWEST)],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        alive = answers(port) and server.poll() is None
    print("\n".join(ended.stdout.splitlines()[-12:]))
    return alive and ended.returncode == 0
