"""``massm models``: which models came with the package."""

from typing import TYPE_CHECKING

import typer

from massm.cli import options
from massm.cli.session import session

if TYPE_CHECKING:
    from massm.inference.folder import ModelFolder


def models(debug: options.Debug = False) -> None:
    """List the models that came with massm: what they find, how large and how good they are."""
    with session(debug=debug):
        from rich.console import Console
        from rich.table import Table

        from massm.inference import pretrained
        from massm.inference.folder import read_folder

        names = pretrained.names()
        if not names:
            typer.echo("no model came with this massm; give predict a model folder (--model)")
            return
        table = Table("name", "anatomies", "size", "surface distance, mm", box=None)
        for name in names:
            found = read_folder(pretrained.find(name))
            size = f"{found.bytes / 1e6:.1f} MB"
            table.add_row(name, ", ".join(found.anatomies), size, error_of(found))
        Console().print(table)
        typer.echo("\nmassm info NAME shows a model's card.")


def error_of(model: "ModelFolder") -> str:
    """Say how far surfaces of anatomies that were found lie from the reference, with interval."""
    rows = [
        row
        for row in model.facts.metrics
        if (row["split"], row["scope"], row["measure"], row["counting"])
        == ("test", "all", "surface_mean", "found")
    ]
    if not rows or rows[0]["mean"] is None:
        return "not measured"
    row = rows[0]
    text = f"{row['mean']:.2f}"
    if row["ci_low"] is not None and row["ci_high"] is not None:
        text += f" [{row['ci_low']:.2f}, {row['ci_high']:.2f}]"
    return f"{text}, {row['subjects']} test scans"
