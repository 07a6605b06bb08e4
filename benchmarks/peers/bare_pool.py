"""A bare pool of processes that calls the reader: python bare_pool.py FOLDER WORKERS. Prints JSON: images."""

import json
import multiprocessing
import sys
from functools import cache
from pathlib import Path

import cv2

import pendigit
from pendigit.errors import ImageError


@cache
def reader():
    """A process's own."""
    cv2.setNumThreads(1)
    return pendigit.load_reader()


def read(path: str) -> str:
    try:
        return reader().read(path).text
    except ImageError as error:
        return str(error)


if __name__ == "__main__":
    paths = sorted(str(path) for path in Path(sys.argv[1]).glob("*.png"))
    with multiprocessing.get_context("spawn").Pool(int(sys.argv[2])) as pool:
        texts = list(pool.imap(read, paths, chunksize=16))
    print(json.dumps({"images": len(texts)}))
