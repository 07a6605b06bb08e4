"""Freely licensed fonts, fetched by the user's npm, one small file of each package. `fonts.csv` names them.

Columns: package name (of Fontsource), version, licence, role, file, SHA-256 of that file. Roles: `hand` fonts imitate
handwriting, `print` fonts do not; `unseen` ones are kept out of every training, for tests of what is no digit.
"""

from __future__ import annotations

import csv
import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pendigit.datasets.hosts import SourceError
from pendigit.datasets.packages import unpack_tarballs
from pendigit.errors import DataError
from pendigit.files import make_folder, publish
from pendigit.home import cache_folder

LIST = Path(__file__).with_name("fonts.csv")
AT_ONCE = 12  # packages that one call of npm fetches


@dataclass(frozen=True)
class Font:
    """A row of `fonts.csv`."""

    name: str
    version: str
    licence: str
    role: str
    file: str
    sha256: str

    @property
    def path(self) -> Path:
        """Where it is kept once it is fetched."""
        return cache_folder() / "fonts" / f"{self.name}{Path(self.file).suffix}"

    @property
    def package(self) -> str:
        """What npm calls it."""
        return f"@fontsource/{self.name}@{self.version}"

    @property
    def is_here(self) -> bool:
        """Whether a sound copy is kept."""
        return self.path.is_file() and hashlib.sha256(self.path.read_bytes()).hexdigest() == self.sha256


def listed(*roles: str) -> list[Font]:
    """The fonts that have one of these roles, in the order of the list."""
    with LIST.open(newline="") as file:
        return [font for row in csv.DictReader(file) if (font := Font(**row)).role in roles]


def fetch_fonts(fonts: list[Font]) -> list[Path]:
    """The fonts' files, fetched where they are not kept yet. Raises DataError if npm cannot, OutputError."""
    missing = [font for font in fonts if not font.is_here]
    for start in range(0, len(missing), AT_ONCE):
        _fetch(missing[start : start + AT_ONCE])
    return [font.path for font in fonts]


def _fetch(fonts: list[Font]) -> None:
    make_folder(fonts[0].path.parent)
    try:
        with tempfile.TemporaryDirectory(prefix="pendigit-", ignore_cleanup_errors=True) as folder:
            contents = unpack_tarballs(Path(folder), {font.package: f"package/{font.file}" for font in fonts})
    except SourceError as error:
        raise DataError(
            f"fonts are out of reach ({error})", "npm, with a registry within its reach", "install npm, or try again"
        ) from error
    for font in fonts:
        content = contents[font.package]
        if hashlib.sha256(content).hexdigest() != font.sha256:
            raise DataError(f"{font.package} holds another {font.file}", "the one listed", "report this")
        with publish(font.path) as draft:
            draft.write_bytes(content)
