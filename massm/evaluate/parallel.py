"""One job for each subject, over several processes."""

import logging
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TypeVar

from massm.config.evaluate import SurfaceMeasuresConfig
from massm.evaluate.rows import Row
from massm.evaluate.truth import Subject

log = logging.getLogger(__name__)

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True)
class SubjectJob:
    """What is needed to measure one subject.

    Attributes:
        model: Name of the model.
        subject: The truth.
        prediction: File of the model's prediction.
        surfaces: Folder of the model's surfaces of this subject.
        references: Folder of this subject's surfaces from true particles.
        config: What to measure.
    """

    model: str
    subject: Subject
    prediction: Path
    surfaces: Path
    references: Path
    config: SurfaceMeasuresConfig


def collect_rows(
    measure: Callable[[SubjectJob], list[Row]],
    jobs: Sequence[SubjectJob],
    *,
    processes: int,
    headline: str,
) -> list[Row]:
    """Measure every subject and say so: done/total, time, and the mean of one measure.

    Args:
        measure: Measures one subject; defined at the top of a module.
        jobs: One for each subject.
        processes: Number of processes.
        headline: Name of the measure whose mean goes to the log.
    """
    rows: list[Row] = []
    start = time.monotonic()
    pairs = zip(jobs, map_jobs(measure, jobs, processes), strict=True)
    for done, (job, found) in enumerate(pairs, start=1):
        values = [row[-1] for row in found if row[5] == headline]
        text = f"{fmean(values):.2f}, mean of {len(values)}" if values else "nothing to measure"
        elapsed = time.monotonic() - start
        log.info(
            "%d/%d %.0f s  %s: %s %s", done, len(jobs), elapsed, job.subject.name, headline, text
        )
        rows += found
    return rows


def map_jobs(
    function: Callable[[Job], Result], jobs: Sequence[Job], processes: int
) -> Iterator[Result]:
    """Run a function on each job and hand out results in the order of the jobs.

    Processes are started fresh (``spawn``): libraries that hold threads do not survive a fork.

    Args:
        function: Defined at the top of a module, so that another process can import it.
        jobs: What it is called with; must be picklable.
        processes: Number of processes; 1 runs everything here.
    """
    if processes <= 1 or len(jobs) <= 1:
        yield from map(function, jobs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(jobs)), context) as pool:
        yield from pool.map(function, jobs)
