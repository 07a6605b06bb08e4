"""`--max-error`, for the verbs that read digits."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

MaxError: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--max-error",
        help="Mark digits with ? so that at most this share of the others is wrong, such as 1%.",
        show_default="mark none",
    ),
]


def describe_kept(kept: int, count: int, max_error: float) -> str:
    """How many digits a limit left."""
    return f"kept {kept:,} of {count:,} digits, for an error of at most {max_error * 100:.4g}% among them"
