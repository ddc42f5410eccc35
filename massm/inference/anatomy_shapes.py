"""What a model folder knows of the shapes of each anatomy: ``shapes.safetensors``."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float

from massm.geometry.mesh import Mesh
from massm.inference.folder import ADVICE
from massm.inference.statistics import TrainingStatistics
from massm.io import tensors
from massm.io.errors import DataError
from massm.io.shapes import refuse_other_shapes
from massm.pdm.shape_model import ShapeModel
from massm.reconstruct.from_particles import Warp, make_warp

_STATISTICS = "statistics"


@dataclass(frozen=True)
class AnatomyShapes:
    """What is known of the shapes of one anatomy.

    Attributes:
        template: Closed surface of the medoid, image frame of that subject, mm; or the mean
            surface, centered at the origin, axes as in an image.
        particles: Its particles, same frame, mm.
        model: Mean and modes of the training shapes, world frame, mm.
        regularization_mm: Smoothing of the warp, see :class:`massm.config.reconstruct`.
    """

    template: Mesh
    particles: Float[np.ndarray, "M 3"]
    model: ShapeModel
    regularization_mm: float

    @cached_property
    def warp(self) -> Warp:
        """The way from particles to a surface; made when it is first asked for."""
        return make_warp(self.template, self.particles, regularization=self.regularization_mm)

    def arrays(self) -> dict[str, np.ndarray]:
        """Name all arrays, for a file; modes, which take most of it, in single precision."""
        return {
            "vertices": self.template.vertices,
            "faces": self.template.faces.astype(np.int32),
            "particles": self.particles,
            "mean": self.model.mean,
            "modes": self.model.modes.astype(np.float32),
            "variances": self.model.variances,
        }


def shapes_and_statistics(
    shapes: Mapping[str, AnatomyShapes], statistics: Mapping[str, TrainingStatistics]
) -> dict[str, np.ndarray]:
    """Name the arrays of several anatomies, for one file."""
    arrays: dict[str, np.ndarray] = {}
    for anatomy, own in shapes.items():
        arrays |= {f"{anatomy}/{name}": array for name, array in own.arrays().items()}
        tables = statistics[anatomy].arrays()
        arrays |= {f"{anatomy}/{_STATISTICS}/{name}": array for name, array in tables.items()}
    return arrays


def load_shapes(
    path: Path, particles: int, regularization_mm: Mapping[str, float], subjects: Mapping[str, int]
) -> tuple[dict[str, AnatomyShapes], dict[str, TrainingStatistics]]:
    """Read shapes and statistics of the anatomies.

    Args:
        path: The file.
        particles: How many the model has.
        regularization_mm: Smoothing of the warp of each anatomy.
        subjects: How many training subjects are behind the statistics of each.

    Raises:
        DataError: If the file is damaged, lacks an array or holds what does not belong together.
    """
    held = tensors.load(path)
    shapes, statistics = {}, {}
    for anatomy, smoothing_mm in regularization_mm.items():
        arrays = _of_anatomy(held, anatomy, particles, path)
        shapes[anatomy] = AnatomyShapes(
            template=Mesh(arrays["vertices"], arrays["faces"].astype(np.int64)),
            particles=arrays["particles"],
            model=ShapeModel(arrays["mean"], arrays["modes"], arrays["variances"]),
            regularization_mm=smoothing_mm,
        )
        statistics[anatomy] = _statistics_of(held, anatomy, subjects[anatomy], path)
    return shapes, statistics


def _of_anatomy(
    held: Mapping[str, np.ndarray], anatomy: str, particles: int, path: Path
) -> dict[str, np.ndarray]:
    """Take the arrays of one anatomy, if they belong together and to the model."""
    expected = {
        "vertices": "V 3",
        "faces": "F 3",
        "particles": f"{particles} 3",
        "mean": f"{particles} 3",
        "modes": f"J {particles} 3",
        "variances": "J",
    }
    arrays = finite_arrays(held, anatomy, expected, path)
    corners, count = arrays["faces"], len(arrays["vertices"])
    if corners.dtype.kind != "i" or not ((corners >= 0) & (corners < count)).all():
        raise DataError(f"{path}: {anatomy}/faces names other than {count} vertices; {ADVICE}")
    return arrays


def _statistics_of(
    held: Mapping[str, np.ndarray], anatomy: str, subjects: int, path: Path
) -> TrainingStatistics:
    expected = {"volume_ml": "Q", "area_mm2": "Q", "mahalanobis": "Q", "scores": "S Q"}
    arrays = finite_arrays(held, f"{anatomy}/{_STATISTICS}", expected, path)
    modes = len(held[f"{anatomy}/variances"])
    if len(arrays["scores"]) > modes:
        raise DataError(
            f"{path}: {anatomy} has statistics of {len(arrays['scores'])} modes and a model of "
            f"{modes}; {ADVICE}"
        )
    return TrainingStatistics.of_arrays(arrays, subjects)


def finite_arrays(
    held: Mapping[str, np.ndarray], prefix: str, expected: Mapping[str, str], path: Path
) -> dict[str, np.ndarray]:
    """Take arrays ``prefix/name`` under their names, if their sizes and numbers are possible.

    Raises:
        DataError: Naming file and array.
    """
    named = {f"{prefix}/{name}": shape for name, shape in expected.items()}
    refuse_other_shapes(held, named, path, ADVICE)
    arrays = {name: held[f"{prefix}/{name}"] for name in expected}
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise DataError(f"{path}: {prefix}/{name} holds what is no finite number; {ADVICE}")
    return arrays
