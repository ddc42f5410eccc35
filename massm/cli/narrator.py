"""Says how far a command is: a bar at a terminal, plain lines elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)


class Narrator:
    """Tells of work whose number of steps is known.

    Args:
        bar: A bar to move; None to write lines alone.
        quiet: Write no lines, either.
    """

    def __init__(self, bar: Progress | None, total: int, quiet: bool) -> None:
        self._bar, self._quiet = bar, quiet
        self._task = bar.add_task("", total=total) if bar else None

    def doing(self, text: str) -> None:
        """Show what is being done; nothing where there is no bar."""
        if self._bar and self._task is not None:
            self._bar.update(self._task, description=text)

    def step(self) -> None:
        """Count one step as done."""
        if self._bar and self._task is not None:
            self._bar.advance(self._task)

    def say(self, text: str) -> None:
        """Write a line to stdout; a bar stays below it."""
        if not self._quiet:
            typer.echo(text)


@contextmanager
def narrated(total: int, *, quiet: bool) -> Iterator[Narrator]:
    """Show a bar on stderr while work goes on, if that is a terminal.

    Args:
        total: Number of steps.
        quiet: Show and say nothing.
    """
    if quiet or not sys.stderr.isatty():
        yield Narrator(None, total, quiet)
        return
    columns = (
        *(SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn()),
        *(MofNCompleteColumn(), TimeElapsedColumn()),
    )
    console = Console(stderr=True)
    is_seen = sys.stdout.isatty()  # else stdout goes elsewhere, past the bar
    with Progress(*columns, console=console, transient=True, redirect_stdout=is_seen) as bar:
        yield Narrator(bar, total, quiet)
