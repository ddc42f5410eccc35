"""``massm info``: what a model is."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from massm.cli import options
from massm.cli.session import session

if TYPE_CHECKING:
    from massm.inference.folder import ModelFolder
    from massm.io.intervals import Intervals
    from massm.io.trust import TrustTables


def info(
    model: options.Model,
    as_json: Annotated[bool, typer.Option("--json", help="Facts and measures as JSON.")] = False,
    debug: options.Debug = False,
) -> None:
    """Show a model's card: what it was trained on, how good it is, what it is not for."""
    with session(debug=debug):
        from rich.console import Console
        from rich.markdown import Markdown

        from massm.inference import pretrained
        from massm.inference.folder import read_folder

        found = read_folder(pretrained.folder_of(model))
        if as_json:
            typer.echo(json.dumps(_facts(found), indent=2))
        else:
            unknown = "\n## How sure it is\n\nNot known: the folder holds no intervals.\n"
            untold = "\n## Whether to trust a scan\n\nNot known: the folder holds no tables.\n"
            text = found.card + (unknown if found.intervals is None else "")
            text += untold if found.trust is None else ""
            Console().print(Markdown(text))


def _facts(found: "ModelFolder") -> dict[str, Any]:
    said = ("anatomies", "particles", "thresholds", "preprocessing")
    return {
        "folder": str(found.folder),
        **{name: found.description[name] for name in said},
        **found.facts.document(),
        "intervals": _intervals(found.intervals),
        "trust": _trust(found.trust),
        "versions": found.versions,
        "commit": found.commit,
        "files": found.files,
    }


def _trust(found: "TrustTables | None") -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "subjects": found.subjects,
        "calibration": found.calibration,
        "false_alarms": found.false_alarms,
        "found": dict(zip(found.anatomies, found.found.tolist(), strict=True)),
    }


def _intervals(found: "Intervals | None") -> dict[str, Any] | None:
    if found is None:
        return None
    anatomies = {
        name: {
            "share_mm": None if own.share_mm is None else float(own.share_mm.mean()),
            "whole_mm": None if own.whole_mm is None else float(own.whole_mm.mean()),
            "calibration_subjects": own.subjects,
            "pooled": own.pooled,
            "reason": own.reason,
        }
        for name, own in found.anatomies.items()
    }
    return {"level": found.level, "calibration": found.calibration, "anatomies": anatomies}
