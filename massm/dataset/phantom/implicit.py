"""Smooth solids as functions of space: negative inside, zero on the surface, millimeters near it.

Every function takes points of the atlas frame (LPS mm) and returns one value per point. Solids are
combined by smooth minimum and maximum: edges come out rounded, gradients stay continuous.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

Points = Float[np.ndarray, "P 3"]
Values = Float[np.ndarray, " P"]
Field = Callable[[Points], Values]
Number = float | int
Triple = Sequence[Number] | np.ndarray


def union(first: Values, second: Values, rounding_mm: Number = 0.0) -> Values:
    """Join two solids; the crease between them is filled over ``rounding_mm``.

    Quadratic polynomial smooth minimum, Quilez, "smooth minimum" (2013).
    """
    if rounding_mm <= 0:
        return np.asarray(np.minimum(first, second))
    blend = np.maximum(rounding_mm - np.abs(first - second), 0.0) / rounding_mm
    return np.asarray(np.minimum(first, second) - blend * blend * (rounding_mm / 4))


def intersection(first: Values, second: Values, rounding_mm: Number = 0.0) -> Values:
    """Keep what both solids share; the edge is rounded over ``rounding_mm``."""
    return -union(-first, -second, rounding_mm)


def difference(first: Values, second: Values, rounding_mm: Number = 0.0) -> Values:
    """Take the second solid out of the first; the edge is rounded over ``rounding_mm``."""
    return intersection(first, -second, rounding_mm)


def ellipsoid(
    points: Points,
    center: Triple,
    radii: Triple,
    axes: Float[np.ndarray, "3 3"] | None = None,
) -> Values:
    """Describe an ellipsoid; ``axes`` holds the directions of its radii as columns.

    The distance is first-order right at the surface (implicit function over its gradient).
    """
    offset = points - np.asarray(center, dtype=np.float64)
    if axes is not None:
        offset = offset @ axes
    return scaled_norm(offset, radii)


def scaled_norm(offset: Points, radii: Triple) -> Values:
    """Turn coordinates about an ellipsoid's center into an approximate signed distance, mm."""
    inverse = 1 / np.asarray(radii, dtype=np.float64)
    squared = np.square(offset)
    level = np.sqrt(squared @ inverse**2)
    slope = np.sqrt(squared @ inverse**4)
    deepest = -float(np.min(radii))
    value = np.full(len(offset), deepest)
    np.divide(level * (level - 1), slope, out=value, where=slope > 1e-9)
    return np.asarray(np.maximum(value, deepest))


def half_space(points: Points, point: Triple, normal: Triple) -> Values:
    """Describe everything behind a plane; ``normal`` points out of the solid."""
    direction = np.asarray(normal, dtype=np.float64)
    direction = direction / np.linalg.norm(direction)
    return (points - np.asarray(point, dtype=np.float64)) @ direction


def tube(points: Points, nodes: Sequence[Triple], radii: Sequence[Number]) -> Values:
    """Describe a tube along a polyline whose radius runs linearly between its nodes."""
    value = np.full(len(points), np.inf)
    path = np.asarray(nodes, dtype=np.float64)
    for start, end, first, last in zip(path[:-1], path[1:], radii[:-1], radii[1:], strict=True):
        along = end - start
        share = np.clip((points - start) @ along / (along @ along), 0.0, 1.0)
        apart = points - start - share[:, None] * along
        distance = np.sqrt(np.square(apart) @ np.ones(3)) - (first + share * (last - first))
        value = np.minimum(value, distance)
    return value


def gradient(field: Field, points: Points, step_mm: float = 0.05) -> Points:
    """Take the central difference of a solid's function."""
    columns = []
    for axis in range(3):
        shift = np.zeros(3)
        shift[axis] = step_mm
        columns.append((field(points + shift) - field(points - shift)) / (2 * step_mm))
    return np.stack(columns, axis=1)


def project(field: Field, points: Points, iterations: int = 8) -> Points:
    """Carry points near a surface onto it, by Newton steps along the gradient."""
    moved = points.copy()
    for _ in range(iterations):
        slope = gradient(field, moved)
        squared = np.maximum(np.einsum("pi,pi->p", slope, slope), 1e-3)
        step = (field(moved) / squared)[:, None] * slope
        length = np.linalg.norm(step, axis=1, keepdims=True)
        moved -= step * np.minimum(1.0, 2.0 / np.maximum(length, 1e-9))  # at most 2 mm a step
    return moved
