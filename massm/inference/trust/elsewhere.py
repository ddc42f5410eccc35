"""Anatomies that were found where they cannot be, because they lie outside of the scan.

Of an organ that a scan cuts off nearly whole, a detector may find something like it somewhere else.
Its surface lies inside then, so nothing of it looks cut; but the other anatomies tell where it is.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from massm.geometry.boxes import Box
from massm.inference.shapes import ScanGrid
from massm.inference.trust.places import Arrangement

FAR = 3.0
"""Distance from where the others place it, SD, from which on an anatomy is elsewhere."""

_LATTICE = 7  # points along each axis of an ellipsoid


def shares_outside(
    boxes: Mapping[str, Box], scores: Mapping[str, float], places: Arrangement, grid: ScanGrid
) -> dict[str, float]:
    """Estimate which share of each anatomy lies outside of a scan by what the others say.

    Args:
        boxes: Around the particles of the anatomies that were found, LPS mm.
        scores: How sure the model is of each, 0 to 1: how much it counts for the others.
        places: Where anatomies usually lie.
        grid: The scan's.

    Returns:
        Share of an ellipsoid as large as the anatomy at the place that the others tell, 0 to 1; 0
        where the anatomy is about there.
    """
    centers = {name: box.center for name, box in boxes.items()}
    found = dict.fromkeys(boxes, 0.0)
    for name, box in boxes.items():
        place = places.expected(name, centers, scores)
        if place is not None and place.distance(box.center) > FAR:
            found[name] = _share_outside(Box(place.center, box.radius), grid)
    return found


def _share_outside(box: Box, grid: ScanGrid) -> float:
    along = np.linspace(-1, 1, _LATTICE)
    unit = np.stack(np.meshgrid(along, along, along), axis=-1).reshape(-1, 3)
    ball: Float[np.ndarray, "n 3"] = unit[(unit**2).sum(axis=1) <= 1]
    return float((grid.outside_mm(box.center + ball * box.radius) > 0).mean())
