"""What new shapes are fitted to, in a model folder: ``fit.safetensors``."""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from massm.fitting.fit_model import FitModel, frozen_of
from massm.groom.cloud import Cloud
from massm.inference.anatomy_shapes import finite_arrays
from massm.inference.folder import ADVICE
from massm.io import tensors
from massm.io.errors import DataError


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


def load_fit_model(
    path: Path, anatomy: str, particles: int, anatomies: Collection[str]
) -> FitModel:
    """Read what shapes of one anatomy are fitted to.

    Args:
        path: The file.
        anatomy: Which one.
        particles: How many the model has.
        anatomies: Those that the model predicts.

    Raises:
        DataError: If the file is damaged, is of other anatomies or another number of particles than
            the model, or holds what does not belong together.
    """
    _refuse_other_anatomies(path, anatomies)
    held = tensors.load(
        path, [name for name in tensors.names_in(path) if _anatomy_of(name) == anatomy]
    )
    expected = {name: shape.replace("M", str(particles)) for name, shape in _SHAPES.items()}
    arrays = finite_arrays(held, anatomy, expected, path)
    corners, count = arrays["template_faces"], len(arrays["template_vertices"])
    if corners.dtype.kind != "i" or not ((corners >= 0) & (corners < count)).all():
        raise DataError(
            f"{path}: {anatomy}/template_faces names other than {count} vertices; {ADVICE}"
        )
    arrays = {
        name: array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
        for name, array in arrays.items()
    }
    if not (arrays["variances"] >= 0).all():
        raise DataError(f"{path}: {anatomy}/variances holds what is below 0; {ADVICE}")
    limit = _single(held, anatomy, "residual_limit", path)
    if not limit > 0:  # infinite after few subjects
        raise DataError(f"{path}: {anatomy}/residual_limit is {limit}, no distance; {ADVICE}")
    arrays["residual_limit"] = np.array(limit)
    points = arrays["reference_points"]
    reference = Cloud(points, arrays["reference_normals"], np.zeros(3))
    return FitModel(frozen_of(arrays), reference, bool(_single(held, anatomy, "reflected", path)))


def _anatomy_of(name: str) -> str:
    return name.rpartition("/")[0]


def _refuse_other_anatomies(path: Path, anatomies: Collection[str]) -> None:
    """Refuse a file that knows other anatomies than the model does."""
    found = {_anatomy_of(name) for name in tensors.names_in(path)}
    if found != set(anatomies):
        raise DataError(
            f"{path} is not of this model: it holds {', '.join(sorted(found)) or 'nothing'}, the "
            f"model's anatomies are {', '.join(anatomies)}; {ADVICE}"
        )


def _single(held: Mapping[str, np.ndarray], anatomy: str, name: str, path: Path) -> float:
    """Take a single number."""
    array = held.get(f"{anatomy}/{name}")
    if array is None or array.size != 1:
        found = "is missing" if array is None else f"holds {array.size} numbers, expected one"
        raise DataError(f"{path}: {anatomy}/{name} {found}; {ADVICE}")
    return float(array.item())


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
