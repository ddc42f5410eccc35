"""The command ``massm`` as a whole."""

from typing import Annotated

import typer

import massm
from massm.cli.doctor import doctor
from massm.cli.fit import fit
from massm.cli.info import info
from massm.cli.models import models
from massm.cli.predict import predict

app = typer.Typer(
    name="massm",
    help=massm.__doc__,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,  # massm.cli.session says what went wrong
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (predict, fit, info, models, doctor):
    app.command(no_args_is_help=command in (predict, fit, info))(command)


def _show_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"massm {massm.__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def _massm(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Statistical shape models of many anatomies, straight from CT."""


def main() -> None:
    """Run the command with the words of the command line."""
    app(prog_name="massm")
