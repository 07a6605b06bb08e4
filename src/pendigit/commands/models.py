"""`pendigit models`."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def models(as_json: Annotated[bool, typer.Option("--json", help="Print JSON: the whole cards.")] = False) -> None:
    """List the models that ship: size, accuracy, what each is for."""
    from pendigit.commands.terminal import say
    from pendigit.models import DEFAULT, cards

    found = cards()
    if as_json:
        say(json.dumps(found))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("model")
    for column in ("size", "parameters", "MNIST test"):
        table.add_column(column, justify="right")
    table.add_column("digitness")
    table.add_column("for")
    for name, card in found.items():
        table.add_row(
            f"{name} *" if name == DEFAULT else name,
            f"{card['bytes'] / 1e6:.2f} MB",
            f"{card['parameters']:,}",
            f"{card['accuracy']['mnist:test']:.2%}",
            "yes" if card["digitness"] else "no",
            card["purpose"],
        )
    Console(highlight=False).print(table)
    say("* the default")
