"""Reading what a model predicted for one subject."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from massm.evaluate.detection import Box
from massm.io.damage import named
from massm.io.errors import DataError
from massm.io.particles import load_arrays
from massm.io.shapes import refuse_other_shapes

_WORLD = "world_"


@dataclass(frozen=True)
class Prediction:
    """One subject's prediction, whatever the model.

    Attributes:
        anatomies: Names of the K anatomies.
        score: How sure the model is that each is in the image.
        present: Whether it says so.
        center: Box centers, LPS mm; nan where not present.
        radius: Half extents of the boxes, mm; nan where not present.
        local: Particles, LPS mm; None for a model without particles.
        world: Particles in the population frame for each world head, mm.
    """

    anatomies: tuple[str, ...]
    score: Float[np.ndarray, " K"]
    present: Bool[np.ndarray, " K"]
    center: Float[np.ndarray, "K 3"]
    radius: Float[np.ndarray, "K 3"]
    local: Float[np.ndarray, "K M 3"] | None
    world: dict[str, Float[np.ndarray, "K M 3"]]

    def row(self, anatomy: str) -> int:
        """Find the row of an anatomy.

        Raises:
            DataError: If the prediction does not know it.
        """
        if anatomy not in self.anatomies:
            known = ", ".join(self.anatomies)
            raise DataError(f"{anatomy} is not among the predicted anatomies ({known})")
        return self.anatomies.index(anatomy)

    def box(self, anatomy: str) -> Box | None:
        """Return the box of an anatomy, or None if the model did not find it."""
        row = self.row(anatomy)
        return Box(self.center[row], self.radius[row]) if self.present[row] else None


def read_prediction(path: Path) -> Prediction:
    """Read a prediction file.

    Raises:
        DataError: If it is damaged, lacks an array, or says that an organ is there without saying
            where.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such prediction; predict must cover the splits of evaluate")
    arrays = load_arrays(path)
    shapes = {"anatomies": "K", "score": "K", "present": "K", "center": "K 3", "radius": "K 3"}
    particles = [name for name in arrays if name == "local" or name.startswith(_WORLD)]
    shapes |= dict.fromkeys(particles, "K M 3")
    refuse_other_shapes(arrays, shapes, path, "it is not a prediction: run predict again")
    with named(path, "not a prediction", "run predict again"):
        prediction = Prediction(
            tuple(str(name) for name in arrays["anatomies"]),
            arrays["score"].astype(float),
            arrays["present"].astype(bool),
            arrays["center"].astype(float),
            arrays["radius"].astype(float),
            arrays["local"].astype(float) if "local" in arrays else None,
            {
                name.removeprefix(_WORLD): array.astype(float)
                for name, array in arrays.items()
                if name.startswith(_WORLD)
            },
        )
    _check(prediction, path)
    return prediction


def _check(prediction: Prediction, path: Path) -> None:
    placed = np.isfinite(prediction.center).all(1) & np.isfinite(prediction.radius).all(1)
    groups = [prediction.local] if prediction.local is not None else []
    for particles in [*groups, *prediction.world.values()]:
        placed &= np.isfinite(particles).all((1, 2))
    lost = np.flatnonzero(prediction.present & ~placed)
    if len(lost):
        names = ", ".join(prediction.anatomies[i] for i in lost)
        raise DataError(
            f"{path}: {names} is predicted as present, but its box or particles are not finite; "
            "train longer or predict again"
        )
