"""Find the training subject nearest to the average shape."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.template.average import average_shape
from massm.template.soundness import fault_of


@dataclass(frozen=True)
class Medoid:
    """The subject that becomes the template.

    Attributes:
        subject: Its name.
        mesh: Its surface in image space, LPS mm.
        distances: Mean distance to the average shape, mm, by subject, nearest first.
        rejected: Subjects that are nearer but whose mesh is unfit, with the reason.
    """

    subject: str
    mesh: Mesh
    distances: dict[str, float]
    rejected: dict[str, str]


def find_medoid(
    surfaces: Mapping[str, Mesh],
    transforms: Mapping[str, Float[np.ndarray, "4 4"]],
    *,
    spacing_mm: float,
) -> Medoid:
    """Average the aligned shapes and take the subject nearest to the average.

    Args:
        surfaces: Closed surfaces of the training subjects in image space, LPS mm; a mapping that
            reads a surface when asked keeps memory small.
        transforms: Matrices from image space to the common frame, by subject.
        spacing_mm: Grid spacing of the average, mm.

    Raises:
        ValueError: If no mesh is fit to be a template.
    """
    aligned = _Aligned(surfaces, transforms)
    average = average_shape(aligned, spacing_mm=spacing_mm)
    distances = {
        name: _apart(mesh, average) for name, mesh in zip(sorted(surfaces), aligned, strict=True)
    }
    distances = dict(sorted(distances.items(), key=lambda item: (item[1], item[0])))
    rejected: dict[str, str] = {}
    for name in distances:
        mesh = surfaces[name]
        fault = fault_of(mesh)
        if not fault:
            return Medoid(name, mesh, distances, rejected)
        rejected[name] = fault
    nearest = next(iter(rejected))
    raise ValueError(
        f"none of {len(rejected)} training surfaces is fit to be a template; the nearest, "
        f"{nearest}, is {rejected[nearest]}"
    )


class _Aligned:
    """The surfaces in the common frame, one at a time, in the order of their names."""

    def __init__(
        self,
        surfaces: Mapping[str, Mesh],
        transforms: Mapping[str, Float[np.ndarray, "4 4"]],
    ) -> None:
        self._surfaces, self._transforms = surfaces, transforms

    def __iter__(self) -> Iterator[Mesh]:
        for name in sorted(self._surfaces):
            yield self._surfaces[name].transformed(self._transforms[name])


def _apart(first: Mesh, second: Mesh) -> float:
    there = SurfaceIndex(second).closest(first.vertices).distance.mean()
    back = SurfaceIndex(first).closest(second.vertices).distance.mean()
    return float(there + back) / 2
