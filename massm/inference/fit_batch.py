"""Many segmentations into the shape model of one folder: what fails stops no other."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from massm.inference.batch import Job, refuse_doubled
from massm.inference.bundle import Bundle
from massm.inference.fit import Fit, ShapeSpace, fit_to, shape_space, surface_of, write_fit
from massm.inference.sources import refuse_unfit_name, scan_name
from massm.io import suffixes
from massm.io.atomic import replacing_folder
from massm.io.errors import FAILURES, DataError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FitJob(Job):
    """One segmentation to fit.

    Attributes:
        anatomy: Which one it is.
    """

    anatomy: str


@dataclass(frozen=True)
class FitOutcome:
    """What became of one segmentation.

    Attributes:
        job: Which one.
        seconds: How long it took.
        fit: What was found; None if it failed.
        error: Why it failed; None if it did not.
    """

    job: FitJob
    seconds: float
    fit: Fit | None = None
    error: Exception | None = None


def list_fits(
    given: Sequence[Path], anatomy: str | None, known: Sequence[str], out: Path
) -> list[FitJob]:
    """List segmentations, each with its anatomy and a folder of its own.

    Args:
        given: Meshes, masks, label maps, signed distances; files or DICOM folders.
        anatomy: Which anatomy they are; None: each file, or folder, bears its anatomy's name.
        known: Anatomies of the model.
        out: Folder that holds their folders.

    Raises:
        DataError: If the model does not know the anatomy, a name tells none, a name cannot name a
            folder, or two have one name.
    """
    if anatomy is not None and anatomy not in known:
        raise DataError(f"the model knows no {anatomy}; it knows {', '.join(known)}")
    jobs = []
    for path in given:
        name = shape_name(path)
        refuse_unfit_name(name, str(path))
        jobs.append(FitJob(name, path, out / name, anatomy or _anatomy_of(name, path, known)))
    refuse_doubled(jobs, "shape")
    return jobs


def shape_name(path: Path) -> str:
    """Name a segmentation by its file without the ending, or by its folder."""
    return scan_name(path, (*suffixes.MESHES, *(f"{each}.gz" for each in suffixes.MESHES)))


def _anatomy_of(name: str, path: Path, known: Sequence[str]) -> str:
    found = [each for each in known if each.casefold() == name.casefold()]
    if len(found) == 1:
        return found[0]
    what = "folder" if path.is_dir() else "file"
    raise DataError(
        f"{path}: which anatomy is it? The {what}'s name, {name}, is none that the model knows; "
        f"name the anatomy (--anatomy), one of {', '.join(known)}, or call the {what} so"
    )


def fit_jobs(
    jobs: Sequence[FitJob],
    bundle: Bundle,
    label: int | None,
    tell: Callable[[str], None] = log.info,
    *,
    overwrite: bool,
) -> Iterator[FitOutcome]:
    """Fit segmentations one after the other and write what is found.

    Args:
        jobs: The segmentations.
        bundle: The model.
        label: The anatomy's value in label maps; None: each holds one anatomy.
        tell: Hears what is being done.
        overwrite: Whether results that are there are replaced.

    Raises:
        DataError: At once, if the folder cannot fit one of the anatomies.
    """
    spaces = {name: shape_space(bundle, name) for name in {job.anatomy for job in jobs}}
    return (_fit(job, bundle, spaces[job.anatomy], label, tell, overwrite) for job in jobs)


def _fit(
    job: FitJob,
    bundle: Bundle,
    space: ShapeSpace,
    label: int | None,
    tell: Callable[[str], None],
    overwrite: bool,
) -> FitOutcome:
    start = time.monotonic()
    try:
        tell(f"{job.name}: reading")
        surface = surface_of(job.path, bundle, label)
        tell(f"{job.name}: fitting as {job.anatomy}")
        found = fit_to(surface, space, job.path.name)
        with replacing_folder(job.folder, replace=overwrite) as beside:
            write_fit(found, bundle, beside)
    except FAILURES as error:
        log.debug("%s failed", job.path, exc_info=True)
        return FitOutcome(job, time.monotonic() - start, error=error)
    return FitOutcome(job, time.monotonic() - start, fit=found)
