"""``massm predict``: scans and a model in, shapes out."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from massm.cli import options
from massm.cli.existing import jobs_left, refuse_unwritable
from massm.cli.narrator import Narrator, narrated
from massm.cli.session import FAILED, complain, message_of, session

if TYPE_CHECKING:
    from massm.inference.batch import Outcome
    from massm.inference.bundle import Bundle
    from massm.inference.outputs import OutputOptions
    from massm.inference.shapes import ScanShapes

Scans = Annotated[
    list[Path],
    typer.Argument(
        metavar="SCAN",
        help="CTs: NIfTI, NRRD, MHA, DICOM folder or zip of one of these; or tables of them "
        "([cyan].csv .tsv .xlsx[/], columns [cyan]subject[/] and [cyan]image[/]).",
        show_default=False,
    ),
]
OnDevice = Annotated[Literal["cpu", "cuda"], typer.Option("--device", help="Where to run.")]
MeshFormats = Annotated[
    list[str],
    typer.Option(
        "--mesh-format",
        metavar="FORMAT",
        help="Write surfaces in this format, too: stl, ply, obj or glb (glTF, one scene with "
        "colors). May be given several times, or as a list with commas. Always written: vtp.",
        show_default=False,
    ),
]
LabelMap = Annotated[
    bool, typer.Option("--label-map/--no-label-map", help="Write a label map on the scan's grid.")
]
Page = Annotated[bool, typer.Option("--page/--no-page", help="Write a page for the browser.")]
DicomSeg = Annotated[
    bool, typer.Option("--dicom-seg", help="Write a DICOM SEG object, too, for scans in DICOM.")
]


def predict(
    scans: Scans,
    out: options.Out,
    model: options.ModelOrOnly = None,
    *,
    device: OnDevice = "cpu",
    threads: options.Threads = None,
    mesh_format: MeshFormats = [],  # noqa: B006, typer takes it so
    label_map: LabelMap = True,
    page: Page = True,
    dicom_seg: DicomSeg = False,
    overwrite: options.Overwrite = False,
    skip_existing: options.SkipExisting = False,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Find anatomies and their shapes in CTs.

    Each scan gets a folder OUT/NAME: surfaces, particles, a label map, shape.json, and a page.

    A scan that fails stops no other.
    Exit status: 0 all went well, 1 a scan failed, 2 the command could not begin.
    """
    with session(verbose=verbose, quiet=quiet, debug=debug):
        from massm.inference.outputs import OutputOptions

        wanted = OutputOptions(
            mesh_formats=_formats(mesh_format),
            label_map=label_map,
            page=page,
            dicom_seg=dicom_seg,
            replace=overwrite,
        )
        failed = _predict(scans, out, model, wanted, skip_existing, device, threads, quiet)
    if failed:
        raise typer.Exit(FAILED)


def _formats(given: Sequence[str]) -> tuple[str, ...]:
    """Read formats as endings; several may stand in one word, with or without a point."""
    from massm.inference.outputs import MESH_FORMATS

    words = [word.strip().lower().lstrip(".") for text in given for word in text.split(",")]
    endings = tuple(dict.fromkeys(f".{word}" for word in words if word))
    unknown = [ending for ending in endings if ending not in MESH_FORMATS]
    if unknown:
        known = ", ".join(ending.lstrip(".") for ending in MESH_FORMATS)
        raise ValueError(f"--mesh-format {unknown[0].lstrip('.')} is not known; choose of {known}")
    return endings


