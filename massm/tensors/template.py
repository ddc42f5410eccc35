"""What the training split's shapes look like: the arrays of ``template.safetensors``."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from massm.geometry.alignment import generalized_procrustes
from massm.geometry.boxes import box_of
from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.geometry.particles import ParticleSet
from massm.io import tensors
from massm.io.errors import DataError
from massm.io.shapes import refuse_other_shapes
from massm.pdm.shape_model import fit_shape_model
from massm.tensors.sample import Template

_RIGID = 1e-3  # largest change of size by rounding

_SHAPES = {
    **dict.fromkeys(("template_local", "template_world", "mean_local", "mean_world"), "K M 3"),
    "normals": "K M 3",
    "center_local": "K M 3",
    "radius": "K 3",
    "modes_local": "K J M 3",
    "modes_world": "K J M 3",
}


def refuse_scaled(anatomy: str, particles: ParticleSet) -> None:
    """Refuse a population whose shapes were scaled to a common size.

    World targets of augmented samples, crops and world heads move shapes between the frames by
    rigid motions (and a mirror); they would be off by the scale.

    Raises:
        DataError: If a subject's transform from image to world is no rigid motion.
    """
    scales = np.cbrt(np.abs(np.linalg.det(particles.transforms[:, :3, :3])))
    worst = int(np.abs(scales - 1).argmax())
    if abs(scales[worst] - 1) > _RIGID:
        raise DataError(
            f"{anatomy}: the world particles of {particles.subjects[worst]} are scaled by "
            f"{scales[worst]:.3f}; networks need shapes in their own size: set "
            "correspond.entropy.scale to false, or make the project without scaling"
        )


def template_arrays(
    particles: Iterable[ParticleSet], medoids: Sequence[str], surfaces: Sequence[Mesh], modes: int
) -> dict[str, np.ndarray]:
    """Summarize the training split's particles, one anatomy after the other.

    Args:
        particles: Correspondence of each anatomy; rows of other splits are ignored. One is taken at
            a time, so that a generator need not hold all.
        medoids: The template subject of each anatomy.
        surfaces: Its surface, image frame, mm.
        modes: Most PCA modes kept; missing ones (few subjects) are zeros.
    """
    rows = [
        _anatomy_arrays(found.of_split("train"), medoid, surface, modes)
        for found, medoid, surface in zip(particles, medoids, surfaces, strict=True)
    ]
    return {name: np.stack([row[name] for row in rows]).astype(np.float32) for name in rows[0]}


def _anatomy_arrays(
    train: ParticleSet, medoid: str, surface: Mesh, modes: int
) -> dict[str, np.ndarray]:
    centers, radii = box_of(train.local)
    row = train.row(medoid)
    closest = SurfaceIndex(surface).closest(train.local[row])
    centered = train.local - centers[:, None]
    mean_world = train.world.mean(axis=0)
    mean_local = average_pose_mean(train)
    return {
        "template_local": centered[row],
        "template_world": train.world[row],
        "mean_local": mean_local - box_of(mean_local)[0],
        "mean_world": mean_world,
        "normals": surface.face_normals[closest.face],
        "center_local": centered.mean(axis=0),
        "modes_local": principal_deviations(centered, modes),
        "modes_world": principal_deviations(train.world, modes),
        "radius": radii.mean(axis=0),
    }


def average_pose_mean(train: ParticleSet) -> Float[np.ndarray, "M 3"]:
    """Return the mean shape in the training split's average pose, any place, mm.

    Averaging unaligned shapes would shrink them by their differences in pose; instead they are
    aligned, averaged, and turned to the mean of their poses, which is how the alignment leaves
    them.
    """
    aligned, _ = generalized_procrustes(torch.from_numpy(train.local).double())
    return aligned.mean(dim=0).numpy()


def principal_deviations(
    shapes: Float[np.ndarray, "N M 3"], modes: int
) -> Float[np.ndarray, "J M 3"]:
    """Return the leading PCA modes, each as the deviation of one standard deviation, mm.

    Modes that the shapes do not have are zero.
    """
    model = fit_shape_model(shapes, modes)
    padded = np.zeros((modes, *model.mean.shape))
    padded[: len(model.modes)] = np.sqrt(model.variances)[:, None, None] * model.modes
    return padded


def load_template(path: Path) -> Template:
    """Read ``template.safetensors``.

    Raises:
        DataError: If the file is damaged, lacks an array, or its arrays contradict each other.
    """
    held = tensors.load(path)
    refuse_other_shapes(held, _SHAPES, path, "run the tensors stage again")
    arrays = {name: torch.from_numpy(array) for name, array in held.items()}
    return Template(
        local=arrays["template_local"],
        world=arrays["template_world"],
        **{
            name: arrays[name]
            for name in (
                "mean_local",
                "mean_world",
                "normals",
                "center_local",
                "modes_local",
                "modes_world",
                "radius",
            )
        },
    )
