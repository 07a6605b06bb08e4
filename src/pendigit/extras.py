"""Optional packages: imported when needed, and named with their install command when missing."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from pendigit.errors import MissingExtraError


def require(extra: str, *modules: str) -> None:
    """Make sure that `modules` can be imported. Raises MissingExtraError naming `pip install 'pendigit[extra]'`."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"{' and '.join(missing)} not installed",
            f"the packages of the extra [{extra}]",
            f"run: pip install 'pendigit[{extra}]' (in a clone: pip install '.[{extra}]')",
        )


def load(extra: str, module: str) -> ModuleType:
    """Import and return `module`, which the extra `extra` installs. Raises MissingExtraError."""
    require(extra, module.split(".", maxsplit=1)[0])
    return importlib.import_module(module)
