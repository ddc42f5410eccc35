"""Many scans through one model: what fails stops no other."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from massm.inference.bundle import Bundle
from massm.inference.describe import describe_scan
from massm.inference.outputs import OutputOptions, Written, write_scan
from massm.inference.shapes import ScanShapes
from massm.inference.sources import TABLES, open_scan, read_scan_table, refuse_unfit_name, scan_name
from massm.io.errors import FAILURES, DataError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One scan to predict, or one shape to fit.

    Attributes:
        name: What it is called.
        path: Where it is.
        folder: Where its results go.
    """

    name: str
    path: Path
    folder: Path

    @property
    def is_done(self) -> bool:
        """Whether results are there."""
        return self.folder.exists()


@dataclass(frozen=True)
class Outcome:
    """What became of one scan.

    Attributes:
        job: Which scan.
        seconds: How long it took.
        shapes: What was found; None if it failed.
        written: Where it is; None if it failed.
        error: Why it failed; None if it did not.
    """

    job: Job
    seconds: float
    shapes: ScanShapes | None = None
    written: Written | None = None
    error: Exception | None = None


def list_jobs(given: Sequence[Path], out: Path) -> list[Job]:
    """List scans, those of tables in their place, each with a folder of its own.

    Args:
        given: Scans, and tables of scans by their ending.
        out: Folder that holds the scans' folders.

    Raises:
        DataError: If a table cannot be used, a name cannot name a folder, or two have one name.
    """
    jobs: list[Job] = []
    for path in given:
        is_table = path.suffix.lower() in TABLES
        scans = read_scan_table(path) if is_table else [(scan_name(path), path)]
        for name, scan in scans:
            refuse_unfit_name(name, str(path))
            jobs.append(Job(name, scan, out / name))
    refuse_doubled(jobs, "scan", "list them in a table with columns subject and image, or ")
    return jobs


def refuse_doubled(jobs: Sequence[Job], what: str, advice: str = "") -> None:
    """Refuse two jobs whose folders are one; some disks take upper and lower case for one.

    Args:
        jobs: All of them.
        what: What they are: "scan".
        advice: What else can be done than to give them in several calls, up to an "or".

    Raises:
        DataError: Naming the first two.
    """
    seen: dict[str, Job] = {}
    for job in jobs:
        other = seen.setdefault(job.name.casefold(), job)
        if other is not job:
            raise DataError(
                f"{other.path} and {job.path} are both called {job.name}, and results are named by "
                f"their {what}: {advice}give them in calls of their own, each with its own --out"
            )


def predict_jobs(
    jobs: Sequence[Job],
    bundle: Bundle,
    options: OutputOptions,
    device: str = "cpu",
    tell: Callable[[str], None] = log.info,
) -> Iterator[Outcome]:
    """Predict scans one after the other and write what is found.

    Args:
        jobs: The scans.
        bundle: The model.
        options: What is written.
        device: Torch's name of what the network runs on.
        tell: Hears what is being done.
    """
    for job in jobs:
        start = time.monotonic()
        try:
            outcome = _predict(job, bundle, options, device, tell)
        except FAILURES as error:
            log.debug("%s failed", job.path, exc_info=True)
            outcome = Outcome(job, 0.0, error=error)
        yield replace(outcome, seconds=time.monotonic() - start)


def _predict(
    job: Job, bundle: Bundle, options: OutputOptions, device: str, tell: Callable[[str], None]
) -> Outcome:
    tell(f"{job.name}: reading")
    with open_scan(job.path, job.name) as source:
        for note in source.notes:
            log.info("%s: %s", job.path, note)
        tell(f"{job.name}: looking for {len(bundle.description.anatomies)} anatomies")
        shapes = describe_scan(source.volume, bundle, device, job.name)
        tell(f"{job.name}: writing")
        written = write_scan(shapes, source, bundle, job.folder, options)
    return Outcome(job, 0.0, shapes, written)
