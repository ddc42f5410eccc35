"""Where the other anatomies of a scan place one, and how large they make it expect."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from massm.audit.measures import MaskMeasures
from massm.audit.population import residuals, usual

FEWEST = 8  # fewer subjects with the same anatomies say nothing
_NEIGHBORS = 5  # so many of the nearest other anatomies are asked
_SIZE = 10.0  # a tenth of a log length or volume counts as a millimeter
_LEAST = np.array([1, 1, 1, 0.5, 0.5, 0.5, 0.5])

Scans = Mapping[str, Mapping[str, MaskMeasures]]


class PlacedMask(NamedTuple):
    """One anatomy of one scan, compared with what the others say.

    Attributes:
        off_mm: From where it is expected to where it is, LPS mm.
        place: Length of that in robust standard deviations.
        size: The same of its lengths and volume.
        larger: Logarithm of its volume less that of the volume that is expected.
    """

    off_mm: Float[np.ndarray, "3"]
    place: float
    size: float
    larger: float


def place_all(scans: Scans) -> dict[tuple[str, str], PlacedMask]:
    """Compare every anatomy with what the others of its scan say; left out where they cannot.

    One other may itself be wrong. So an anatomy is predicted from all others and from all but one
    in turn, and what fits best counts.

    Args:
        scans: Measures by subject and anatomy.
    """
    near = _neighbors(scans)
    known: dict[tuple[str, tuple[str, ...]], dict[str, PlacedMask]] = {}
    found = {}
    for subject, masks in scans.items():
        for anatomy in masks:
            said = []
            for others in _subsets([name for name in near[anatomy] if name in masks]):
                if (anatomy, others) not in known:
                    known[anatomy, others] = _predicted(scans, anatomy, others)
                if subject in known[anatomy, others]:
                    said.append(known[anatomy, others][subject])
            if said:
                place, size = (min(said, key=lambda one: one[k]) for k in (1, 2))
                found[subject, anatomy] = PlacedMask(*place[:2], *size[2:])
    return found


def _neighbors(scans: Scans) -> dict[str, list[str]]:
    """Name the nearest other anatomies of each, nearest first."""
    gaps: dict[str, dict[str, list[float]]] = {}
    for masks in scans.values():
        for name, one in masks.items():
            to = gaps.setdefault(name, {})
            for other, its in masks.items():
                if other != name:
                    to.setdefault(other, []).append(float(np.linalg.norm(its.center - one.center)))
    nearest = {}
    for name, to in gaps.items():
        middle = {other: np.median(found) for other, found in to.items() if len(found) >= FEWEST}
        nearest[name] = sorted(middle, key=middle.__getitem__)[:_NEIGHBORS]
    return nearest


def _subsets(others: Sequence[str]) -> list[tuple[str, ...]]:
    """List all of the others, and all but one if two or more remain."""
    everyone = tuple(others)
    if not everyone:
        return []
    if len(everyone) < 3:
        return [everyone]
    return [everyone, *(tuple(n for n in everyone if n != out) for out in everyone)]


def _predicted(scans: Scans, anatomy: str, others: tuple[str, ...]) -> dict[str, PlacedMask]:
    """Compare an anatomy with some others in all scans that have them; empty if too few do."""
    subjects = [s for s, masks in scans.items() if {anatomy, *others} <= masks.keys()]
    if len(subjects) < FEWEST:
        return {}
    own = np.array([_features(scans[subject][anatomy]) for subject in subjects])
    beside = np.array([[_features(scans[s][name]) for name in others] for s in subjects])
    middle = beside[..., :3].mean(axis=1)
    own[:, :3] -= middle
    beside[..., :3] -= middle[:, None]
    left = residuals(beside.reshape(len(subjects), -1), own, _LEAST)
    center, spread = usual(left, _LEAST)
    far = ((left - center) / spread) ** 2
    place, size = np.sqrt(far[:, :3].sum(axis=1)), np.sqrt(far[:, 3:].sum(axis=1))
    return {
        subject: PlacedMask(
            left[row, :3], float(place[row]), float(size[row]), float(left[row, -1]) / _SIZE
        )
        for row, subject in enumerate(subjects)
    }


def _features(mask: MaskMeasures) -> Float[np.ndarray, "7"]:
    sizes = np.log([*(mask.extent + 1), mask.volume_ml])
    return np.concatenate([mask.center, _SIZE * sizes])
