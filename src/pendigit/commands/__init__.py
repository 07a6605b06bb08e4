"""The command line: one short file for each verb. Heavy imports happen inside the verbs."""

from __future__ import annotations

import errno
import gc
import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import typer

from pendigit.commands import augment, doctor, evaluate, form, models, networks, predict, read, report, serve, train
from pendigit.commands.terminal import say_error
from pendigit.errors import EXIT_BUG, EXIT_INTERRUPTED, OutputError, PendigitError, UsageError

START_UP = 100_000  # objects: imports make as many and no garbage; looking for it takes a tenth of a short command

app = typer.Typer(
    name="pendigit",
    help="Recognise handwritten digits: train in seconds, read pictures, know the error.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(train.train)
app.command()(evaluate.evaluate)
app.command()(predict.predict)
app.command()(read.read)
app.command()(form.form)
app.command()(doctor.doctor)
app.command()(report.report)
app.command()(serve.serve)
app.command()(networks.networks)
app.command()(models.models)
app.command()(augment.augment)


@app.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Print the version and stop.")) -> None:
    if version:
        from pendigit import __version__

        typer.echo(f"pendigit {__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code. Every error becomes one line here, and only here."""
    gc.set_threshold(START_UP)
    code = run(arguments)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # closed by whoever read it
            stream.flush()
    os._exit(code)  # all is written; taking the interpreter apart would take a quarter of a short command


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line on `arguments` (default: the process's own) and return the exit code."""
    try:
        code = _invoke(arguments)
        if code == EXIT_INTERRUPTED:
            say_error("Stopped")
        return code
    except PendigitError as error:
        say_error(str(error))
        return error.exit_code
    except typer.TyperException as error:
        seen = shlex.join(["pendigit", *(sys.argv[1:] if arguments is None else arguments)])
        say_error(f"{error.format_message().rstrip('.')}, in: {seen}; see pendigit --help")
        return UsageError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        say_error("Stopped")
        return EXIT_INTERRUPTED
    except (BrokenPipeError, SystemExit):  # the reader of our output, such as `head`, has seen enough; Typer exits
        _drop_output()
        return 0
    except Exception as error:
        if os.environ.get("PENDIGIT_DEBUG"):
            raise
        say_error(f"A fault of pendigit's own: {type(error).__name__}: {error}; PENDIGIT_DEBUG=1 shows where")
        return EXIT_BUG


def _invoke(arguments: Sequence[str] | None) -> int:
    """Run a verb until all that it prints is out. Raises what the verb raises, and OutputError."""
    try:
        code: int = app(arguments, standalone_mode=False, prog_name="pendigit") or 0
        sys.stdout.flush()
    except OSError as error:  # of printing: files are written through files.publish
        if error.errno != errno.ENOSPC:
            raise
        _drop_output()
        raise OutputError(
            "no space is left for the output", "a writable place", "free some space or print elsewhere"
        ) from error
    return code


def _drop_output() -> None:
    """Let what is still buffered go nowhere, so that Python does not fail on it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
