"""One subject of a ShapeWorks project: its particles in massm's frames, checked on its surface.

Frames. ShapeWorks grooms shapes where they are and keeps centering, alignment and reflection aside
as ``alignment``: its *local* particles lie on the groomed shape **before** that transform, and
``world = procrustes @ alignment @ local``. For shapes in scanner coordinates (LPS mm, as massm's
groomed surfaces and all that ITK reads are) that is massm's image frame. The particles that an
engine hands back lie in massm's aligned frame: they are the local ones moved by *massm's* alignment
of the subject, and ``procrustes`` is what then remains to the project's world frame.
Two other conventions exist. Shapes that massm had aligned already (``correspond.shapeworks.keep``)
have local particles in the aligned frame: ``correspond.project.frame`` says so. Versions up to 6.1
moved the groomed images themselves (``transform_1``): such particles lie elsewhere, and are refused
by their distance from the groomed surface.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from massm.config.project import ProjectConfig
from massm.geometry.alignment import apply_transform, fit_similarity, invert_transform
from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.io.errors import DataError

ROUNDING = 2e-5  # of the largest coordinate: ShapeWorks writes six digits


class Shape(NamedTuple):
    """Particles of one subject.

    Attributes:
        local: In massm's aligned frame, mm.
        world: In the project's world frame, mm.
        procrustes: Matrix from the aligned frame to world.
    """

    local: Float[np.ndarray, "M 3"]
    world: Float[np.ndarray, "M 3"]
    procrustes: Float[np.ndarray, "4 4"]


def to_shape(
    local: Float[np.ndarray, "M 3"],
    world: Float[np.ndarray, "M 3"],
    transform: Float[np.ndarray, "4 4"] | None,
    surface: Mesh,
    alignment: Float[np.ndarray, "4 4"],
    config: ProjectConfig,
) -> Shape:
    """Bring a subject's particles to massm's frames.

    Args:
        local: As the project has them, frame ``config.frame``, mm.
        world: The same in the project's world frame, mm.
        transform: What the project says carries local to world; None if it says nothing.
        surface: The subject's groomed surface, aligned frame.
        alignment: massm's matrix from image to aligned frame.
        config: Frame and largest distance.

    Raises:
        DataError: If the particles are not near the surface, world is not local moved by a
            similarity, or one of the two alignments mirrors the subject and the other does not.
    """
    to_aligned = {"image": alignment, "aligned": np.eye(4)}
    _check_distance(surface, local, to_aligned, config)
    moved = to_aligned[config.frame]
    procrustes = _to_world(local, world, transform) @ invert_transform(moved)
    if np.linalg.det(procrustes[:3, :3]) < 0:
        raise DataError(
            "the project mirrors it and groom.alignment does not, or the reverse; groom it in "
            "ShapeWorks without reflection, or list the anatomy in groom.alignment.reflect"
        )
    return Shape(apply_transform(moved, local), world, procrustes)


def _check_distance(
    surface: Mesh,
    local: Float[np.ndarray, "M 3"],
    to_aligned: dict[str, Float[np.ndarray, "4 4"]],
    config: ProjectConfig,
) -> None:
    index = SurfaceIndex(surface)
    distance = {
        frame: float(index.closest(apply_transform(matrix, local)).distance.mean())
        for frame, matrix in to_aligned.items()
    }
    found, limit = distance.pop(config.frame), config.distance_mm
    if found <= limit:
        return
    other, otherwise = distance.popitem()
    advice = (
        "groom and optimize in ShapeWorks what lies in the scanner's coordinates (LPS mm), such "
        "as the meshes of groom/surfaces, or raise correspond.project.distance_mm"
    )
    if otherwise <= limit:
        advice = f"they lie on it if you set correspond.project.frame to {other}"
    raise DataError(
        f"its particles lie {found:.1f} mm from its groomed surface on average, expected at most "
        f"{limit:g} mm; {advice}"
    )


def _to_world(
    local: Float[np.ndarray, "M 3"],
    world: Float[np.ndarray, "M 3"],
    given: Float[np.ndarray, "4 4"] | None,
) -> Float[np.ndarray, "4 4"]:
    """Find the matrix from local to world: the project's own, or the similarity that does it.

    Raises:
        DataError: If neither carries the local particles onto the world ones.
    """
    fitted = fit_similarity(torch.from_numpy(local), torch.from_numpy(world)).matrix().numpy()
    tolerance = ROUNDING * max(np.abs(local).max(), np.abs(world).max())
    for matrix in (fitted,) if given is None else (given, fitted):
        gap = float(np.abs(apply_transform(matrix, local) - world).max())
        if gap <= tolerance:
            return matrix
    raise DataError(
        f"no similarity carries its local particles onto its world particles, the best leaves "
        f"{gap:.2f} mm; the two are of different runs, or one is damaged: optimize again"
    )
