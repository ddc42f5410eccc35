"""``massm info``: what a model is."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from massm.cli import options
from massm.cli.session import session

if TYPE_CHECKING:
    from massm.inference.bundle import Bundle


def info(
    model: options.Model,
    as_json: Annotated[bool, typer.Option("--json", help="Facts and measures as JSON.")] = False,
    debug: options.Debug = False,
) -> None:
    """Show a model's card: what it was trained on, how good it is, what it is not for."""
    with session(debug=debug):
        from rich.console import Console
        from rich.markdown import Markdown

        from massm.inference import api

        loaded = api.load(model)
        if as_json:
            typer.echo(json.dumps(_facts(loaded.bundle), indent=2))
        else:
            Console().print(Markdown(loaded.card))


def _facts(bundle: "Bundle") -> dict[str, Any]:
    description = bundle.description
    return {
        "folder": str(bundle.folder),
        "anatomies": list(description.anatomies),
        "particles": description.particles,
        "thresholds": description.thresholds,
        "preprocessing": description.preprocessing.model_dump(mode="json"),
        **bundle.facts.document(),
        "versions": bundle.versions,
        "commit": bundle.commit,
        "files": bundle.files,
    }
