"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

_NAMED = (
    "A model that came with massm ([cyan]massm models[/]), or a model folder "
    "([cyan]results/models/massm[/] of a run)."
)

Model = Annotated[str, typer.Argument(metavar="NAME_OR_FOLDER", help=_NAMED, show_default=False)]
ModelOrOnly = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME_OR_FOLDER",
        help=_NAMED,
        show_default="the one that came with massm, if it is one",
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder of the results.")]
Threads = Annotated[
    int | None,
    typer.Option("--threads", min=1, show_default="all cores", help="Most threads to use."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace results that are there.")]
SkipExisting = Annotated[
    bool, typer.Option("--skip-existing", help="Pass over what has results already.")
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say more, as what was odd about a file.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but what went wrong.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")]
