"""A segmentation in the shape model of a model folder: particles, scores, how well it fits."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from massm.config.correspond import CorrespondConfig
from massm.config.groom import AlignmentConfig
from massm.evaluate.surface import surface_measures
from massm.fitting.fit_model import FitModel
from massm.fitting.placing import Fitter
from massm.geometry.mesh import Mesh
from massm.groom.shapes import groom_shape, shape_in
from massm.inference.anatomy_shapes import AnatomyShapes
from massm.inference.bundle import Bundle
from massm.inference.statistics import (
    Percentiles,
    TrainingStatistics,
    cautions_of,
    mahalanobis_of,
    standard_scores,
)
from massm.io import images, meshes
from massm.io.documents import write_json
from massm.io.errors import DataError
from massm.io.images import Segmentation
from massm.io.particles import write_text

_SAMPLES = 20000  # points of each surface that the residual is measured from


@dataclass(frozen=True)
class ShapeSpace:
    """What is known of one anatomy's shapes, and how a new one is placed among them.

    Attributes:
        anatomy: Its name.
        model: Pose and particles of the population, frozen.
        shapes: Template and shape model.
        statistics: Where training subjects lie.
        alignment: How a shape is aligned.
        correspond: How particles are placed on it.
    """

    anatomy: str
    model: FitModel
    shapes: AnatomyShapes
    statistics: TrainingStatistics
    alignment: AlignmentConfig
    correspond: CorrespondConfig


@dataclass(frozen=True)
class Residual:
    """Distance between a surface and the model's reconstruction of it, both ways, mm.

    Attributes:
        mean: Average of the two directed means.
        p95: 95th percentile, the larger of both directions.
        largest: Hausdorff distance.
    """

    mean: float
    p95: float
    largest: float


@dataclass(frozen=True)
class Fit:
    """One shape in the shape model of its anatomy.

    Attributes:
        anatomy: Its name.
        surface: The surface that was fitted, LPS mm.
        reconstruction: The template warped to the particles, LPS mm.
        local: Particles on the surface, LPS mm.
        world: The same in the population's frame, mm.
        transform: Matrix from LPS to that frame.
        scores: Along the J modes of the training statistics, standard deviations.
        mahalanobis: Distance from the mean in these modes, standard deviations.
        percentiles: Where volume, area, scores and distance lie among the training subjects.
        residual: Between surface and reconstruction.
        from_span_mm: Distance from the span of all training shapes, root mean square over
            particles, mm.
        span_limit_mm: What new subjects of the population stay below, mm; infinite if there were
            too few to tell.
        cautions: Why the population is too small to judge a shape by; empty if it is not.
    """

    anatomy: str
    surface: Mesh
    reconstruction: Mesh
    local: Float[np.ndarray, "M 3"]
    world: Float[np.ndarray, "M 3"]
    transform: Float[np.ndarray, "4 4"]
    scores: Float[np.ndarray, " J"]
    mahalanobis: float
    percentiles: Percentiles
    residual: Residual
    from_span_mm: float
    span_limit_mm: float
    cautions: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Say in which ways it lies outside of the training population; empty if it does not.

        Where it does, cautions follow: a shape may lie outside of few subjects and be a usual one.
        """
        found = []
        if self.from_span_mm > self.span_limit_mm:
            found.append(
                f"{self.from_span_mm:.2f} mm from the span of the training shapes, new subjects of "
                f"their population stay below {self.span_limit_mm:.2f} mm"
            )
        if self.percentiles.mahalanobis >= 100:
            found.append(
                f"{self.mahalanobis:.1f} standard deviations from the mean shape, farther than "
                "every training shape that was left out of the model"
            )
        return (*found, *self.cautions) if found else ()

    @property
    def is_outside(self) -> bool:
        """Whether it lies outside of the training population."""
        return bool(self.reasons)


def fit_shape(mesh: Mesh, bundle: Bundle, anatomy: str, name: str = "shape") -> Fit:
    """Fit a surface into the frozen shape model, as the pipeline does with subjects to test.

    It is aligned as grooming does: from wherever it lies, without a turn at first, turned by no
    more than the run's limit (``groom.alignment.max_rotation_deg``). It has to be in a patient's
    usual position, that is, not given in other axes than LPS.

    Args:
        mesh: Closed surface of one piece, faces outward, LPS mm. Of a mask or a raw mesh,
            :func:`surface_of` makes one.
        bundle: The model folder.
        anatomy: Which anatomy it is.
        name: What it is called in messages.

    Raises:
        DataError: If the folder does not know the anatomy or cannot fit, or the surface is not
            closed.
    """
    return fit_to(mesh, shape_space(bundle, anatomy), name)


def shape_space(bundle: Bundle, anatomy: str) -> ShapeSpace:
    """Take from a model folder what new shapes of an anatomy are fitted to.

    Raises:
        DataError: If the folder does not know the anatomy, or was made without such.
    """
    return ShapeSpace(
        anatomy=anatomy,
        model=bundle.fit_model(anatomy),
        shapes=bundle.shapes[anatomy],
        statistics=bundle.statistics[anatomy],
        alignment=bundle.facts.groom.alignment,
        correspond=bundle.facts.correspond,
    )


