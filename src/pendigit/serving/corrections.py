"""Corrections: what a digit really was. Pictures, boxes and right digits in one SQLite file."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pendigit.errors import OutputError
from pendigit.files import make_folder, writing

# One script a version; a file of an older version runs those it lacks. Never change one that was released.
MIGRATIONS = (
    """
    CREATE TABLE picture (
        digest TEXT PRIMARY KEY,  -- SHA-256 of the file: many corrections of one photo keep it once
        file BLOB NOT NULL
    );
    CREATE TABLE correction (
        id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice, so that a deleted one stays deleted
        made TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ')),
        digit INTEGER NOT NULL CHECK (digit BETWEEN 0 AND 9),
        read INTEGER CHECK (read BETWEEN 0 AND 9),  -- what it was read as
        page INTEGER NOT NULL,
        box_left INTEGER, box_top INTEGER, box_right INTEGER, box_bottom INTEGER,
        crop BLOB NOT NULL,  -- PNG: what is trained on
        picture TEXT NOT NULL REFERENCES picture (digest)
    );
    CREATE INDEX correction_digit ON correction (digit, id);
    CREATE INDEX correction_picture ON correction (picture);
    CREATE TRIGGER orphan AFTER DELETE ON correction
        WHEN NOT EXISTS (SELECT 1 FROM correction WHERE picture = OLD.picture)
        BEGIN DELETE FROM picture WHERE digest = OLD.picture; END;
    """,
)
LARGEST = 4_000_000_000  # bytes: some thousand photos; a disk is not filled by a page left open
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels of the upright picture, the latter two exclusive


@dataclass(frozen=True)
class Correction:
    """What is known of one correction, its pictures apart.

    Attributes:
        id: Its number.
        made: When, in UTC.
        digit: The right digit.
        read: What it was read as, where that was told.
        page: Which page of its document.
        box: Where it is on it; None for the whole picture.
        picture: The SHA-256 of the picture's file.
    """

    id: int
    made: str
    digit: int
    read: int | None
    page: int
    box: Box | None
    picture: str

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> Correction:
        """A row of the table."""
        number, made, digit, read, page, picture, left, top, right, bottom = row
        box = None if left is None else (left, top, right, bottom)
        return cls(number, made, digit, read, page, box, picture)

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        return asdict(self)


COLUMNS = "id, made, digit, read, page, picture, box_left, box_top, box_right, box_bottom"


class Corrections:
    """The file of corrections. Any thread may call it.

    What `add` has returned is on the disk: it survives a kill and a power cut.

    Args:
        path: The SQLite file, made with its folders if there is none.

    Raises:
        OutputError: It cannot be written, is no such file, or one of a newer pendigit.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        make_folder(path.parent)
        with self._saying():
            # Transactions begin and end where this file says so, not where the module guesses.
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")  # the log reaches the disk before `add` returns
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._connection.execute("PRAGMA secure_delete = ON")  # what is deleted is gone
            (page_size,) = self._connection.execute("PRAGMA page_size").fetchone()
            self._connection.execute(f"PRAGMA max_page_count = {LARGEST // page_size}")
            self._migrate()

    def add(
        self, picture: bytes, crop: bytes, digit: int, *, box: Box | None = None, page: int = 1, read: int | None = None
    ) -> Correction:
        """Keep a correction: the picture's file, the PNG to train on, the right digit. Raises OutputError."""
        digest = hashlib.sha256(picture).hexdigest()
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO picture VALUES (?, ?)", (digest, picture))
            row = connection.execute(
                "INSERT INTO correction (digit, read, page, crop, picture, box_left, box_top, box_right, box_bottom)"  # noqa: S608 - ours
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING " + COLUMNS,
                (digit, read, page, crop, digest, *(box or (None,) * 4)),
            ).fetchone()
        return Correction.of(row)

    def some(self, digit: int | None = None, after: int = 0, limit: int = 100) -> list[Correction]:
        """The corrections whose numbers are above `after`, in their order; of one digit, or of all."""
        which, values = ("digit = ? AND", (digit,)) if digit is not None else ("", ())
        query = f"SELECT {COLUMNS} FROM correction WHERE {which} id > ? ORDER BY id LIMIT ?"  # noqa: S608 - our words
        return [Correction.of(row) for row in self._all(query, *values, after, limit)]

    def count(self, digit: int | None = None) -> int:
        """How many there are; of one digit, or of all."""
        which, values = ("WHERE digit = ?", (digit,)) if digit is not None else ("", ())
        ((count,),) = self._all(f"SELECT count(*) FROM correction {which}", *values)  # noqa: S608 - our words
        return int(count)

    def one(self, number: int) -> Correction | None:
        """The correction of a number, if there is one."""
        rows = self._all(f"SELECT {COLUMNS} FROM correction WHERE id = ?", number)  # noqa: S608 - our words
        return Correction.of(rows[0]) if rows else None

    def crop(self, number: int) -> bytes | None:
        """The PNG that is trained on."""
        rows = self._all("SELECT crop FROM correction WHERE id = ?", number)
        return bytes(rows[0][0]) if rows else None

    def picture(self, number: int) -> bytes | None:
        """The whole picture's file, as it was sent."""
        query = "SELECT file FROM picture JOIN correction ON picture = digest WHERE id = ?"
        rows = self._all(query, number)
        return bytes(rows[0][0]) if rows else None

    def delete(self, number: int) -> bool:
        """Forget one, and its picture with the last that needs it; whether there was one. Raises OutputError."""
        with self._transaction() as connection:
            return connection.execute("DELETE FROM correction WHERE id = ?", (number,)).rowcount > 0

    def crops(self) -> Iterator[tuple[Correction, bytes]]:
        """Every correction with its PNG, one at a time, in their order."""
        last = 0
        while found := self.some(after=last, limit=1):
            crop = self.crop(found[0].id)
            last = found[0].id
            if crop is not None:  # it may have been deleted since
                yield found[0], crop

    def close(self) -> None:
        """Write the log into the file and let go of it."""
        with self._lock:
            self._connection.close()

    def _migrate(self) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise OutputError(
                f"{self.path} was written by a newer pendigit (version {version})",
                f"version {len(MIGRATIONS)} or older",
                "upgrade pendigit, or name another file with --store",
            )
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            self._connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._saying():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, self._saying():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _saying(self) -> Iterator[None]:
        """Turn SQLite's errors into an `OutputError`."""
        try:
            with writing(self.path):
                yield
        except sqlite3.Error as error:
            raise OutputError(
                f"the corrections in {self.path.name} cannot be used ({error})",
                "a file of corrections, and space to write",
                "free some space, or name another file with --store",
            ) from error
