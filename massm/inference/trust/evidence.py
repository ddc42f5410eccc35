"""What is known of a scan and its anatomies that tells whether to trust them: plain numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from massm.geometry.boxes import Box, box_of
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.inference.trust.appearance import hu_beside, scale_of
from massm.inference.trust.kinds import OF_ANATOMY, OF_SCAN
from massm.inference.trust.places import Arrangement


@dataclass(frozen=True)
class SeenAnatomy:
    """An anatomy that a model found.

    Attributes:
        score: How sure the model is that it is there, 0 to 1.
        box: Where the detector says it is, LPS mm; None for a model without boxes.
        local: Its particles, LPS mm; None for a model without.
        surface: Closed, LPS mm; None for a model without particles.
        agreement: How far what is seen voxel by voxel agrees with its particles, 0 to 1; None if
            not known.
        mahalanobis: Distance from the mean shape, standard deviations; None if not known.
    """

    score: float
    box: Box | None
    local: Float[np.ndarray, "M 3"] | None
    surface: Mesh | None
    agreement: float | None
    mahalanobis: float | None


@dataclass(frozen=True)
class Gathered:
    """The evidence of one scan, in the order of :mod:`massm.inference.trust.kinds`; nan: not known.

    Attributes:
        anatomies: Of each that was found.
        scan: Of the whole scan.
    """

    anatomies: dict[str, Float[np.ndarray, " E"]]
    scan: Float[np.ndarray, " S"]


def gather(
    found: Mapping[str, SeenAnatomy], asked: Sequence[str], volume: Volume, places: Arrangement
) -> Gathered:
    """Collect the evidence of a scan.

    Args:
        found: The anatomies that a model found in it.
        asked: All that it looks for.
        volume: The scan, HU.
        places: Where anatomies usually lie.
    """
    centers = {name: box_of(one.local)[0] for name, one in found.items() if one.local is not None}
    place, sides = places.strangeness(centers), places.sides(centers)
    anatomies = {}
    for name, one in found.items():
        values = {"score": one.score, **_of_shape(one, volume)}
        values |= {"place": place.get(name, np.nan), "sides": sides.get(name, np.nan)}
        anatomies[name] = np.array([values.get(key, np.nan) for key in OF_ANATOMY], float)
    scale = scale_of(volume)._asdict() | {"found": len(found) / len(asked)}
    return Gathered(anatomies, np.array([scale[key] for key in OF_SCAN], float))


def _of_shape(one: SeenAnatomy, volume: Volume) -> dict[str, float]:
    values = {} if one.mahalanobis is None else {"mahalanobis": one.mahalanobis}
    if one.agreement is not None:
        values["agreement"] = one.agreement
    if one.surface is not None:
        mean, spread, contrast = hu_beside(one.surface, volume)
        values |= {"hu": mean, "hu_spread": spread, "contrast": contrast}
        values["volume"] = float(np.log(max(one.surface.volume_ml, 1e-3)))
    if one.box is not None and one.local is not None:
        values["box"] = _between(one.box, Box(*box_of(one.local)))
    return values


def _between(one: Box, other: Box) -> float:
    """Measure how far the faces of two boxes lie apart on average, mm."""
    low = np.abs((one.center - one.radius) - (other.center - other.radius))
    high = np.abs((one.center + one.radius) - (other.center + other.radius))
    return float(np.concatenate([low, high]).mean())
