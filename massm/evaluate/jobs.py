"""One job for each subject, over several processes."""

import logging
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TypeVar

from massm.config.evaluate import SurfaceMeasuresConfig
from massm.evaluate.prediction import Prediction
from massm.evaluate.rows import Row, rows_of
from massm.evaluate.truth import Organ, Subject

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

    def found(self, prediction: Prediction) -> Iterator[Organ]:
        """Yield the organs that are there and were found; evaluate_detection counts the others."""
        for organ in self.subject.present:
            if prediction.box(organ.anatomy) is not None:
                yield organ

    def rows(self, head: str, organ: Organ, measures: Mapping[str, float]) -> list[Row]:
        """Lay one organ's measures out as rows of the long table."""
        return rows_of(
            self.model, head, self.subject.name, organ.anatomy, self.subject.split, measures
        )


def subject_jobs(
    model: str,
    subjects: Iterable[Subject],
    config: SurfaceMeasuresConfig,
    *,
    predictions: Path,
    surfaces: Path,
    references: Path,
) -> list[SubjectJob]:
    """Make the job of every subject that has one of the organs.

    Args:
        model: Name of the model.
        subjects: The truth.
        config: What to measure.
        predictions: Folder with ``{subject}.npz``.
        surfaces: Folder with ``{subject}/``: the model's surfaces.
        references: The same for the surfaces from true particles.
    """
    return [
        SubjectJob(
            model,
            subject,
            predictions / f"{subject.name}.npz",
            surfaces / subject.name,
            references / subject.name,
            config,
        )
        for subject in subjects
        if subject.present
    ]


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
