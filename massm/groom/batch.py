"""Groom many organs; one that fails becomes a row with its reason."""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from massm.config.groom import SurfaceConfig
from massm.geometry.isosurface import isosurface
from massm.geometry.volume import Volume
from massm.groom.mask import crop_mask
from massm.groom.surface import Groomed, groom_mask, groom_mesh
from massm.io import images, meshes
from massm.io.errors import DataError
from massm.machine.processes import in_processes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """One organ of one subject to groom.

    Attributes:
        subject: Name of the subject.
        anatomy: Name of the organ.
        source: A mask, a label map, a signed distance or a mesh.
        label: The organ's value if ``source`` is a label map.
        surface: Where the groomed surface goes.
    """

    subject: str
    anatomy: str
    source: Path
    label: int | None
    surface: Path

    @property
    def name(self) -> str:
        """Subject and anatomy."""
        return f"{self.subject} {self.anatomy}"


@dataclass(frozen=True)
class Outcome:
    """What came of a task: measures, or the reason why there are none.

    Attributes:
        task: The organ.
        reason: Why it failed; empty if it did not.
        volume_ml: Volume of the surface, ml.
        mask_volume_ml: Volume of the input, ml.
        faces: Triangles of the surface.
        error_mm: Mean distance between surface and input, mm.
        error_p95_mm: 95th percentile of it, mm.
        genus: Handles of the surface.
        seconds: Wall time.
    """

    task: Task
    reason: str = ""
    volume_ml: float = float("nan")
    mask_volume_ml: float = float("nan")
    faces: int = 0
    error_mm: float = float("nan")
    error_p95_mm: float = float("nan")
    genus: int = 0
    seconds: float = 0.0


def groom_all(
    tasks: Sequence[Task], config: SurfaceConfig, *, workers: int = 1
) -> Iterator[Outcome]:
    """Groom each organ and write its surface; outcomes come in the order they are ready.

    Args:
        tasks: Organs of one batch.
        config: How to groom.
        workers: Most processes, each with one thread.
    """
    groom = partial(groom_one, config)
    for _, outcome in in_processes(groom, tasks, workers=workers, name=lambda task: task.name):
        yield outcome


def groom_one(config: SurfaceConfig, task: Task) -> Outcome:
    """Groom one organ and write its surface."""
    started = time.perf_counter()
    try:
        groomed = _groom(task, config)
    except DataError as error:
        task.surface.unlink(missing_ok=True)  # of an earlier run
        seconds = time.perf_counter() - started
        return Outcome(task, reason=" ".join(str(error).split()), seconds=seconds)
    meshes.write(groomed.surface, task.surface)
    outcome = Outcome(
        task,
        volume_ml=groomed.surface.volume_ml,
        mask_volume_ml=groomed.source_volume_ml,
        faces=len(groomed.surface.faces),
        error_mm=groomed.error_mm,
        error_p95_mm=groomed.error_p95_mm,
        genus=groomed.genus,
    )
    return replace(outcome, seconds=time.perf_counter() - started)


def _groom(task: Task, config: SurfaceConfig) -> Groomed:
    if meshes.is_mesh(task.source):
        return groom_mesh(meshes.read(task.source), config)
    mask = _read_cropped(task)
    if mask.array.dtype != bool:
        return groom_mesh(isosurface(mask), config)
    return groom_mask(mask, config)


def _read_cropped(task: Task) -> Volume:
    """Read a signed distance, or a mask cut to the organ's box: the whole scan is not kept."""
    found = images.read_segmentation(task.source, task.label)
    return found.volume if found.is_distance else crop_mask(found.volume)