def _predict(
    scans: Sequence[Path],
    out: Path,
    model: str | None,
    wanted: "OutputOptions",
    skip_existing: bool,
    device: Literal["cpu", "cuda"],
    threads: int | None,
    quiet: bool,
) -> int:
    """Predict all scans; return how many failed."""
    from massm.inference import api, batch
    from massm.io import dicom
    from massm.machine.cores import usable_cores
    from massm.machine.devices import refuse_missing
    from massm.machine.threads import limited_threads

    jobs = batch.list_jobs(scans, out)
    left = jobs_left(jobs, "scans", replace=wanted.replace, skip=skip_existing)
    refuse_missing(device)
    if wanted.dicom_seg:
        dicom.refuse_without_writer()
    bundle = api.load(model).bundle
    refuse_unwritable(out)
    failed = 0
    with limited_threads(threads or usable_cores()), narrated(len(left), quiet=quiet) as narrator:
        if len(left) < len(jobs):
            narrator.say(f"{len(jobs) - len(left)} of {len(jobs)} scans have results, skipped")
        outcomes = batch.predict_jobs(left, bundle, wanted, device, narrator.doing)
        for number, outcome in enumerate(outcomes, start=1):
            failed += outcome.error is not None
            _tell(outcome, f"{number}/{len(left)}", narrator)
        for line in _unknown(bundle) if failed < len(left) else ():
            narrator.say(line)
    if failed:
        complain(f"{failed} of {len(left)} scans failed")
    return failed


def _unknown(bundle: "Bundle") -> Iterator[str]:
    """Write what the model folder does not tell of any scan, and why."""
    from massm.inference.band import NO_INTERVALS
    from massm.inference.trust.light import untold

    promised = bundle.intervals
    if promised is None or promised.is_empty:
        why = NO_INTERVALS if promised is None else promised.reason
        yield f"how far off they may be is not known: {why}"
    if reason := untold(bundle.trust):
        yield f"whether to trust them is not known: {reason}"


def _tell(outcome: "Outcome", count: str, narrator: Narrator) -> None:
    """Say in one line what became of a scan."""
    if outcome.shapes is None or outcome.written is None:
        narrator.step()
        complain(f"{count} {outcome.job.name}: {message_of(outcome.error)}")
        return
    anatomies = outcome.shapes.anatomies
    missing = [name for name in anatomies if name not in outcome.shapes.found]
    found = f"{len(anatomies) - len(missing)} of {len(anatomies)} anatomies"
    if missing:
        found += f" (not found: {', '.join(missing)})"
    where = outcome.written.page or outcome.written.folder
    narrator.step()
    narrator.say(f"{count} {outcome.job.name}: {found}, {outcome.seconds:.1f} s, {where}")
    for line in _lights(outcome.shapes):
        narrator.say(f"  {line}")
    for line in _sureness(outcome.shapes):
        narrator.say(f"  {line}")
    for note in outcome.written.notes:  # what was asked for and is not there: heard when quiet, too
        complain(f"{count} {outcome.job.name}: {note}")


def _lights(shapes: "ScanShapes") -> list[str]:
    """Write the light of the scan and of each anatomy, with the reason where it is not green."""
    if shapes.trust is None:
        return []
    lights = {"scan": shapes.trust}
    lights |= {name: shape.trust for name, shape in shapes.found.items() if shape.trust}
    width = max(map(len, lights))
    return [
        f"{name:{width}}  {trust.light:5}  {trust.reason}".rstrip()
        for name, trust in lights.items()
    ]


def _sureness(shapes: "ScanShapes") -> list[str]:
    """Write of each anatomy how far off it may be, where the model promises something."""
    found = {name: shape for name, shape in shapes.found.items() if shape.band or shape.unsure}
    if not any(shape.band for shape in found.values()):
        return []
    width = max(map(len, found))
    lines = []
    for name, shape in found.items():
        said = [f"nothing is promised: {shape.unsure}"] if shape.band is None else []
        if shape.band is not None:
            level = f"{100 * shape.band.level:g} %"
            share, whole = shape.band.share_mm, shape.band.whole_mm
            if share is not None:
                said.append(f"{level} of the particles within {share.mean():.1f} mm")
            if whole is not None:
                said.append(f"all within {whole.mean():.1f} mm with {level}")
        lines.append(f"{name:{width}}  {', '.join(said)}")
    return lines
