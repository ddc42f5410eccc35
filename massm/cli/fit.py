"""``massm fit``: segmentations into the shape model of a model folder."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from massm.cli import options
from massm.cli.existing import jobs_left, refuse_unwritable
from massm.cli.narrator import Narrator, narrated
from massm.cli.session import FAILED, complain, message_of, session
from massm.io.errors import SeveralLabelsError

if TYPE_CHECKING:
    from massm.inference.fit import Fit
    from massm.inference.fit_batch import FitOutcome

Shapes = Annotated[
    list[Path],
    typer.Argument(
        metavar="MESH_OR_MASK",
        help="Meshes ([cyan].vtp .ply .stl .vtk .obj[/], LPS mm), masks, label maps, or signed "
        "distances.",
        show_default=False,
    ),
]
Anatomy = Annotated[
    str | None,
    typer.Option(
        "--anatomy",
        "-a",
        help="Which of the model's anatomies they are.",
        show_default="each file or folder bears its anatomy's name",
    ),
]
Label = Annotated[
    int | None, typer.Option("--label", help="The anatomy's value, in a label map of several.")
]


def fit(
    shapes: Shapes,
    out: options.Out,
    anatomy: Anatomy = None,
    model: options.ModelOrOnly = None,
    *,
    label: Label = None,
    threads: options.Threads = None,
    overwrite: options.Overwrite = False,
    skip_existing: options.SkipExisting = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Fit segmentations into a model's shape space.

    OUT/NAME gets particles, surfaces and fit.json: mode scores, percentiles among the training
    subjects, residual, and whether the shape lies outside of their population.

    A shape that fails stops no other.
    Exit status: 0 all went well, 1 a shape failed, 2 the command could not begin.
    """
    with session(verbose=verbose, quiet=quiet, debug=debug):
        existing = {"replace": overwrite, "skip": skip_existing}
        failed = _fit(shapes, anatomy, out, model, label, existing, threads, quiet)
    if failed:
        raise typer.Exit(FAILED)


def _fit(
    shapes: Sequence[Path],
    anatomy: str | None,
    out: Path,
    model: str | None,
    label: int | None,
    existing: dict[str, bool],
    threads: int | None,
    quiet: bool,
) -> int:
    """Fit all shapes; return how many failed."""
    from massm.inference import api
    from massm.inference.fit_batch import fit_jobs, list_fits
    from massm.machine.cores import usable_cores
    from massm.machine.threads import limited_threads

    loaded = api.load(model)
    jobs = list_fits(shapes, anatomy, loaded.anatomies, out)
    left = jobs_left(jobs, "shapes", **existing)
    refuse_unwritable(out)
    failed = 0
    with limited_threads(threads or usable_cores()), narrated(len(left), quiet=quiet) as narrator:
        if len(left) < len(jobs):
            narrator.say(f"{len(jobs) - len(left)} of {len(jobs)} shapes have results, skipped")
        outcomes = fit_jobs(
            left, loaded.bundle, label, narrator.doing, overwrite=existing["replace"]
        )
        for number, outcome in enumerate(outcomes, start=1):
            failed += outcome.error is not None
            _tell(outcome, f"{number}/{len(left)} {outcome.job.name}", narrator)
    if failed:
        complain(f"{failed} of {len(left)} shapes failed")
    return failed


def _tell(outcome: "FitOutcome", which: str, narrator: Narrator) -> None:
    """Say what became of a shape."""
    narrator.step()
    if outcome.fit is None:
        error = outcome.error
        if isinstance(error, SeveralLabelsError):
            error = error.asking("give the anatomy's label (--label)")
        complain(f"{which}: {message_of(error)}")
        return
    lines = _lines(outcome.fit)
    narrator.say("\n  ".join([f"{which}: {lines[0]}", *lines[1:], f"{outcome.job.folder}"]))


def _lines(found: "Fit") -> list[str]:
    """Say what a fit has found."""
    volume, distance = found.percentiles.volume, found.percentiles.mahalanobis
    residual = found.residual
    lines = [
        f"{found.anatomy}, {found.surface.volume_ml:.1f} ml (percentile {volume:.0f} of the "
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
    lines += [
        f"outside of the training population: {reason}"
        for reason in found.reasons
        if reason not in found.cautions
    ]
    return lines + [f"caution: {each}" for each in found.cautions]
