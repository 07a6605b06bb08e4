"""`pendigit networks`."""

from __future__ import annotations


def networks() -> None:
    """List the networks: parameters, multiply-adds for one frame, and what their recipes reach in what time."""
    from rich.console import Console
    from rich.table import Table

    from pendigit.learning.networks import NETWORKS, build, multiply_adds
    from pendigit.recipes import EXPECTED, TrainingOptions

    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("network")
    for column in ("parameters", "multiply-adds", "MNIST test", "time"):
        table.add_column(column, justify="right")
    table.add_column("what it is")
    for name, make in NETWORKS.items():
        model = build(TrainingOptions.of(network=name))
        accuracy, time = EXPECTED.get(name, ("", ""))
        about = (make.__doc__ or "").split("\n", maxsplit=1)[0]
        table.add_row(name, f"{model.count_params():,}", f"{multiply_adds(model):,}", accuracy, time, about)
    Console(highlight=False).print(table)
