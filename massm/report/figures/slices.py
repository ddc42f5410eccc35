"""Slices of a CT with the outlines of surfaces on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, UInt8
from scipy.ndimage import map_coordinates
from skimage.measure import approximate_polygon

from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume

Plane = Literal["axial", "coronal", "sagittal"]

# Fixed axis, axis to the right, axis downward (and its sign) in LPS, as radiologists look at them.
_LAYOUT: dict[Plane, tuple[int, int, int, float]] = {
    "axial": (2, 0, 1, 1.0),
    "coronal": (1, 0, 2, -1.0),
    "sagittal": (0, 1, 2, -1.0),
}
_AIR_HU = -1024.0
_BODY_HU = -300.0
_BESIDE_MM = 45.0  # what is shown around the anatomies


@dataclass(frozen=True)
class Frame:
    """The part of space that slices show: an axis-aligned box, LPS mm, and its pixel size."""

    low: Float[np.ndarray, "3"]
    high: Float[np.ndarray, "3"]
    pixel_mm: float

    def size(self, plane: Plane) -> tuple[int, int]:
        """Return the width and height of a slice in pixels."""
        _, right, down, _ = _LAYOUT[plane]
        extent = np.maximum(1, np.ceil((self.high - self.low) / self.pixel_mm)).astype(int)
        return int(extent[right]), int(extent[down])

    def to_pixels(self, plane: Plane, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 2"]:
        """Carry LPS millimeters to pixel coordinates (right, down; 0 is the picture's edge)."""
        _, right, down, sign = _LAYOUT[plane]
        start = self.low[down] if sign > 0 else self.high[down]
        across = points[:, right] - self.low[right]
        return np.stack([across, sign * (points[:, down] - start)], 1) / self.pixel_mm


def region_frame(volume: Volume, surfaces: Sequence[Mesh], pixels: int) -> Frame:
    """Put a box around anatomies and what is beside them, without the air around the body.

    Args:
        volume: CT, HU.
        surfaces: Of the anatomies.
        pixels: Length of the longest side in pixels.
    """
    points = np.concatenate([mesh.vertices for mesh in surfaces])
    body_low, body_high = _body(volume)
    low = np.minimum(np.maximum(points.min(0) - _BESIDE_MM, body_low), points.min(0) - 5)
    high = np.maximum(np.minimum(points.max(0) + _BESIDE_MM, body_high), points.max(0) + 5)
    return Frame(low, high, float((high - low).max() / pixels))


def anatomy_frame(points: Float[np.ndarray, "n 3"], pixels: int, margin_mm: float = 20.0) -> Frame:
    """Put a box around the points of an anatomy."""
    low, high = points.min(0) - margin_mm, points.max(0) + margin_mm
    return Frame(low, high, float((high - low).max() / pixels))


def _body(volume: Volume) -> tuple[np.ndarray, np.ndarray]:
    """Find the corners of the box around what is denser than air; the whole image if nothing is."""
    step = max(1, max(volume.array.shape) // 128)
    thinned = volume.array[::step, ::step, ::step] > _BODY_HU
    index = np.argwhere(thinned)[:, ::-1] * float(step)
    points = volume.index_to_point(index) if len(index) else volume.corners()
    corners = volume.corners()
    margin = step * volume.spacing.max()
    low = np.maximum(points.min(0) - margin, corners.min(0))
    return low, np.minimum(points.max(0) + margin, corners.max(0))


def slice_pixels(
    volume: Volume,
    plane: Plane,
    position_mm: float,
    frame: Frame,
    window_hu: tuple[float, float],
) -> UInt8[np.ndarray, "h w"]:
    """Cut a slice out of a CT whose grid may be turned, and window it to gray values.

    Args:
        volume: CT, HU.
        plane: Which way to cut.
        position_mm: LPS coordinate along the axis that the plane is across.
        frame: The part of space to show.
        window_hu: Shown as black and as white.
    """
    fixed, right, down, sign = _LAYOUT[plane]
    width, height = frame.size(plane)
    points = np.empty((height, width, 3))
    points[..., fixed] = position_mm
    points[..., right] = frame.low[right] + (np.arange(width) + 0.5) * frame.pixel_mm
    start = frame.low[down] if sign > 0 else frame.high[down]
    points[..., down] = start + sign * (np.arange(height)[:, None] + 0.5) * frame.pixel_mm
    index = np.moveaxis(volume.point_to_index(points)[..., ::-1], -1, 0)
    values = map_coordinates(volume.array, index, order=1, mode="constant", cval=_AIR_HU)
    low, high = window_hu
    return np.asarray(np.clip((values - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def outlines(
    mesh: Mesh, plane: Plane, position_mm: float, frame: Frame, tolerance_pixels: float = 0.15
) -> list[Float[np.ndarray, "n 2"]]:
    """Cut a closed surface by a plane.

    Returns:
        Closed lines in pixel coordinates, with as few points as the tolerance allows.
    """
    fixed = _LAYOUT[plane][0]
    # A plane through a vertex cuts no edge cleanly; half a micrometer aside it does.
    height = mesh.vertices[:, fixed] - (position_mm + 5e-4)
    above = height > 0
    crossing = mesh.faces[(above[mesh.faces].sum(1) % 3) != 0]
    following: dict[tuple[int, int], tuple[int, int]] = {}
    for face in crossing.tolist():
        enters, leaves = _edges_cut(face, above)
        following[enters] = leaves
    loops = []
    while following:
        start, edge = following.popitem()
        edges = [start]
        while edge in following:
            edges.append(edge)
            edge = following.pop(edge)
        low, high = (np.array([pair[i] for pair in edges]) for i in range(2))
        share = (height[low] / (height[low] - height[high]))[:, None]
        points = mesh.vertices[low] + share * (mesh.vertices[high] - mesh.vertices[low])
        pixels = frame.to_pixels(plane, points)
        loops.append(approximate_polygon(np.vstack([pixels, pixels[:1]]), tolerance_pixels))
    return loops


def _edges_cut(face: list[int], above: np.ndarray) -> tuple[tuple[int, int], tuple[int, int]]:
    """Name the edge through which a cut enters a triangle and the one through which it leaves.

    The cut goes in along the edge that rises and out along the one that falls; a neighbor sees
    the shared edge the other way round, so that cuts chain up.
    """
    rising = falling = (0, 0)
    for a, b in zip(face, face[1:] + face[:1], strict=True):
        if not above[a] and above[b]:
            rising = (min(a, b), max(a, b))
        if above[a] and not above[b]:
            falling = (min(a, b), max(a, b))
    return rising, falling


def best_position(surfaces: Sequence[Mesh], plane: Plane) -> float:
    """Choose where to cut: through as many anatomies as possible, near the middle of those.

    Returns:
        The LPS coordinate along the axis that the plane is across, mm.
    """
    fixed = _LAYOUT[plane][0]
    ends = np.array([(s.vertices[:, fixed].min(), s.vertices[:, fixed].max()) for s in surfaces])
    places = np.linspace(ends[:, 0].min(), ends[:, 1].max(), 201)
    depth = np.minimum(places[:, None] - ends[:, 0], ends[:, 1] - places[:, None])
    depth = np.clip(depth / ((ends[:, 1] - ends[:, 0]) / 2), 0, 1)  # 1 in the middle of an anatomy
    score = (depth > 0.15).sum(1) + depth.mean(1)
    return float(places[np.argmax(score)])
