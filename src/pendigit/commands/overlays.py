"""`--overlay`: what was read, drawn onto each picture, into one folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pendigit.results import Reading


@dataclass(frozen=True)
class Overlays:
    """Where the drawn pictures go.

    Attributes:
        folder: The folder for all of them.
        base: The innermost folder that holds all the originals: below it, files of one name are told apart.
    """

    folder: Path
    base: str

    @classmethod
    def of(cls, folder: Path | None, paths: Sequence[str]) -> Overlays | None:
        """For pictures at `paths`; None without a folder or a picture."""
        if folder is None or not paths:
            return None
        return cls(folder, os.path.commonpath([os.path.normpath(Path(path).absolute().parent) for path in paths]))

    def save(self, path: str, number: int, several: bool, reading: Reading) -> None:
        """Publish a page of the file at `path` with its reading drawn on it. Raises OutputError."""
        from pendigit.reading.overlay import draw_overlay, publish_picture
        from pendigit.reading.photo import open_page

        name = os.path.relpath(path, self.base) + (f"-{number}" if several else "")
        publish_picture(self.folder / f"{name}.png", draw_overlay(open_page(path, number)[0].shown(), reading))
