"""From the results of a run to what its model folder holds of each anatomy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from massm.config.bundle import BundleConfig
from massm.config.correspond import CorrespondConfig
from massm.config.groom import AlignmentConfig
from massm.fitting.fit_model import FitModel, Reference, pipelines_own, registered_by, registers
from massm.geometry.boxes import box_of
from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.geometry.particles import ParticleSet
from massm.inference.anatomy_shapes import AnatomyShapes
from massm.inference.mean_shape import mean_particles, mean_surface
from massm.inference.statistics import TrainingStatistics, training_statistics
from massm.models.massm.impersonal import MeanShapes
from massm.pdm.shape_model import fit_shape_model
from massm.reconstruct.from_particles import Warp


@dataclass(frozen=True)
class AnatomyRun:
    """What a run made of one anatomy.

    Attributes:
        train: Particles of its training subjects.
        surfaces: Their groomed surfaces by subject, image frame; read when asked for.
        medoid: The training subject whose surface is the template.
        template: That surface.
        model: ``correspond/{anatomy}/model.npz``.
        reference: What all are aligned to.
    """

    train: ParticleSet
    surfaces: Mapping[str, Mesh]
    medoid: str
    template: Mesh
    model: Mapping[str, np.ndarray]
    reference: Reference


@dataclass(frozen=True)
class Recipe:
    """How it is put into the folder.

    Attributes:
        bundle: The stage's own section.
        regularization_mm: Smoothing of the warp.
        modes: Most modes of the shape model.
        alignment: How new shapes will be aligned.
        correspond: How particles will be placed on them.
    """

    bundle: BundleConfig
    regularization_mm: float
    modes: int
    alignment: AlignmentConfig
    correspond: CorrespondConfig


@dataclass(frozen=True)
class AnatomyPart:
    """What a model folder holds of one anatomy.

    Attributes:
        shapes: Template, particles and shape model.
        statistics: Where training subjects lie.
        fit: What new shapes are fitted to; None if it is not wanted.
        change_mm: Mean distance between the surfaces through the training subjects' particles, by
            the mean shape and by the medoid; 0 where the medoid stays.
    """

    shapes: AnatomyShapes
    statistics: TrainingStatistics
    fit: FitModel | None
    change_mm: float


def anatomy_part(run: AnatomyRun, recipe: Recipe) -> AnatomyPart:
    """Make the part of one anatomy.

    Raises:
        KeyError, ValueError: If something is missing, or shapes allow no model.
    """
    train = run.train
    model = fit_shape_model(train.world, recipe.modes)
    own = train.local[train.row(run.medoid)]
    medoid = AnatomyShapes(run.template, own, model, recipe.regularization_mm)
    surfaces = _InOrder(run.surfaces, train.subjects)
    shapes, change_mm = medoid, 0.0
    if recipe.bundle.template == "mean":
        mean = mean_particles(train)
        mesh = mean_surface(medoid.warp, mean, train, surfaces)
        shapes = AnatomyShapes(mesh, mean, model, recipe.regularization_mm)
        change_mm = surface_change(medoid.warp, shapes.warp, train.local)
    return AnatomyPart(
        shapes=shapes,
        statistics=training_statistics(model, train.world, surfaces),
        fit=_fit_model(run, shapes, recipe) if recipe.bundle.fit else None,
        change_mm=change_mm,
    )


def surface_change(one: Warp, other: Warp, particles: Float[np.ndarray, "N M 3"]) -> float:
    """Measure how far two warps make surfaces of the same particles, mean over vertices, mm."""
    apart = [
        SurfaceIndex(one.surface(shape)).closest(other.surface(shape).vertices).distance.mean()
        for shape in particles
    ]
    return float(np.mean(apart))


def mean_shapes(runs: Sequence[AnatomyRun]) -> MeanShapes:
    """Take what stands in the place of the medoids in the network's weights."""
    boxes = [box_of(run.train.local) for run in runs]
    centered = [
        (run.train.local - center[:, None]).mean(0)
        for run, (center, _) in zip(runs, boxes, strict=True)
    ]
    return MeanShapes(
        centered=torch.from_numpy(np.stack(centered)),
        pose_free=torch.from_numpy(np.stack([mean_particles(run.train) for run in runs])),
        world=torch.from_numpy(np.stack([run.train.world.mean(0) for run in runs])),
        reach=torch.from_numpy(np.array([2 * radius.max(-1).mean() for _, radius in boxes])),
    )


def _fit_model(run: AnatomyRun, shapes: AnatomyShapes, recipe: Recipe) -> FitModel:
    """Take the pipeline's own reference and template, where they may be kept and there are any."""
    if recipe.bundle.template == "medoid" and registers(run.model):
        return pipelines_own(run.model, run.reference, recipe.alignment)
    return registered_by(
        shapes.template,
        shapes.particles,
        run.model,
        recipe.alignment,
        recipe.correspond.entropy.initialization.template_vertices,
        reflected=run.reference.reflected,
    )


class _InOrder:
    """The surfaces of some subjects, one at a time, as often as they are asked for."""

    def __init__(self, surfaces: Mapping[str, Mesh], subjects: Sequence[str]) -> None:
        self._surfaces, self._subjects = surfaces, subjects

    def __iter__(self) -> Iterator[Mesh]:
        return (self._surfaces[name] for name in self._subjects)
