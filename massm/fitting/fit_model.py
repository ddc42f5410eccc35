"""What a new shape is fitted to: pose and particles of one anatomy's population, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from massm.config.groom import AlignmentConfig
from massm.geometry.alignment import apply_transform, fit_similarity
from massm.geometry.distance import SurfaceIndex
from massm.geometry.frames import MIRROR
from massm.geometry.mesh import Mesh
from massm.groom.align import align, points_needed
from massm.groom.cloud import Cloud, cloud_of
from massm.pdm.fixed import FrozenModel
from massm.pdm.shape_model import ShapeModel


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
        start = MIRROR if self.reflected else np.eye(4)
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


@dataclass(frozen=True)
class Reference:
    """The surface that grooming aligned an anatomy's surfaces to.

    Attributes:
        surface: Of a training subject, image frame, mm.
        mirrored: Whether this surface was mirrored before.
        reflected: Whether the anatomy's surfaces are mirrored before they are aligned; not the
            same where the reference is of the other side.
    """

    surface: Mesh
    mirrored: bool
    reflected: bool


def registers(model: Mapping[str, np.ndarray]) -> bool:
    """Tell whether the engine behind ``correspond/{anatomy}/model.npz`` registers a template."""
    return "template_vertices" in model


def pipelines_own(
    model: Mapping[str, np.ndarray], reference: Reference, config: AlignmentConfig
) -> FitModel:
    """Take what the run itself aligned and fitted its validation and test subjects to.

    Args:
        model: ``correspond/{anatomy}/model.npz`` of an engine that :func:`registers`.
        reference: What all were aligned to.
        config: How shapes are aligned.
    """
    cloud = _centered_cloud(reference.surface, config, mirrored=reference.mirrored)
    return FitModel(frozen_of(model), cloud, reference.reflected)


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

    start = MIRROR if reflected else np.eye(4)
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
    return FitModel(frozen, _centered_cloud(there, config, mirrored=False), reflected)


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


def _centered_cloud(surface: Mesh, config: AlignmentConfig, *, mirrored: bool) -> Cloud:
    """Take the points of a reference as grooming does: mirrored or not, then centered."""
    cloud = cloud_of(surface, points_needed(config)).moved(MIRROR if mirrored else np.eye(4))
    shift = np.eye(4)
    shift[:3, 3] = -cloud.center
    return cloud.moved(shift)


def _normals_at(mesh: Mesh, points: Float[np.ndarray, "M 3"]) -> Float[np.ndarray, "M 3"]:
    return np.asarray(mesh.face_normals[SurfaceIndex(mesh).closest(points).face])
