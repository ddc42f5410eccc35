"""One job for each subject, over several processes."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Protocol, TypeVar, runtime_checkable

from massm.config.evaluate import SurfaceMeasuresConfig
from massm.evaluate.rows import MeasureRow, rows_of
from massm.evaluate.truth import TrueAnatomy, TrueSubject
from massm.geometry.mesh import Mesh
from massm.io import meshes
from massm.io.predictions import SubjectPrediction
from massm.machine.processes import in_processes

log = logging.getLogger(__name__)


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
    subject: TrueSubject
    prediction: Path
    surfaces: Path
    references: Path
    config: SurfaceMeasuresConfig

    def found(self, prediction: SubjectPrediction) -> Iterator[TrueAnatomy]:
        """Yield the anatomies that are there and were found; evaluate_detection counts others."""
        for anatomy in self.subject.present:
            if prediction.is_present(anatomy.name):
                yield anatomy

    def reference(self, anatomy: TrueAnatomy) -> Mesh | None:
        """Read the surface from an anatomy's true particles; None if it has none."""
        return read_reference(self.references, anatomy)

    def rows(
        self, head: str, anatomy: TrueAnatomy, measures: Mapping[str, float]
    ) -> list[MeasureRow]:
        """Lay one anatomy's measures out as rows of the long table."""
        return rows_of(
            self.model, head, self.subject.name, anatomy.name, self.subject.split, measures
        )


def read_reference(folder: Path, anatomy: TrueAnatomy) -> Mesh | None:
    """Read the surface from an anatomy's true particles; None if it has none.

    Args:
        folder: The subject's, ``reconstruct/reference/{subject}``.
        anatomy: What is known of it.
    """
    return None if anatomy.particles is None else meshes.read(folder / f"{anatomy.name}.vtp")


def subject_jobs(
    model: str,
    subjects: Iterable[TrueSubject],
    config: SurfaceMeasuresConfig,
    *,
    predictions: Path,
    surfaces: Path,
    references: Path,
) -> list[SubjectJob]:
    """Make the job of every subject that has one of the anatomies.

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


@runtime_checkable
class OfSubject(Protocol):
    """The job of one subject."""

    @property
    def subject(self) -> TrueSubject:
        """Whose."""


Job = TypeVar("Job", bound=OfSubject)


def collect_rows(
    measure: Callable[[Job], list[MeasureRow]],
    jobs: Sequence[Job],
    *,
    processes: int,
    headline: str,
) -> list[MeasureRow]:
    """Measure every subject and say so: done/total, time, and the mean of one measure.

    Args:
        measure: Measures one subject; defined at the top of a module.
        jobs: One for each subject.
        processes: Number of processes.
        headline: Name of the measure whose mean goes to the log.
    """
    found: dict[str, list[MeasureRow]] = {}
    start = time.monotonic()
    for job, rows in in_processes(
        measure, jobs, workers=processes, name=lambda job: job.subject.name
    ):
        found[job.subject.name] = rows
        values = [row.value for row in rows if row.measure == headline]
        text = f"{fmean(values):.2f}, mean of {len(values)}" if values else "nothing to measure"
        done = f"{len(found)}/{len(jobs)} {time.monotonic() - start:.0f} s"
        log.info("%s  %s: %s %s", done, job.subject.name, headline, text)
    return [row for job in jobs for row in found[job.subject.name]]
