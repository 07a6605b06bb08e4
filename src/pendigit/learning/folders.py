"""Run folders: naming them, claiming them, going on with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pendigit.errors import DataError, OutputError, UsageError
from pendigit.files import make_folder, publish_text
from pendigit.recipes import TrainingOptions

CONFIG = "config.json"
CHECKPOINT = "checkpoint.npz"  # there until the run is complete
BEST = "best.npz"  # the best epoch's state, where it is to be kept; there until the run is complete
FINISHED = "evaluation.json"  # the run's last words
RUNS = Path("runs")  # in the working folder, where people look for what a command made


def new_folder(network: str) -> Path:
    """The first of runs/NETWORK, runs/NETWORK-2, runs/NETWORK-3 ... that does not exist; of a file its stem."""
    number = 1
    while _numbered(network, number).exists():
        number += 1
    return _numbered(network, number)


def latest_folder(network: str) -> Path:
    """The last of the folders that `new_folder` named. Raises OutputError if there is none."""
    number = 1
    while _numbered(network, number + 1).exists():
        number += 1
    if not _numbered(network, number).exists():
        raise OutputError(
            f"no run of {network} in {RUNS}", "one to resume", "name it with --out, or leave --resume out"
        )
    return _numbered(network, number)


def claim(folder: Path, config: dict[str, Any], resume: bool) -> None:
    """Take a new folder for a run, or make sure that an old one was begun on the same data.

    Raises OutputError for an existing folder, a finished run or a place that cannot be written, DataError for other
    data.
    """
    if not resume:
        if folder.exists() and (not folder.is_dir() or any(not path.name.startswith(".") for path in folder.iterdir())):
            raise OutputError(
                f"{folder} exists already", "a new folder", "choose another --out, or go on with this run by --resume"
            )
        make_folder(folder)
        publish_text(folder / CONFIG, json.dumps(config, indent=1) + "\n")
        return
    begun = read_config(folder)["data_digest"]
    if begun != config["data_digest"]:
        raise DataError(
            f"the data's digest is {config['data_digest'][:12]}",
            f"{begun[:12]}, with which {folder} was begun",
            "give the same --data",
        )
    if (folder / FINISHED).exists() and not (folder / CHECKPOINT).exists():
        raise OutputError(f"{folder} is finished", "a run that was stopped", "begin a new one without --resume")


def read_config(folder: Path) -> dict[str, Any]:
    """The config.json of a run folder. Raises OutputError if `folder` is none."""
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        TrainingOptions.from_dict(config["options"])
        return {"data_digest": str(config["data_digest"]), **config}
    except (OSError, ValueError, KeyError, TypeError, UsageError) as error:
        raise OutputError(
            f"{folder} has no readable {CONFIG}", "a folder that pendigit train began", "train without --resume"
        ) from error


def options_to_resume(folder: Path, given: dict[str, Any]) -> TrainingOptions:
    """The options that `folder` was begun with. Raises UsageError if one `given` now is another."""
    begun = TrainingOptions.from_dict(read_config(folder)["options"])
    for name, value in given.items():
        if getattr(begun, name, value) != value:
            raise UsageError(
                f"--{name.replace('_', '-')} {value}",
                f"{getattr(begun, name)}, with which {folder} was begun",
                "leave the option out, or begin a new run",
            )
    return begun


def _numbered(network: str, number: int) -> Path:
    name = Path(network).stem
    return RUNS / (name if number == 1 else f"{name}-{number}")
