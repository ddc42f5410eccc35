"""Groom many anatomies; one that fails becomes a row with its reason."""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from massm.config.groom import SurfaceConfig
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.groom.shapes import groom_shape, shape_in
from massm.io import meshes
from massm.io.errors import DataError
from massm.io.sources import Source, SurfaceFile, read_voxels
from massm.machine.processes import in_processes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GroomTask:
    """One anatomy of one subject to groom.

    Attributes:
        subject: Name of the subject.
        anatomy: Its name.
        source: Its file, and what that holds.
        surface: Where the groomed surface goes.
    """

    subject: str
    anatomy: str
    source: Source
    surface: Path

    @property
    def name(self) -> str:
        """Subject and anatomy."""
        return f"{self.subject} {self.anatomy}"


@dataclass(frozen=True)
class GroomOutcome:
    """What came of a task: measures, or the reason why there are none.

    Attributes:
        task: What was to be groomed.
        reason: Why it failed; empty if it did not.
        volume_ml: Volume of the surface, ml.
        mask_volume_ml: Volume of the input, ml.
        faces: Triangles of the surface.
        error_mm: Mean distance between surface and input, mm.
        error_p95_mm: 95th percentile of it, mm.
        genus: Handles of the surface.
        seconds: Wall time.
    """

    task: GroomTask
    reason: str = ""
    volume_ml: float = float("nan")
    mask_volume_ml: float = float("nan")
    faces: int = 0
    error_mm: float = float("nan")
    error_p95_mm: float = float("nan")
    genus: int = 0
    seconds: float = 0.0


def groom_all(
    tasks: Sequence[GroomTask], config: SurfaceConfig, *, workers: int = 1
) -> Iterator[GroomOutcome]:
    """Groom each anatomy and write its surface; outcomes come in the order they are ready.

    Args:
        tasks: Those of one batch.
        config: How to groom.
        workers: Most processes, each with one thread.
    """
    groom = partial(groom_one, config)
    for _, outcome in in_processes(groom, tasks, workers=workers, name=lambda task: task.name):
        yield outcome


def groom_one(config: SurfaceConfig, task: GroomTask) -> GroomOutcome:
    """Groom one anatomy and write its surface."""
    started = time.perf_counter()
    try:
        groomed = groom_shape(_shape(task.source), config)
    except DataError as error:
        task.surface.unlink(missing_ok=True)  # of an earlier run
        seconds = time.perf_counter() - started
        return GroomOutcome(task, reason=" ".join(str(error).split()), seconds=seconds)
    meshes.write(groomed.surface, task.surface)
    outcome = GroomOutcome(
        task,
        volume_ml=groomed.surface.volume_ml,
        mask_volume_ml=groomed.source_volume_ml,
        faces=len(groomed.surface.faces),
        error_mm=groomed.error_mm,
        error_p95_mm=groomed.error_p95_mm,
        genus=groomed.genus,
    )
    return replace(outcome, seconds=time.perf_counter() - started)


def _shape(source: Source) -> Mesh | Volume:
    """Read an anatomy; of its image no more is kept than that."""
    if isinstance(source, SurfaceFile):
        return meshes.read(source.path)
    return shape_in(read_voxels(source))
