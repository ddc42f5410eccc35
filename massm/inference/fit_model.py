"""What a new shape is fitted to: pose and particles of one anatomy's population, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from massm.config.groom import AlignmentConfig
from massm.geometry.alignment import apply_transform, fit_similarity
from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.groom.align import align, points_needed
from massm.groom.cloud import Cloud, cloud_of
from massm.inference.anatomy_shapes import ADVICE, finite_arrays
from massm.io import tensors
from massm.io.errors import DataError
from massm.pdm.fixed import FrozenModel
from massm.pdm.shape_model import ShapeModel

_MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])


@dataclass(frozen=True)
class FitModel:
    """What a new shape of one anatomy is aligned and fitted to.

    Attributes:
        frozen: Shape model with all its modes, and the mesh that is registered to a new shape:
            that of a training subject, or the mean shape's.
        reference: Points of the surface that all are aligned to, centered: of a training subject,
            or of the mean shape.
        reflected: Whether shapes are mirrored across the sagittal plane before.
    """

    frozen: FrozenModel
    reference: Cloud
    reflected: bool

    def pose(self, mesh: Mesh, config: AlignmentConfig) -> Float[np.ndarray, "4 4"]:
        """Align a surface as grooming does.

        Args:
            mesh: Closed surface, LPS mm.
            config: How to align.

        Returns:
            The matrix from the frame of the mesh to the aligned frame.
        """
        start = _MIRROR if self.reflected else np.eye(4)
        cloud = cloud_of(mesh, points_needed(config)).moved(start)
        shift = np.eye(4)
        shift[:3, 3] = -cloud.center
        turn = align(cloud.moved(shift), self.reference, config)
        return np.asarray(turn @ shift @ start)

    def arrays(self) -> dict[str, np.ndarray]:
        """Name all arrays, for a file."""
        return {
            **self.frozen.arrays(),
            "reference_points": self.reference.points,
            "reference_normals": self.reference.normals,
            "reflected": np.array(self.reflected),
        }


def reference_cloud(surface: Mesh, config: AlignmentConfig, *, mirrored: bool) -> Cloud:
    """Take the points of a reference as grooming does: mirrored or not, then centered.

    Args:
        surface: Its closed surface, LPS mm.
        config: How many points.
        mirrored: Whether this surface is mirrored.
    """
    cloud = cloud_of(surface, points_needed(config)).moved(_MIRROR if mirrored else np.eye(4))
    shift = np.eye(4)
    shift[:3, 3] = -cloud.center
    return cloud.moved(shift)


def registered_by(
    surface: Mesh,
    particles: Float[np.ndarray, "M 3"],
    model: Mapping[str, np.ndarray],
    config: AlignmentConfig,
    vertices: int,
    *,
    reflected: bool,
) -> FitModel:
    """Let a surface stand for its population: shapes are aligned to it, and it is registered.

    For mean shapes, and for models of engines that register nothing.

    Args:
        surface: Closed, axes as in an image, mm.
        particles: Its particles.
        model: ``correspond/{anatomy}/model.npz``; normals are those of the surface if it has none.
        config: How shapes are aligned.
        vertices: Of the mesh that is registered to a new shape, about.
        reflected: Whether shapes are mirrored first.
    """
    from massm.groom.remesh import remesh

    start = _MIRROR if reflected else np.eye(4)
    turned = apply_transform(start, particles)
    mean = torch.from_numpy(model["mean"])
    move = fit_similarity(torch.from_numpy(turned), mean, allow_scale=False).matrix().numpy()
    there, own = surface.transformed(move @ start), apply_transform(move, turned)
    coarse = remesh(there, min(2 * vertices, len(there.faces)))
    frozen = FrozenModel(
        shape=ShapeModel(model["mean"], model["modes"], model["variances"]),
        normals=model["normals"] if "normals" in model else _normals_at(there, own),
        template_vertices=coarse.vertices,
        template_faces=coarse.faces,
        template_particles=own,
        residual_limit=float(model["residual_limit"].item()),
    )
    return FitModel(frozen, reference_cloud(there, config, mirrored=False), reflected)


def _normals_at(mesh: Mesh, points: Float[np.ndarray, "M 3"]) -> Float[np.ndarray, "M 3"]:
    return np.asarray(mesh.face_normals[SurfaceIndex(mesh).closest(points).face])


def frozen_of(arrays: Mapping[str, np.ndarray]) -> FrozenModel:
    """Put together what :meth:`massm.pdm.fixed.FrozenModel.arrays` named."""
    return FrozenModel(
        shape=ShapeModel(arrays["mean"], arrays["modes"], arrays["variances"]),
        normals=arrays["normals"],
        template_vertices=arrays["template_vertices"],
        template_faces=arrays["template_faces"],
        template_particles=arrays["template_particles"],
        residual_limit=float(arrays["residual_limit"].item()),
    )


def fit_arrays(models: Mapping[str, FitModel], *, single: bool) -> dict[str, np.ndarray]:
    """Name the arrays of several anatomies, for one file.

    Args:
        models: By anatomy.
        single: Whether real numbers become single precision. Where a fit is to be the pipeline's
            own they may not: the particles' last bits decide which neighbors they have.
    """
    return {
        f"{anatomy}/{name}": array.astype(np.float32)
        if single and array.dtype.kind == "f"
        else array
        for anatomy, model in models.items()
        for name, array in model.arrays().items()
    }


def load_fit_model(path: Path, anatomy: str, particles: int) -> FitModel:
    """Read what shapes of one anatomy are fitted to.

    Args:
        path: The file.
        anatomy: Which organ.
        particles: How many the model has.

    Raises:
        DataError: If the file is damaged or knows nothing of the anatomy.
    """
    names = [f"{anatomy}/{name}" for name in [*_SHAPES, "residual_limit", "reflected"]]
    held = tensors.load(path, names)
    expected = {name: shape.replace("M", str(particles)) for name, shape in _SHAPES.items()}
    arrays = finite_arrays(held, anatomy, expected, path)
    if arrays["template_faces"].max(initial=0) >= len(arrays["template_vertices"]):
        raise DataError(f"{path}: {anatomy}/template_faces names vertices there are none; {ADVICE}")
    arrays = {
        name: array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
        for name, array in arrays.items()
    }
    arrays["residual_limit"] = held[f"{anatomy}/residual_limit"]  # infinite after few subjects
    points = arrays["reference_points"]
    reference = Cloud(points, arrays["reference_normals"], np.zeros(3))
    return FitModel(frozen_of(arrays), reference, bool(held[f"{anatomy}/reflected"].item()))


_SHAPES = {
    "mean": "M 3",
    "modes": "J M 3",
    "variances": "J",
    "normals": "M 3",
    "template_vertices": "V 3",
    "template_faces": "F 3",
    "template_particles": "M 3",
    "reference_points": "P 3",
    "reference_normals": "P 3",
}
