"""What a model says about one subject, and its file: ``predict/{model}/{subject}.npz``.

The file holds ``anatomies``, ``present`` and ``score``, and of the other parts those that the
model gives: ``center`` and ``radius`` together, ``local``, ``world_{head}`` for each world head,
and ``agreement``. These names stand in this module alone. A label map lies beside it, as
``{subject}.nii.gz``; the file then holds probabilities, too, see :mod:`massm.io.probabilities`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from massm.geometry.boxes import Box
from massm.geometry.volume import Volume
from massm.io import probabilities
from massm.io.errors import DataError
from massm.io.images import read_image, write_image
from massm.io.particles import load_arrays, save_arrays
from massm.io.shapes import refuse_other_shapes

_ALWAYS = {"anatomies": "K", "present": "K", "score": "K"}
_BOXES = {"center": "K 3", "radius": "K 3"}
_LOCAL = "local"
_AGREEMENT = "agreement"
_WORLD = "world_"
_KINDS = {  # others are numbers with a fraction
    "anatomies": ("U", "text"),
    "present": ("b", "true or false"),
    "probability": ("u", "bytes"),
    "probability_start": ("i", "whole numbers"),
    "probability_size": ("i", "whole numbers"),
}
_NUMBERS = ("f", "numbers with a fraction")
_ADVICE = "it is not a prediction: run predict again"


@dataclass(frozen=True)
class PredictedBoxes:
    """The boxes of K anatomies.

    Attributes:
        center: Their middles, image frame, LPS mm; nan where not present.
        radius: Their half extents along x, y, z, mm; nan where not present.
    """

    center: Float[np.ndarray, "K 3"]
    radius: Float[np.ndarray, "K 3"]


@dataclass(frozen=True)
class SubjectPrediction:
    """What a model, whichever it is, says about one subject.

    Attributes:
        anatomies: Names of the K anatomies, in the order of all rows.
        present: Whether the model says that each is in the image; it decides alone.
        score: How sure the model is of that, 0 to 1; of anatomies that are not present, too.
        boxes: None for a model without boxes.
        local: Particles, image frame, LPS mm; nan where not present. None for a model without.
        world: Particles in the population's frame, mm, by name of the world head; nan where not
            present. Empty for a model without.
        agreement: How far what the model sees voxel by voxel agrees with the particles, 0 to 1; nan
            where not present. None for a model without.
        labels: At each voxel the number of an anatomy, its row plus 1; 0 for none. None for a model
            without.
        probability: Of the anatomies that are present, how likely each voxel around them belongs to
            them, in 255ths; a part of the label map's grid each. Empty for a model without.
    """

    anatomies: tuple[str, ...]
    present: Bool[np.ndarray, " K"]
    score: Float[np.ndarray, " K"]
    boxes: PredictedBoxes | None
    local: Float[np.ndarray, "K M 3"] | None
    world: dict[str, Float[np.ndarray, "K M 3"]]
    agreement: Float[np.ndarray, " K"] | None = None
    labels: Volume | None = None
    probability: dict[str, Volume] = field(default_factory=dict)

    @property
    def found(self) -> tuple[str, ...]:
        """Names of the anatomies that are present."""
        return tuple(self.anatomies[row] for row in np.flatnonzero(self.present))

    def row(self, anatomy: str) -> int:
        """Find the row of an anatomy.

        Raises:
            DataError: If the prediction does not know it.
        """
        if anatomy not in self.anatomies:
            known = ", ".join(self.anatomies)
            raise DataError(f"{anatomy} is not among the predicted anatomies ({known})")
        return self.anatomies.index(anatomy)

    def is_present(self, anatomy: str) -> bool:
        """Tell whether the model found an anatomy."""
        return bool(self.present[self.row(anatomy)])

    def score_of(self, anatomy: str) -> float:
        """Return how sure the model is that an anatomy is in the image, 0 to 1."""
        return float(self.score[self.row(anatomy)])

    def box(self, anatomy: str) -> Box | None:
        """Return the box of an anatomy, LPS mm; None if it was not found or there are no boxes."""
        if self.boxes is None or not self.is_present(anatomy):
            return None
        row = self.row(anatomy)
        return Box(self.boxes.center[row], self.boxes.radius[row])

    def local_of(self, anatomy: str) -> Float[np.ndarray, "M 3"] | None:
        """Return the particles of an anatomy, LPS mm; None if it was not found or has none."""
        if self.local is None or not self.is_present(anatomy):
            return None
        return np.asarray(self.local[self.row(anatomy)])

    def world_of(self, anatomy: str) -> dict[str, Float[np.ndarray, "M 3"]]:
        """Return the world particles of an anatomy by head, mm; none if it was not found."""
        if not self.is_present(anatomy):
            return {}
        row = self.row(anatomy)
        return {head: np.asarray(particles[row]) for head, particles in self.world.items()}

    def agreement_of(self, anatomy: str) -> float | None:
        """Return how far voxels and particles agree, 0 to 1; None if not found or not known."""
        if self.agreement is None or not self.is_present(anatomy):
            return None
        return float(self.agreement[self.row(anatomy)])

    def mask_of(self, anatomy: str) -> Volume | None:
        """Return the voxels of an anatomy as booleans; None if it was not found or has none."""
        if self.labels is None or not self.is_present(anatomy):
            return None
        inside = self.labels.array == self.row(anatomy) + 1
        return replace(self.labels, array=inside) if inside.any() else None

    def probability_of(self, anatomy: str) -> Volume | None:
        """Return the probabilities around an anatomy, 255ths; None if not found or without."""
        return self.probability.get(anatomy) if self.is_present(anatomy) else None

    def blanked(self) -> "SubjectPrediction":
        """Put nan in place of boxes and particles of what is not present."""
        boxes = self.boxes and PredictedBoxes(
            self._blank(self.boxes.center), self._blank(self.boxes.radius)
        )
        return replace(
            self,
            boxes=boxes,
            local=None if self.local is None else self._blank(self.local),
            world={head: self._blank(particles) for head, particles in self.world.items()},
            agreement=None if self.agreement is None else self._blank(self.agreement),
            probability={n: part for n, part in self.probability.items() if self.is_present(n)},
        )

    def _blank(self, array: np.ndarray) -> np.ndarray:
        beside = self.present.reshape(-1, *[1] * (array.ndim - 1))
        return np.where(beside, array, np.nan)


def write(prediction: SubjectPrediction, path: Path) -> None:
    """Write a prediction, whole or not at all; parts that it lacks are not in the file.

    Args:
        prediction: Of one subject; written in double precision.
        path: ``predict/{model}/{subject}.npz``.
    """
    arrays: dict[str, np.ndarray] = {
        "anatomies": np.array(prediction.anatomies, dtype=np.str_),
        "present": prediction.present,
        "score": prediction.score.astype(float),
    }
    arrays |= {name: array.astype(float) for name, array in _parts(prediction)}
    if prediction.probability and prediction.labels is not None:
        parts = (prediction.probability, prediction.anatomies, prediction.labels)
        arrays |= probabilities.packed(*parts)
    save_arrays(arrays, path)
    if prediction.labels is not None:
        write_image(prediction.labels, labels_beside(path))


def labels_beside(path: Path) -> Path:
    """Name the file of the label map that belongs to a prediction's file."""
    return path.with_name(f"{path.name.removesuffix('.npz')}.nii.gz")