def fit_to(mesh: Mesh, space: ShapeSpace, name: str) -> Fit:
    """Fit a surface into a shape space: see :func:`fit_shape`.

    Raises:
        DataError: If the surface is not closed, or its particles make no surface.
    """
    try:
        placed = Fitter(space.model, space.alignment, space.correspond).place(mesh, name)
    except DataError as error:
        raise DataError(f"{space.anatomy}: {error}") from error
    statistics = space.statistics
    scores = standard_scores(space.shapes.model, placed.world, statistics.modes)
    try:
        reconstruction = space.shapes.warp.surface(placed.local)
    except ValueError as error:
        raise DataError(f"{name}: {space.anatomy} has no surface: {error}") from error
    return Fit(
        anatomy=space.anatomy,
        surface=mesh,
        reconstruction=reconstruction,
        local=placed.local,
        world=placed.world,
        transform=placed.transform,
        scores=scores,
        mahalanobis=mahalanobis_of(scores),
        percentiles=statistics.percentiles(
            volume_ml=mesh.volume_ml, area_mm2=mesh.area, scores=scores
        ),
        residual=_residual(mesh, reconstruction),
        from_span_mm=placed.from_span_mm,
        span_limit_mm=space.model.frozen.residual_limit,
        cautions=cautions_of(space.shapes.model, statistics.subjects),
    )


def surface_of(path: Path, bundle: Bundle, label: int | None = None) -> Mesh:
    """Make a clean closed surface of a segmentation, with the grooming that the model had.

    Args:
        path: A mask, a label map, a signed distance, or a mesh in any format that is read.
        bundle: The model folder.
        label: The anatomy's value in a label map.

    Raises:
        DataError: If it cannot be read, holds no anatomy that can be groomed, or is a mesh and a
            label is given.
    """
    is_mesh = meshes.is_mesh(path)
    if is_mesh and label is not None:
        raise DataError(f"{path}: a mesh has no labels, label {label} is given; leave it out")
    shape = meshes.read(path) if is_mesh else images.read_segmentation(path, label)
    return groomed(shape, bundle, str(path))


def groomed(shape: Mesh | Segmentation, bundle: Bundle, name: str) -> Mesh:
    """Make a clean closed surface, LPS mm, with the grooming that the model had.

    Args:
        shape: A surface, LPS mm, or what an image holds of an anatomy.
        bundle: The model folder.
        name: What it is called in messages.

    Raises:
        DataError: If it cannot be groomed.
    """
    try:
        given = shape if isinstance(shape, Mesh) else shape_in(shape)
        return groom_shape(given, bundle.facts.groom.surface).surface
    except (DataError, ValueError) as error:
        raise DataError(f"{name}: {error}") from error


def write_fit(fit: Fit, bundle: Bundle, folder: Path) -> None:
    """Write particles, surfaces and ``fit.json``.

    ``particles/{anatomy}_local.particles`` (LPS mm) and ``_world.particles``,
    ``meshes/{anatomy}.vtp`` (what was fitted) and ``meshes/{anatomy}-reconstruction.vtp``.
    """
    anatomy = fit.anatomy
    write_text(fit.local, folder / "particles" / f"{anatomy}_local.particles")
    write_text(fit.world, folder / "particles" / f"{anatomy}_world.particles")
    meshes.write(fit.surface, folder / "meshes" / f"{anatomy}.vtp")
    meshes.write(fit.reconstruction, folder / "meshes" / f"{anatomy}-reconstruction.vtp")
    write_json(fit_document(fit, bundle), folder / "fit.json")


def fit_document(fit: Fit, bundle: Bundle) -> dict[str, object]:
    """Lay a fit out as a JSON document; lengths in mm, scores in standard deviations."""
    limit = fit.span_limit_mm
    return {
        "anatomy": fit.anatomy,
        "outside": fit.is_outside,
        "reasons": list(fit.reasons),
        "cautions": list(fit.cautions),
        "volume_ml": fit.surface.volume_ml,
        "volume_percentile": fit.percentiles.volume,
        "area_mm2": fit.surface.area,
        "area_percentile": fit.percentiles.area,
        "mahalanobis": fit.mahalanobis,
        "mahalanobis_percentile": fit.percentiles.mahalanobis,
        "scores_sd": fit.scores.tolist(),
        "score_percentiles": fit.percentiles.scores.tolist(),
        "residual_mm": {
            "mean": fit.residual.mean,
            "p95": fit.residual.p95,
            "largest": fit.residual.largest,
        },
        "from_span_mm": fit.from_span_mm,
        "span_limit_mm": limit if np.isfinite(limit) else None,
        "transform": fit.transform.tolist(),
        "training_subjects": bundle.statistics[fit.anatomy].subjects,
        "model": {"commit": bundle.commit, "files": bundle.files},
    }


def _residual(surface: Mesh, reconstruction: Mesh) -> Residual:
    found = surface_measures(reconstruction, surface, samples=_SAMPLES, tolerances_mm=())
    return Residual(
        mean=found["surface_mean"], p95=found["surface_p95"], largest=found["surface_hausdorff"]
    )
