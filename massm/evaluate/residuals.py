"""How far predicted particles lie from the surfaces of segmentations, subject by subject."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from jaxtyping import Float

from massm.evaluate.truth import TrueSubject
from massm.geometry.distance import SurfaceIndex
from massm.io import meshes
from massm.io.errors import DataError
from massm.io.predictions import SubjectPrediction
from massm.io.residuals import Residuals

Place = Callable[[str, Float[np.ndarray, "n 3"]], Float[np.ndarray, "M 3"]]
"""Makes, of an anatomy's predicted particles, those whose distance counts."""


def as_predicted(anatomy: str, particles: Float[np.ndarray, "M 3"]) -> Float[np.ndarray, "M 3"]:
    """Let the predicted particles count."""
    return particles


def measure_residuals(
    found: Iterable[tuple[TrueSubject, SubjectPrediction, Place]],
    anatomies: Sequence[str],
    particles: int,
) -> Residuals:
    """Measure every anatomy that is there and whose true surface is known.

    Excluded anatomies, as those that the field of view cuts, are not known and so withheld.

    Args:
        found: Subjects, what a model says of each, and which particles count.
        anatomies: Their order.
        particles: How many each has.

    Raises:
        DataError: If a model gives no particles in the image.
    """
    rows, names = [], []
    for subject, prediction, place in found:
        row = np.full((len(anatomies), particles), np.nan)
        for anatomy in subject.present:
            if anatomy.surface is None:
                continue
            column = anatomies.index(anatomy.name)
            if prediction.is_present(anatomy.name):
                shape = place(anatomy.name, _particles(subject.name, anatomy.name, prediction))
                row[column] = SurfaceIndex(meshes.read(anatomy.surface)).closest(shape).distance
            else:
                row[column] = np.inf
        rows.append(row)
        names.append(subject.name)
    distance = np.stack(rows) if rows else np.full((0, len(anatomies), particles), np.nan)
    return Residuals(tuple(names), tuple(anatomies), distance)


def _particles(
    subject: str, anatomy: str, prediction: SubjectPrediction
) -> Float[np.ndarray, "n 3"]:
    found = prediction.local_of(anatomy)
    if found is None:
        raise DataError(
            f"{subject}: {anatomy} was predicted without particles in the image; take the model "
            "out of intervals.models"
        )
    return found