def read(path: Path) -> SubjectPrediction:
    """Read a prediction.

    Raises:
        DataError: If the file is damaged, lacks an array or holds one that is none of a
            prediction's, if sizes or types do not fit, if an anatomy is named twice, if a score is
            no number, or if an anatomy is present and its box or a particle is not finite.
    """
    arrays = load_arrays(path)
    heads = [name for name in arrays if name.startswith(_WORLD) and name != _WORLD]
    _refuse_other_arrays(arrays, heads, path)
    numbers = {name: array.astype(float) for name, array in arrays.items() if name not in _KINDS}
    anatomies = tuple(str(name) for name in arrays["anatomies"])
    labels = _read_labels(labels_beside(path), len(anatomies))
    prediction = SubjectPrediction(
        anatomies,
        arrays["present"],
        numbers["score"],
        PredictedBoxes(*(numbers[name] for name in _BOXES)) if "center" in numbers else None,
        numbers.get(_LOCAL),
        {name.removeprefix(_WORLD): numbers[name] for name in heads},
        numbers.get(_AGREEMENT),
        labels,
        probabilities.unpacked(arrays, anatomies, labels, path),
    )
    _refuse_nonsense(prediction, path)
    return prediction


def _read_labels(path: Path, anatomies: int) -> Volume | None:
    if not path.is_file():
        return None
    labels = read_image(path)
    if not np.isin(labels.array, np.arange(anatomies + 1)).all():
        raise DataError(f"{path} holds other values than 0 to {anatomies}; {_ADVICE}")
    return labels


def _parts(prediction: SubjectPrediction) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the parts that a prediction has under their names in the file, in the file's order."""
    if prediction.boxes is not None:
        yield from zip(_BOXES, (prediction.boxes.center, prediction.boxes.radius), strict=True)
    if prediction.local is not None:
        yield _LOCAL, prediction.local
    yield from ((f"{_WORLD}{head}", particles) for head, particles in prediction.world.items())
    if prediction.agreement is not None:
        yield _AGREEMENT, prediction.agreement


def _refuse_other_arrays(arrays: dict[str, np.ndarray], heads: list[str], path: Path) -> None:
    shapes = _ALWAYS | (_BOXES if arrays.keys() & _BOXES.keys() else {})
    shapes |= probabilities.SHAPES if arrays.keys() & probabilities.SHAPES.keys() else {}
    particles = [_LOCAL, *heads] if _LOCAL in arrays else heads
    shapes |= dict.fromkeys(particles, "K M 3")
    shapes |= {_AGREEMENT: "K"} if _AGREEMENT in arrays else {}
    refuse_other_shapes(arrays, shapes, path, _ADVICE)
    unknown = ", ".join(sorted(arrays.keys() - shapes.keys()))
    if unknown:
        known = ", ".join([*_ALWAYS, *_BOXES, _LOCAL, f"{_WORLD}HEAD", _AGREEMENT])
        raise DataError(f"{path} holds {unknown}, expected only {known}; {_ADVICE}")
    for name in shapes:
        kind, expected = _KINDS.get(name, _NUMBERS)
        if arrays[name].dtype.kind != kind:
            found = arrays[name].dtype
            raise DataError(f"{path}: {name} is {found}, expected {expected}; {_ADVICE}")


def _refuse_nonsense(prediction: SubjectPrediction, path: Path) -> None:
    names = prediction.anatomies
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{path} names {', '.join(twice)} more than once; {_ADVICE}")
    unsure = [names[row] for row in np.flatnonzero(~np.isfinite(prediction.score))]
    if unsure:
        raise DataError(
            f"{path}: the score of {', '.join(unsure)} is no number; train anew, the network has "
            "diverged, or predict again"
        )
    for part, array in _parts(prediction):
        finite = np.isfinite(array).all(tuple(range(1, array.ndim)))
        lost = [names[row] for row in np.flatnonzero(prediction.present & ~finite)]
        if lost:
            raise DataError(
                f"{path}: {', '.join(lost)} is predicted as present, but {part} is not finite; "
                "train longer or predict again"
            )
