"""Distances between two surfaces, both ways."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy import ndimage

from massm.evaluate.measures import surface_dice_name
from massm.geometry.distance import SurfaceIndex
from massm.geometry.isosurface import isosurface
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume

# Fractional parts of n times these fill the unit square evenly (Roberts 2018, the R2 sequence).
_R2 = np.array([0.7548776662466927, 0.5698402909980532])


def spread_points(mesh: Mesh, count: int) -> Float[np.ndarray, "n 3"]:
    """Spread points over a surface, evenly by area and the same each time.

    Triangles are drawn by systematic sampling of their summed areas, places inside a triangle from
    a low-discrepancy sequence: no seed, and less noise than independent points.

    Args:
        mesh: The surface, mm.
        count: Number of points.

    Raises:
        ValueError: If the surface has no area.
    """
    summed = np.cumsum(mesh.face_areas)
    if len(summed) == 0 or summed[-1] <= 0:
        raise ValueError("a surface without area has no points to measure from")
    places = (np.arange(count) + 0.5) / count * summed[-1]
    face = np.minimum(np.searchsorted(summed, places, side="right"), len(summed) - 1)
    uv = (0.5 + np.arange(count)[:, None] * _R2) % 1.0
    folded = np.where(uv.sum(1, keepdims=True) > 1, 1 - uv, uv)
    a, b, c = (mesh.vertices[mesh.faces[face, corner]] for corner in range(3))
    return np.asarray(a + folded[:, :1] * (b - a) + folded[:, 1:] * (c - a))


def mask_surface(mask: Volume) -> Mesh:
    """Take a mask's own surface: halfway between voxels inside and outside, nothing smoothed.

    All pieces and cavities as they were drawn. Of a signed distance it is that of the voxels
    inside.

    Args:
        mask: Booleans, image space.

    Raises:
        ValueError: If the mask is empty.
    """
    box = ndimage.find_objects(mask.array.astype(np.uint8))
    if not box:
        raise ValueError("the mask is empty; it has no surface")
    start = np.array([side.start for side in box[0]])
    origin = mask.index_to_point(start[::-1].astype(float))
    return isosurface(Volume(mask.array[box[0]], mask.spacing, origin, mask.direction), 0.5)


def surface_measures(
    predicted: Mesh, true: Mesh, *, samples: int, tolerances_mm: Sequence[float]
) -> dict[str, float]:
    """Measure the distance between two surfaces, both ways.

    Distances run from points spread evenly over one surface to the nearest place on the other's
    triangles, exactly. The mean is the average of the two directed means; the 95th percentile and
    the Hausdorff distance are the larger of the two directed values (for the latter, vertices
    count too). Surface Dice: share of both surfaces' area that lies within a tolerance of the
    other (Nikolov et al. 2021, "Clinically applicable segmentation of head and neck anatomy").

    Args:
        predicted: Surface, mm.
        true: Surface in the same frame, mm.
        samples: Points spread over each surface.
        tolerances_mm: Tolerances of the surface Dice, mm.

    Returns:
        Values by measure name, mm, and fractions for surface Dice.
    """
    there, farthest_there = _directed(predicted, true, samples)
    back, farthest_back = _directed(true, predicted, samples)
    measures = {
        "surface_mean": float(there.mean() + back.mean()) / 2,
        "surface_p95": float(max(np.percentile(there, 95), np.percentile(back, 95))),
        "surface_hausdorff": max(farthest_there, farthest_back),
    }
    for tolerance in tolerances_mm:
        near = (there <= tolerance).mean() * predicted.area + (back <= tolerance).mean() * true.area
        measures[surface_dice_name(tolerance)] = float(near / (predicted.area + true.area))
    return measures


def _directed(source: Mesh, target: Mesh, samples: int) -> tuple[np.ndarray, float]:
    """Return distances from even points of ``source``, and the largest with its vertices too."""
    used = source.vertices[np.unique(source.faces)]
    points = np.concatenate([spread_points(source, samples), used])
    distance = SurfaceIndex(target).closest(points).distance
    return distance[:samples], float(distance.max())
