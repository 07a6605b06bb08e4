"""Command-line options made from an options object: its fields, types, defaults and words stand in one place."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import getitem
from typing import Annotated, Any, get_type_hints

import typer


def options_of(kind: type, argument: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a verb an option for each field of the dataclass `kind`; the field `argument` becomes its argument.

    The verb's parameter `given` receives what the user gave, name -> value; what was left out is not in it. The help
    texts are the lines under "Attributes:" in the dataclass's docstring.
    """

    def decorate(verb: Callable[..., None]) -> Callable[..., None]:
        own = [each for each in inspect.signature(verb, eval_str=True).parameters.values() if each.name != "given"]
        added = [_parameter(kind, each.name, each.default, each.name == argument) for each in fields(kind)]

        def run(**values: Any) -> None:
            given = {each.name: values.pop(each.name) for each in added}
            verb(given={name: value for name, value in given.items() if value is not None}, **values)

        run.__name__, run.__doc__ = verb.__name__, verb.__doc__
        run.__annotations__ = {each.name: each.annotation for each in (*added, *own)}
        vars(run)["__signature__"] = inspect.Signature([*added, *own])
        return run

    return decorate


def _parameter(kind: type, name: str, default: Any, is_argument: bool) -> inspect.Parameter:
    make = typer.Argument if is_argument else typer.Option
    shown = f" [default: {default}]" if default not in ("", False) else ""
    option = make(help=_help_texts(kind)[name] + shown, show_default=False)
    annotation = getitem(Annotated, (get_type_hints(kind)[name] | None, option))
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


@cache
def _help_texts(kind: type) -> dict[str, str]:
    """The lines under "Attributes:" in the docstring of `kind`, by name."""
    listed = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")[2]
    return {name: " ".join(text.split()) for name, text in re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", listed, re.M)}
