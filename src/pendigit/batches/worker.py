"""What one worker does, whichever engine it works for: contents -> records."""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import cv2

from pendigit.batches.gather import run_together
from pendigit.batches.inputs import fetch
from pendigit.batches.record import Record
from pendigit.batches.settings import Answer, Item, Settings
from pendigit.classifier import Classifier, OnnxClassifier
from pendigit.errors import ImageError, MissingExtraError, PendigitError
from pendigit.reading.networks import load_row_network
from pendigit.reading.photo import open_page
from pendigit.reading.reader import Reader
from pendigit.results import Reading

LARGE_BLOCK = 2**20  # bytes: from here on blocks go back to the system when they are free; a page has few of them
M_MMAP_THRESHOLD = -3  # its number in glibc's malloc.h
AHEAD = 2  # threads that fetch files while others are read: enough for disks; they cost a local file nothing


class Worker:
    """Reads images with a model that it loads once."""

    def __init__(self, settings: Settings) -> None:
        cv2.setNumThreads(1)  # the cores are shared among workers
        _glibc("mallopt", M_MMAP_THRESHOLD, LARGE_BLOCK)  # left alone, it grows with the largest block ever freed
        self._settings = settings
        self._classifier = OnnxClassifier(settings.model, threads=1)
        self._rows = load_row_network()
        self._ahead = ThreadPoolExecutor(AHEAD)

    def read(self, items: Sequence[Item]) -> list[Answer]:
        """Read images; in any order. One that cannot be read gives a record with its error."""
        answers = [
            answer if isinstance(answer, str) else answer(seconds)
            for answer, seconds in run_together(self._jobs(items), self._classifier)
        ]
        _glibc("malloc_trim", 0)  # it would keep the most that one odd picture ever took
        return answers

    def _jobs(self, items: Sequence[Item]) -> Iterator[Callable[[Classifier], str | Callable[[float], Record]]]:
        for (path, known), content in zip(items, self._ahead.map(_fetched, [path for path, _ in items]), strict=True):
            yield partial(self._read, path, known, content)

    def _read(
        self, path: str, known: str | None, content: bytes | ImageError, classifier: Classifier
    ) -> str | Callable[[float], Record]:
        """One image: its path if it is as it was, else its record but for the time it takes."""
        model = self._settings.identity
        if isinstance(content, ImageError):
            return partial(Record.failed, path, None, model, str(content))
        digest = hashlib.sha256(content).hexdigest()
        if digest == known:
            return path
        try:
            pages = list(self._pages(content, classifier))
        except (ImageError, MissingExtraError) as error:
            text = str(error).replace(f"the picture of {len(content)} bytes", path)
            return partial(Record.failed, path, digest, model, text)
        except PendigitError:
            raise  # it is the settings' fault, and would be every image's
        except Exception as error:  # noqa: BLE001 - one odd image must not stop the others; its error stands in its row
            text = f"a fault of pendigit's own: {type(error).__name__}: {error}; expected none; report it"
            return partial(Record.failed, path, digest, model, text)
        return partial(Record.of, path, digest, model, self._settings.options.max_error is not None, pages)

    def _pages(self, content: bytes, classifier: Classifier) -> Iterator[Reading]:
        """Read a document page by page: all at once they may not fit the memory."""
        reader = Reader(classifier, self._rows)
        number, count = 0, 1
        while number < count:
            number += 1
            page, count = open_page(content, number)
            yield reader.read(page, self._settings.options)


def _glibc(function: str, *numbers: int) -> None:
    """Call glibc to keep memory from growing with the number of images."""
    with suppress(OSError, AttributeError, TypeError):  # other systems' libraries have no such call, nor such a habit
        getattr(ctypes.CDLL(None), function)(*numbers)


def _fetched(path: str) -> bytes | ImageError:
    try:
        return fetch(path)
    except ImageError as error:
        return error
