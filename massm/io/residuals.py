"""How far predicted particles lie from true surfaces: ``intervals/{model}/{of}.npz``."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from massm.io.errors import DataError
from massm.io.particles import load_arrays, save_arrays
from massm.io.shapes import refuse_other_shapes

_SHAPES = {"subjects": "N", "anatomies": "K", "distance_mm": "N K M"}
_ADVICE = "delete it and run its stage again"


@dataclass(frozen=True)
class Residuals:
    """Distances of one model's particles from the true surfaces of subjects.

    Attributes:
        subjects: Names of the N subjects.
        anatomies: Names of the K anatomies.
        distance_mm: From each predicted particle to the surface of the segmentation, mm; infinite
            of an anatomy that is there and was missed, nan where it is not there or its true
            surface is not known (cut by the field of view, for one).
    """

    subjects: tuple[str, ...]
    anatomies: tuple[str, ...]
    distance_mm: Float[np.ndarray, "N K M"]

    @property
    def known(self) -> Bool[np.ndarray, "N K"]:
        """Whether an anatomy is there, with its true surface."""
        return np.asarray(~np.isnan(self.distance_mm).any(-1))

    @property
    def missed(self) -> Bool[np.ndarray, "N K"]:
        """Whether it is, and was not found."""
        return np.asarray(np.isinf(self.distance_mm).any(-1))


def write_residuals(residuals: Residuals, path: Path) -> None:
    """Write them, whole or not at all."""
    arrays = {
        "subjects": np.array(residuals.subjects, dtype=np.str_),
        "anatomies": np.array(residuals.anatomies, dtype=np.str_),
        "distance_mm": residuals.distance_mm.astype(np.float32),
    }
    save_arrays(arrays, path)


def read_residuals(path: Path) -> Residuals:
    """Read what :func:`write_residuals` wrote.

    Raises:
        DataError: If the file is damaged or something else.
    """
    arrays = load_arrays(path)
    refuse_other_shapes(arrays, _SHAPES, path, _ADVICE)
    distance = arrays["distance_mm"]
    if distance.dtype.kind != "f" or (distance < 0).any():
        raise DataError(f"{path}: distance_mm holds what is no distance; {_ADVICE}")
    return Residuals(
        tuple(str(name) for name in arrays["subjects"]),
        tuple(str(name) for name in arrays["anatomies"]),
        distance.astype(float),
    )
