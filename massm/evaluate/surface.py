"""Distances between two surfaces, both ways."""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from massm.evaluate.measures import surface_dice_name
from massm.geometry.distance import SurfaceIndex
from massm.geometry.isosurface import isosurface
from massm.geometry.mesh import Mesh
from massm.geometry.sampling import along_curve
from massm.geometry.volume import Volume

# Fractional parts of n times these fill the unit square evenly (Roberts 2018, the R2 sequence).
_R2 = np.array([0.7548776662466927, 0.5698402909980532])
_ROUNDING_MM = 1e-9
_LIKELY = 64  # vertices


class SpreadPoints(NamedTuple):
    """Points on a surface, and the number of the triangle that each lies on."""

    points: Float[np.ndarray, "n 3"]
    face: Int[np.ndarray, " n"]


def spread_points(mesh: Mesh, count: int) -> SpreadPoints:
    """Spread points over a surface, evenly by area and the same each time.

    Triangles are drawn by systematic sampling of their summed areas along a curve that fills space,
    so that every region has its share whatever order the triangles are stored in; places inside a
    triangle come from a low-discrepancy sequence. No seed, and less noise than independent points
    (``benchmarks/surface_samples.py``). Points that follow each other lie together, which a search
    tree answers sooner.

    Args:
        mesh: The surface, mm.
        count: Number of points.

    Raises:
        ValueError: If the surface has no area.
    """
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    order = along_curve((a + b + c) / 3)
    summed = np.cumsum(mesh.face_areas[order])
    if len(summed) == 0 or summed[-1] <= 0:
        raise ValueError("a surface without area has no points to measure from")
    places = (np.arange(count) + 0.5) / count * summed[-1]
    face = order[np.minimum(np.searchsorted(summed, places, side="right"), len(summed) - 1)]
    uv = (0.5 + np.arange(count)[:, None] * _R2) % 1.0
    folded = np.where(uv.sum(1, keepdims=True) > 1, 1 - uv, uv)
    a, b, c = a[face], b[face], c[face]
    return SpreadPoints(a + folded[:, :1] * (b - a) + folded[:, 1:] * (c - a), face)


class MeasuredSurface:
    """A surface with all that measuring from it and to it takes, made once for all comparisons.

    Attributes:
        mesh: The surface, mm.
        points: Spread evenly over it, mm.
    """

    def __init__(self, mesh: Mesh, samples: int) -> None:
        """Spread the points.

        Args:
            mesh: The surface, mm.
            samples: Number of points.

        Raises:
            ValueError: If the surface has no area.
        """
        self.mesh = mesh
        self.points, self._face = spread_points(mesh, samples)

    @cached_property
    def _index(self) -> SurfaceIndex:
        return SurfaceIndex(self.mesh)

    @cached_property
    def _vertices(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the used vertices, a point near each, and the way there, mm (infinite: none)."""
        is_used = np.zeros(len(self.mesh.vertices), bool)
        is_used[self.mesh.faces] = True
        near = np.full(len(self.mesh.vertices), -1)
        corners = self.mesh.faces[self._face]
        gap = np.linalg.norm(self.mesh.vertices[corners] - self.points[:, None], axis=2)
        order = np.argsort(-gap, axis=None)  # of several points the nearest, which comes last
        near[corners.ravel()[order]] = order // 3
        for _ in range(2):  # a vertex of small triangles takes the point of a neighbor
            known = near[self.mesh.faces]
            lent = np.broadcast_to(known.max(1, keepdims=True), known.shape)
            without = (known < 0) & (lent >= 0)
            near[self.mesh.faces[without]] = lent[without]
        vertices, near = self.mesh.vertices[is_used], near[is_used]
        way = np.linalg.norm(vertices - self.points[near], axis=1)
        return vertices, near, np.where(near < 0, np.inf, way)

    def distances_to(self, target: "MeasuredSurface") -> tuple[Float[np.ndarray, " n"], float]:
        """Measure the distance of the points to another surface, exactly.

        Returns:
            One distance for each point, mm, and the largest of points and vertices. A vertex is no
            farther from the target than a point beside it and the way between the two, so most
            need not be asked for that.
        """
        distance = target._index.closest(self.points).distance
        farthest = float(distance.max())
        vertices, near, way = self._vertices
        bound = distance[near] + way
        likely = np.argsort(-bound)[:_LIKELY]  # these leave few of the others in doubt
        farthest = max(farthest, target._farthest(vertices[likely]))
        bound[likely] = -np.inf
        farthest = max(farthest, target._farthest(vertices[bound > farthest - _ROUNDING_MM]))
        return distance, farthest

    def _farthest(self, points: Float[np.ndarray, "n 3"]) -> float:
        """Measure the distance of the farthest of some points; 0 without any."""
        return float(self._index.closest(points).distance.max()) if len(points) else 0.0


def mask_surface(mask: Volume) -> Mesh:
    """Take a mask's own surface: halfway between voxels inside and outside, nothing smoothed.

    All pieces and cavities as they were drawn. Of a signed distance it is that of the voxels
    inside.

    Args:
        mask: Booleans, image space.

    Raises:
        ValueError: If the mask is empty.
    """
    slices = np.flatnonzero(np.any(mask.array, axis=(1, 2)))
    if len(slices) == 0:
        raise ValueError("the mask is empty; it has no surface")
    start, stop = np.zeros(3, int), np.zeros(3, int)
    start[0], stop[0] = slices[0], slices[-1] + 1
    shadow = np.any(mask.array[start[0] : stop[0]], axis=0)
    for axis in (1, 2):
        sides = np.flatnonzero(np.any(shadow, axis=2 - axis))
        start[axis], stop[axis] = sides[0], sides[-1] + 1
    box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    origin = mask.index_to_point(start[::-1].astype(float))
    return isosurface(Volume(mask.array[box], mask.spacing, origin, mask.direction), 0.5)


def surface_measures(
    predicted: Mesh, true: Mesh, *, samples: int, tolerances_mm: Sequence[float]
) -> dict[str, float]:
    """Measure the distance between two surfaces that are measured once, see :func:`measures_of`.

    Args:
        predicted: Surface, mm.
        true: Surface in the same frame, mm.
        samples: Points spread over each surface.
        tolerances_mm: Tolerances of the surface Dice, mm.
    """
    pair = MeasuredSurface(predicted, samples), MeasuredSurface(true, samples)
    return measures_of(*pair, tolerances_mm=tolerances_mm)


def measures_of(
    predicted: MeasuredSurface, true: MeasuredSurface, *, tolerances_mm: Sequence[float]
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
        tolerances_mm: Tolerances of the surface Dice, mm.

    Returns:
        Values by measure name, mm, and fractions for surface Dice.
    """
    there, farthest_there = predicted.distances_to(true)
    back, farthest_back = true.distances_to(predicted)
    measures = {
        "surface_mean": float(there.mean() + back.mean()) / 2,
        "surface_p95": float(max(np.percentile(there, 95), np.percentile(back, 95))),
        "surface_hausdorff": max(farthest_there, farthest_back),
    }
    areas = predicted.mesh.area, true.mesh.area
    for tolerance in tolerances_mm:
        near = (there <= tolerance).mean() * areas[0] + (back <= tolerance).mean() * areas[1]
        measures[surface_dice_name(tolerance)] = float(near / sum(areas))
    return measures
