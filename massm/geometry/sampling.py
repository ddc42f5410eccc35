"""Points spread over surfaces."""

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh

_SPREAD = ((16, 0x030000FF), (8, 0x0300F00F), (4, 0x030C30C3), (2, 0x09249249))


def sample_uniform(
    mesh: Mesh, count: int, generator: np.random.Generator
) -> tuple[Float[np.ndarray, "n 3"], Int[np.ndarray, " n"]]:
    """Draw points uniformly by area, one from each of ``count`` equal strata of the surface.

    Args:
        mesh: The surface, mm.
        count: Number of points.
        generator: Source of randomness.

    Returns:
        Points, mm, and the face of each.
    """
    cumulative = np.cumsum(mesh.face_areas)
    strata = (np.arange(count) + generator.random(count)) / count * cumulative[-1]
    face = np.minimum(np.searchsorted(cumulative, strata), len(mesh.faces) - 1)
    u, v = generator.random((2, count))
    outside = u + v > 1
    u, v = np.where(outside, 1 - u, u), np.where(outside, 1 - v, v)
    a, b, c = (mesh.vertices[mesh.faces[face, corner]] for corner in range(3))
    return a + u[:, None] * (b - a) + v[:, None] * (c - a), face


def along_curve(points: Float[np.ndarray, "n 3"]) -> Int[np.ndarray, " n"]:
    """Order points along a curve that fills space, so that neighbors in the order lie together.

    Morton, "A computer oriented geodetic data base and a new technique in file sequencing", IBM
    1966: the bits of the three coordinates, interleaved. 1024 steps along the longest side; points
    of one cell keep their order.

    Returns:
        Row numbers in the order of the curve.
    """
    if len(points) == 0:
        return np.zeros(0, np.int64)
    low = points.min(0)
    side = max(float(np.ptp(points, axis=0).max()), np.finfo(float).tiny)
    cell = ((points - low) / side * 1023).astype(np.int64)
    for shift, kept in _SPREAD:  # two free bits between the bits of a number of ten
        cell = (cell | cell << shift) & kept
    return np.argsort(cell[:, 0] | cell[:, 1] << 1 | cell[:, 2] << 2, kind="stable")


def farthest_points(
    points: Float[np.ndarray, "n d"], count: int, first: int = 0
) -> Int[np.ndarray, " m"]:
    """Choose points one by one, each the farthest from those chosen before.

    Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985.

    Args:
        points: Candidates in any number of dimensions.
        count: How many to choose.
        first: The one to begin with.

    Returns:
        Row numbers in the order of choice.

    Raises:
        ValueError: If there are fewer candidates than ``count``.
    """
    if count > len(points):
        raise ValueError(f"{count} points asked of {len(points)} candidates")
    chosen = np.empty(count, np.int64)
    chosen[0] = first
    gap = np.square(points - points[first]).sum(1)
    for step in range(1, count):
        chosen[step] = gap.argmax()
        gap = np.minimum(gap, np.square(points - points[chosen[step]]).sum(1))
    return chosen


def spread_evenly(
    mesh: Mesh,
    count: int,
    generator: np.random.Generator,
    *,
    passes: int = 8,
    oversample: int = 24,
    candidates: int = 6,
) -> Float[np.ndarray, "m 3"]:
    """Spread points evenly over a closed surface: farthest points, relaxed by Lloyd's method.

    Cells are those of position and normal together (a normal counts like a shift of one
    spacing), so that the two sides of a thin wall keep cells of their own.

    Args:
        mesh: The surface, mm.
        count: Number of points.
        generator: Source of randomness.
        passes: Relaxation steps.
        oversample: Surface samples per point that stand for the area.
        candidates: Those per point that the first points are chosen from.

    Returns:
        Points on the surface, mm.
    """
    index = SurfaceIndex(mesh)
    samples, face = sample_uniform(mesh, count * oversample, generator)
    spacing = np.sqrt(mesh.area / count)
    features = np.hstack([samples, spacing * mesh.face_normals[face]])
    few = features[:: max(1, oversample // candidates)]  # from all strata of the area
    extreme = int(np.square(few[:, :3] - samples.mean(0)).sum(1).argmax())
    centers = few[farthest_points(few, count, extreme)]
    for _ in range(passes):
        _, owner = cKDTree(centers).query(features)
        members = np.bincount(owner, minlength=count)
        total = np.stack(
            [np.bincount(owner, features[:, axis], minlength=count) for axis in range(6)], 1
        )
        filled = members > 0
        centers[filled] = total[filled] / members[filled, None]
        closest = index.closest(centers[:, :3])
        centers = np.hstack([closest.point, spacing * mesh.face_normals[closest.face]])
    return np.asarray(centers[:, :3])
