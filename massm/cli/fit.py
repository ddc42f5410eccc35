"""``massm fit``: a segmentation into the shape model of a model folder."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from massm.cli import options
from massm.cli.session import session

if TYPE_CHECKING:
    from massm.inference.fit import Fit

Shape = Annotated[
    Path,
    typer.Argument(
        metavar="MESH_OR_MASK",
        help="Mesh ([cyan].vtp .ply .stl .vtk .obj[/], LPS mm), mask, label map, or signed "
        "distance.",
        show_default=False,
    ),
]
Anatomy = Annotated[str, typer.Option("--anatomy", "-a", help="Which of the model's anatomies.")]
Label = Annotated[
    int | None, typer.Option("--label", help="The organ's value, in a label map of several.")
]


def fit(
    shape: Shape,
    anatomy: Anatomy,
    out: options.Out,
    model: options.ModelOrOnly = None,
    *,
    label: Label = None,
    threads: options.Threads = None,
    overwrite: options.Overwrite = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Fit a segmentation into a model's shape space.

    OUT/NAME gets particles, surfaces and fit.json: mode scores, percentiles among the training
    subjects, residual, and whether the shape lies outside of their population.
    """
    with session(verbose=verbose, quiet=quiet, debug=debug):
        from massm.inference import api
        from massm.inference.fit import write_fit
        from massm.inference.sources import scan_name
        from massm.io import meshes
        from massm.io.atomic import replacing_folder
        from massm.machine.cores import usable_cores
        from massm.machine.threads import limited_threads

        is_mesh = shape.suffix.lower() in meshes.SUFFIXES
        folder = out / (shape.stem if is_mesh else scan_name(shape))
        if folder.exists() and not overwrite:
            raise ValueError(f"{folder} is there already; replace it (--overwrite)")
        loaded = api.load(model)
        with limited_threads(threads or usable_cores()):
            found = loaded.fit(shape, anatomy, label=label)
        with replacing_folder(folder, replace=overwrite) as beside:
            write_fit(found, loaded.bundle, beside)
        if not quiet:
            typer.echo("\n".join(_lines(found, folder)))


def _lines(found: "Fit", folder: Path) -> list[str]:
    """Say what a fit has found."""
    volume, distance = found.percentiles.volume, found.percentiles.mahalanobis
    residual = found.residual
    lines = [
        f"{found.anatomy}: {found.surface.volume_ml:.1f} ml (percentile {volume:.0f} of the "
        "training subjects)",
        f"distance from the mean shape: {found.mahalanobis:.2f} standard deviations (percentile "
        f"{distance:.0f})",
        f"residual: {residual.mean:.2f} mm on average, {residual.p95:.2f} mm 95th percentile",
    ]
    if math.isfinite(found.span_limit_mm):
        lines.append(
            f"from the span of the training shapes: {found.from_span_mm:.2f} mm (limit "
            f"{found.span_limit_mm:.2f} mm)"
        )
    lines += [f"outside of the training population: {reason}" for reason in found.reasons]
    return [*lines, f"written to {folder}"]
