"""What surrounds every command: what is logged, how errors end it, and with which status."""

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from massm.io.errors import FAILURES

FAILED, USAGE, INTERRUPTED = 1, 2, 130
"""Exit statuses: a scan or shape failed; the command could not begin; Ctrl-C, as shells count."""


@contextmanager
def session(*, verbose: bool = False, quiet: bool = False, debug: bool = False) -> Iterator[None]:
    """Let a command run: an error becomes one sentence on stderr and an exit status.

    Args:
        verbose: Log what is done, too.
        quiet: Log errors alone.
        debug: Log all, and show the trace of an error.

    Raises:
        typer.Exit: With the status, after an error or Ctrl-C.
    """
    if verbose and quiet:
        complain("--verbose and --quiet exclude each other")
        raise typer.Exit(USAGE)
    with _logging(verbose, quiet, debug):
        try:
            yield
        except KeyboardInterrupt:
            complain("interrupted")
            raise typer.Exit(INTERRUPTED) from None
        except FAILURES as error:
            if debug:
                traceback.print_exception(error)
            complain(message_of(error))
            raise typer.Exit(USAGE) from None


def complain(text: str) -> None:
    """Say on stderr what went wrong."""
    typer.secho(f"massm: {text}", err=True, fg="red" if sys.stderr.isatty() else None)


def message_of(error: BaseException | None) -> str:
    """Say an error and what was noted to it; its kind where it says nothing itself."""
    notes = getattr(error, "__notes__", [])
    return "\n  ".join([str(error) or type(error).__name__, *notes])


@contextmanager
def _logging(verbose: bool, quiet: bool, debug: bool) -> Iterator[None]:
    """Let the package's log go to stderr for a while."""
    level = logging.ERROR if quiet else logging.INFO if verbose else logging.WARNING
    own = logging.getLogger("massm")
    before = own.handlers, own.propagate, own.level
    own.handlers, own.propagate = [_Stderr()], False
    own.setLevel(logging.DEBUG if debug else level)
    try:
        yield
    finally:
        own.handlers, own.propagate = before[:2]
        own.setLevel(before[2])


class _Stderr(logging.Handler):
    """Writes to what is stderr at the time: a bar puts something of its own in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("massm: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        typer.echo(self.format(record), err=True)
