"""Where pendigit keeps what it can fetch or compute again, and what its users entrust to it."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """The folder that PENDIGIT_HOME names, or the user's cache folder. It may not exist yet."""
    named = os.environ.get("PENDIGIT_HOME")
    return Path(named).expanduser() if named else platformdirs.user_cache_path("pendigit")


def data_folder() -> Path:
    """The folder of what cannot be made again: that which PENDIGIT_HOME names, or the user's data folder."""
    named = os.environ.get("PENDIGIT_HOME")
    return Path(named).expanduser() if named else platformdirs.user_data_path("pendigit")
