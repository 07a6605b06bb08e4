"""Kills, a full disk, a place that cannot be written, vanishing and damaged images; called by scale.py."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from bench import CACHE
from pendigit.batches.record import Record
from pendigit.batches.run import journal_of
from scale_tables import alike, rows_of

PENDIGIT = [sys.executable, "-c", "from pendigit.commands import main; main()"]
# SQLite and Python meet the limit as an error, EFBIG, once the signal that would kill them is ignored.
LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from pendigit.commands import main
main(sys.argv[2:])
"""
DAMAGED = 0.01  # share of the files
LIMITS = (1_000, 50_000, 150_000)  # bytes a file may have: refuses the journal, its growth, the table
NOT_WRITABLE = Path("/proc/out.parquet")
VANISHING = 10  # images, while others are read
OUTPUT_ERROR, NOT_READ = 6, 3
START_UP = 1.5  # seconds before the first image is read, on a free machine


def faults(source: Path, kills: int, workers: int) -> None:
    """Every fault in turn; ends with an error at the first thing lost, doubled or not named."""
    random.seed(0)
    folder = CACHE / "faults"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    damaged = _damage(folder)
    _forget("peace")
    began = time.perf_counter()
    code, errors = _read(folder, "peace", workers)
    seconds = time.perf_counter() - began
    peace = _rows("peace")
    named = {record.path for record in peace if record.error is not None and record.path in record.error}
    print(f"\nfaults: {len(peace):,} pictures, {len(damaged)} damaged; in peace {seconds:.1f} s")
    assert (code, named) == (NOT_READ, damaged), errors
    print(f"  damaged files: {len(damaged)}, each a row that names it; exit code {code}")
    _kill(folder, kills, workers, seconds, peace)
    _fill_the_disk(folder, workers, peace)
    ended = subprocess.run([*PENDIGIT, "read", folder, "-o", NOT_WRITABLE], capture_output=True, text=True, check=False)
    print(f"  no place to write: exit code {ended.returncode}; {ended.stderr.strip()}")
    assert ended.returncode == OUTPUT_ERROR
    _vanish(folder, workers, peace)


def _damage(folder: Path) -> set[str]:
    """Cut files off, fill others with nonsense, empty others; their paths."""
    files = sorted(folder.glob("*.png"))
    chosen = random.sample(files, max(3, round(DAMAGED * len(files))))
    for number, path in enumerate(chosen):
        whole = path.read_bytes()
        path.write_bytes((whole[: len(whole) // 2], random.randbytes(len(whole)), b"")[number % 3])
    return {str(path) for path in chosen}


def _kill(folder: Path, kills: int, workers: int, seconds: float, peace: list[Record]) -> None:
    """Kill a run at random moments until so many kills have landed; then let it end."""
    landed, rounds, known = 0, 0, []
    while landed < kills:
        rounds += 1
        _forget("killed")
        while True:
            process = subprocess.Popen(
                _command(folder, "killed", workers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            if landed < kills:
                time.sleep(random.uniform(0.1, START_UP + seconds / 8))
                process.send_signal(signal.SIGKILL)
            process.wait()
            if process.returncode != -signal.SIGKILL:
                break
            landed += 1
            known.append(journal_of(_table("killed")).exists())
        assert process.returncode == NOT_READ
        assert alike(_rows("killed"), peace), "rows lost, doubled or changed"
    print(
        f"  {landed} kills in {rounds} rounds, {sum(known)} with a journal begun: every table equal to the one in peace"
    )


def _fill_the_disk(folder: Path, workers: int, peace: list[Record]) -> None:
    """Refuse files above growing sizes; then go on without a limit."""
    _forget("full")
    for limit in LIMITS:
        line = [sys.executable, "-c", LIMITED, str(limit), *_command(folder, "full", workers)[len(PENDIGIT) :]]
        ended = subprocess.run(line, capture_output=True, text=True, check=False)
        last = (ended.stderr.strip().splitlines() or [""])[-1]
        print(f"  files of at most {limit:,} bytes: exit code {ended.returncode}; {last}")
        assert ended.returncode in {OUTPUT_ERROR, NOT_READ}, ended.stderr
        assert "Traceback" not in ended.stderr
        assert _table("full").exists() == (ended.returncode == NOT_READ), "a table is whole or not there"
    _read(folder, "full", workers)
    assert alike(_rows("full"), peace)
    print("  with space again: the table is equal to the one in peace")


def _vanish(folder: Path, workers: int, peace: list[Record]) -> None:
    """Remove the last images of a list while the first are read."""
    _forget("vanished")
    listed = folder / "list.txt"
    listed.write_text("".join(f"{record.path}\n" for record in peace))
    process = subprocess.Popen(_command(listed, "vanished", workers), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while not journal_of(_table("vanished")).exists():
        time.sleep(0.05)
    gone = [Path(record.path) for record in peace[-VANISHING:]]
    for path in gone:
        path.unlink()
    process.communicate()
    rows = _rows("vanished")
    errors = [record.error or "" for record in rows[-VANISHING:]]
    named = sum(
        "No such file" in error and record.path in error
        for error, record in zip(errors, rows[-VANISHING:], strict=True)
    )
    assert alike(rows[:-VANISHING], peace[:-VANISHING])
    assert named == VANISHING, errors
    print(f"  {VANISHING} images that vanished on the way: each a row that names it; the others as in peace")


def _command(source: Path, name: str, workers: int) -> list[str]:
    return [*PENDIGIT, "read", str(source), "-o", str(_table(name)), "--workers", str(workers)]


def _read(folder: Path, name: str, workers: int) -> tuple[int, str]:
    ended = subprocess.run(_command(folder, name, workers), capture_output=True, text=True, check=False)
    return ended.returncode, ended.stderr


def _table(name: str) -> Path:
    return CACHE / f"faults-{name}.parquet"


def _forget(name: str) -> None:
    for path in CACHE.glob(f"faults-{name}.parquet*"):
        path.unlink()


def _rows(name: str) -> list[Record]:
    return rows_of(_table(name))
