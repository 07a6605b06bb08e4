"""What is to be read and what has been: a SQLite file beside the output, whole after a kill at any moment."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pendigit.batches.inputs import URL, Input
from pendigit.batches.record import Record
from pendigit.errors import OutputError
from pendigit.files import writing

# An image waits (0) or is done (1) in this run, or is known from an earlier one and not listed (2).
WAITS, DONE, KNOWN = range(3)
TABLES = """
CREATE TABLE IF NOT EXISTS image (
    path TEXT PRIMARY KEY,
    source INTEGER NOT NULL, place NOT NULL,  -- the order of the table; places are numbers or texts
    state INTEGER NOT NULL,
    digest TEXT,  -- of the file that was read
    record TEXT  -- JSON, once there is one
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS in_order ON image (source, place);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""
GONE = 1 << 30  # the source of images that are no longer listed: their rows come last
PAGE = 1_000  # images fetched at a time
SAVED_EVERY = 1.0  # seconds: a kill loses as much work, and the disk is waited for as rarely


class Journal:
    """The images of one output, in its order, each with what was read on it.

    One run at a time: a second one is refused. What `save` has written survives a kill and a power cut.

    Args:
        path: The file; made where there is none.

    Raises:
        OutputError: It cannot be written, is no journal, or belongs to a run that goes on.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._saved = time.monotonic()
        with self._saying():
            self._connection = sqlite3.connect(path, timeout=0.5, isolation_level=None)
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # no second run; and no shared memory file
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(TABLES)
            self._connection.execute("BEGIN IMMEDIATE")
        # Than the table: an earlier run left it, or this one read something.
        self._holds_more = self.model() is not None

    @classmethod
    def anew(cls, path: Path) -> Journal:
        """An empty journal, whatever an earlier run left in it; raises what opening it does."""
        if path.exists():
            cls(path).remove()
        return cls(path)

    def model(self) -> str | None:
        """The model, and settings, that it was begun with; None for a new journal."""
        with self._saying():
            row = self._connection.execute("SELECT value FROM fact WHERE name = 'model'").fetchone()
        return None if row is None else str(row[0])

    def begin(self, model: str) -> None:
        """Note which model reads; all that is known already is saved with it."""
        with self._saying():
            self._connection.execute("INSERT INTO fact VALUES ('model', ?)", (model,))
        self.save()

    def know(self, records: Iterable[Record]) -> None:
        """Take over what an earlier run read. Raises OutputError for an image with two contents."""
        with self._saying():
            for record in records:
                values = (record.path, GONE, record.path, KNOWN, record.digest, json.dumps(record.to_dict()))
                before = self._connection.execute("SELECT digest FROM image WHERE path = ?", values[:1]).fetchone()
                if before is not None and before[0] != record.digest:
                    raise OutputError(
                        f"two tables hold {record.path} with different contents (SHA-256 {before[0]}, {record.digest})",
                        "tables whose images are the same or others",
                        "read the image again, or leave one of the tables out",
                    )
                self._connection.execute("INSERT OR IGNORE INTO image VALUES (?, ?, ?, ?, ?, ?)", values)

    def forget(self) -> None:
        """Forget which images are to be read, and keep what was read on them."""
        with self._saying():
            self._connection.execute("DELETE FROM image WHERE record IS NULL")
            self._connection.execute("UPDATE image SET state = ?, source = ?, place = path", (KNOWN, GONE))

    def add(self, inputs: Iterable[Input]) -> None:
        """Note what is to be read, or looked at again; an image that is named twice counts once, at its first place."""
        with self._saying():
            for each in inputs:
                self._connection.execute(
                    "INSERT INTO image VALUES (?, ?, ?, ?, NULL, NULL) ON CONFLICT (path) DO UPDATE"
                    " SET source = excluded.source, place = excluded.place, state = excluded.state WHERE state != ?",
                    (each.path, each.source, each.place, WAITS, WAITS),
                )
        self.save()

    def count(self) -> int:
        """How many images wait."""
        with self._saying():
            (count,) = self._connection.execute("SELECT count(*) FROM image WHERE state = ?", (WAITS,)).fetchone()
        return int(count)

    def stranger(self) -> str | None:
        """An image that was read earlier, is not listed now, and still exists: sign of another run's output.

        Also any such image where none of the earlier ones is listed.
        """
        with self._saying():
            paths = (path for (path,) in self._connection.execute("SELECT path FROM image WHERE state = 2"))
            for path in paths:
                if URL in path or os.path.lexists(path):
                    return str(path)
            unlisted = self._connection.execute("SELECT path FROM image WHERE state = 2 LIMIT 1").fetchone()
            listed = self._connection.execute(
                "SELECT 1 FROM image WHERE state = 0 AND record IS NOT NULL LIMIT 1"
            ).fetchone()
        return None if unlisted is None or listed is not None else str(unlisted[0])

    def waiting(self) -> Iterator[tuple[str, str | None]]:
        """The images to read, in order: each one's path, and its digest when it was read before."""
        source, place = -1, ""
        while True:
            with self._saying():
                found = self._connection.execute(
                    "SELECT path, digest, source, place FROM image WHERE state = ? AND (source, place) > (?, ?)"
                    " ORDER BY source, place LIMIT ?",
                    (WAITS, source, place, PAGE),
                ).fetchall()
            if not found:
                return
            *_, source, place = found[-1]
            for path, digest, *_ in found:
                yield path, digest

    def write(self, answers: Iterable[Record | str]) -> None:
        """Note what was read, or the path of an image that is as it was."""
        with self._saying():
            for answer in answers:
                if isinstance(answer, str):
                    self._connection.execute("UPDATE image SET state = ? WHERE path = ?", (DONE, answer))
                else:
                    self._holds_more = True
                    self._connection.execute(
                        "UPDATE image SET state = ?, digest = ?, record = ? WHERE path = ?",
                        (DONE, answer.digest, json.dumps(answer.to_dict()), answer.path),
                    )
        if time.monotonic() - self._saved > SAVED_EVERY:
            self.save()

    def records(self) -> Iterator[Record]:
        """Everything that was read, in the table's order."""
        with self._saying():
            found = self._connection.execute("SELECT record FROM image WHERE record IS NOT NULL ORDER BY source, place")
            for (record,) in found:
                yield Record.from_dict(json.loads(record))

    def save(self) -> None:
        """Bring all that was written to the disk."""
        with self._saying():
            self._connection.execute("COMMIT")
            self._connection.execute("BEGIN IMMEDIATE")
        self._saved = time.monotonic()

    def close(self) -> None:
        """Save, and let go of the file, or remove it if it holds nothing new; after an error, do what can be done."""
        for end in ("COMMIT", "PRAGMA wal_checkpoint(TRUNCATE)"):
            with suppress(sqlite3.Error):
                self._connection.execute(end)
        with suppress(sqlite3.Error):
            self._connection.close()
        if not self._holds_more:
            self._unlink()

    def remove(self) -> None:
        """Close it and remove its files: the table holds everything."""
        self.close()
        self._unlink()

    def _unlink(self) -> None:
        with writing(self.path):
            for path in _files_of(self.path):
                path.unlink(missing_ok=True)

    @contextmanager
    def _saying(self) -> Iterator[None]:
        """Turn SQLite's errors into an `OutputError`."""
        try:
            yield
        except sqlite3.Error as error:
            what = str(error)
            expected, do = "space and leave to write there", "free some space or choose another place, and start again"
            if "locked" in what:
                expected, do = "one run for each output", "wait for the other run, or name another output"
            elif isinstance(error, sqlite3.DatabaseError) and ("not a database" in what or "malformed" in what):
                expected, do = "a journal of pendigit's", "remove it, or name another output"
            raise OutputError(f"cannot write {self.path}: {what}", expected, do) from error


def is_begun(path: Path) -> bool:
    """Whether a run was stopped while it kept this journal. Raises OutputError, also while one goes on."""
    if not path.exists():
        return False
    journal = Journal(path)
    begun = journal.model() is not None
    journal.close()
    return begun


def _files_of(path: Path) -> list[Path]:
    """A journal's file, and those that SQLite keeps beside it."""
    return [path.with_name(path.name + ending) for ending in ("", "-wal", "-shm")]
