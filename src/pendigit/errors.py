"""Everything that can go wrong for a user, and the exit code each kind gives.

Every error says three things in one line: what was seen, what was expected, what to do. The command line turns an
error into that line and its exit code in one place (`pendigit.commands.main`); nothing else prints errors.
"""

from __future__ import annotations


class PendigitError(Exception):
    """Base of all errors that a user can cause or cure.

    Args:
        seen: What was found, naming the file, option or value.
        expected: What should have been there.
        do: The next step that cures it.
    """

    exit_code = 1

    def __init__(self, seen: str, expected: str, do: str) -> None:
        self.seen, self.expected, self.do = seen, expected, do
        super().__init__(" ".join(f"{seen}; expected {expected}; {do}".split()))

    def __reduce__(self) -> tuple[type[PendigitError], tuple[str, str, str]]:
        """Survive a trip between processes (the default would pass the joined line alone)."""
        return type(self), (self.seen, self.expected, self.do)


class UsageError(PendigitError):
    """An unknown verb, network, model name or an option outside its range."""

    exit_code = 2


class ImageError(PendigitError):
    """A picture that is missing, damaged, too large or blank."""

    exit_code = 3


class DataError(PendigitError):
    """A dataset that is missing, damaged or of another shape, dtype or label range."""

    exit_code = 4


class ModelError(PendigitError):
    """A model file that is cut off, no model at all, or has other inputs or outputs."""

    exit_code = 5


class OutputError(PendigitError):
    """Output that cannot be written, or that would overwrite something."""

    exit_code = 6


class TrainingError(PendigitError):
    """A training that cannot go on, such as a loss that is no longer a number."""

    exit_code = 7


class MissingExtraError(PendigitError):
    """A verb whose optional packages are not installed."""

    exit_code = 8


class ServerError(PendigitError):
    """A server that cannot be reached, stays busy or refuses."""

    exit_code = 9


EXIT_INTERRUPTED = 130  # what a shell expects of a program stopped by Ctrl-C (128 + SIGINT)
EXIT_BUG = 70  # EX_SOFTWARE of sysexits.h: a fault of pendigit's own
