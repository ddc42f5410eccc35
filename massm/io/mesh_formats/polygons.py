"""Polygons as a file lists them, and the triangles that they are cut into."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkFiltersCore import vtkTriangleFilter

from massm.geometry.mesh import Mesh

Space = Literal["", "LPS", "RAS"]

_FARTHEST = 1e7  # mm; 10 km hold a scanner whose unit is the micrometer
_ODD = (np.sqrt(2.0), np.sqrt(3.0))  # no ratios that coordinates of a grid have
_MOST_CORNERS = 1000  # of one polygon: cutting takes their number squared


@dataclass(frozen=True)
class Polygons:
    """What a surface file holds.

    Attributes:
        points: Positions, in the frame and unit of the file.
        sizes: Number of corners of each polygon.
        corners: Point numbers of all polygons, one after the other.
        space: The frame that the file says it is in; empty if it does not say.
    """

    points: Float[np.ndarray, "V 3"]
    sizes: Int[np.ndarray, " P"]
    corners: Int[np.ndarray, " C"]
    space: Space = ""


def as_points(numbers: np.ndarray) -> Float[np.ndarray, "V 3"]:
    """Take numbers three by three; what is no number stays none, whatever its bits are."""
    with np.errstate(invalid="ignore"):
        return numbers.astype(np.float64).reshape(-1, 3)


def fans(
    points: Float[np.ndarray, "V 3"], corners: Int[np.ndarray, "P n"], space: Space = ""
) -> Polygons:
    """Take polygons that all have as many corners."""
    count, size = corners.shape
    return Polygons(points, np.full(count, size), corners.ravel().astype(np.int64), space)


def strip_triangles(
    sizes: Int[np.ndarray, " S"], corners: Int[np.ndarray, " C"]
) -> Int[np.ndarray, "F 3"]:
    """Cut triangle strips; every second triangle of a strip turns the other way."""
    faces = [np.zeros((0, 3), np.int64)]
    for strip in np.split(corners, np.cumsum(sizes)[:-1]):
        if len(strip) < 3:
            continue
        triangles = np.stack([strip[:-2], strip[1:-1], strip[2:]], axis=1)
        triangles[1::2, :2] = triangles[1::2, 1::-1]
        faces.append(triangles)
    return np.concatenate(faces)


def with_strips(
    polygons: Polygons, sizes: Int[np.ndarray, " S"], corners: Int[np.ndarray, " C"]
) -> Polygons:
    """Add triangle strips of the same points."""
    strips = fans(polygons.points, strip_triangles(sizes, corners))
    return Polygons(
        polygons.points,
        np.concatenate([polygons.sizes, strips.sizes]),
        np.concatenate([polygons.corners, strips.corners]),
        polygons.space,
    )


def joined(parts: list[Polygons]) -> Polygons:
    """Put the polygons of several parts of a file together."""
    starts = np.cumsum([0, *[len(part.points) for part in parts]])
    return Polygons(
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.sizes for part in parts]),
        np.concatenate([part.corners + start for part, start in zip(parts, starts, strict=False)]),
        next((part.space for part in parts if part.space), ""),
    )


def triangulated(polygons: Polygons) -> tuple[Mesh, int]:
    """Cut polygons into triangles; equal points become one, points without use go.

    Returns:
        The triangles, in the order of the polygons, and the number of polygons that were left out,
        having fewer than three different corners.

    Raises:
        ValueError: If a corner is no point, a point is not finite or absurdly far, or a polygon
            cannot be cut.
    """
    _check(polygons)
    points, number = _different(polygons.points)
    sizes, corners = _without_repeats(polygons.sizes, number[polygons.corners])
    good = sizes > 2
    corners, sizes = corners[np.repeat(good, sizes)], sizes[good]
    faces = corners.reshape(-1, 3) if (sizes == 3).all() else _cut(points, sizes, corners)
    return _in_order_of_use(points, faces), int((~good).sum())


def _check(polygons: Polygons) -> None:
    points, corners = polygons.points, polygons.corners
    wrong = corners[(corners < 0) | (corners >= len(points))]
    if len(wrong):
        raise ValueError(f"a polygon has the corner {wrong[0]}, but there are {len(points)} points")
    is_used = np.zeros(len(points), bool)
    is_used[corners] = True
    used = points[is_used]
    if not np.isfinite(used).all():
        raise ValueError("a vertex is not a finite number")
    if len(used) and np.abs(used).max() > _FARTHEST:
        raise ValueError(
            f"a vertex lies at {np.abs(used).max():.3g} mm, farther than a body can be"
        )
    if len(polygons.sizes) and polygons.sizes.max() > _MOST_CORNERS:
        raise ValueError(
            f"a polygon has {int(polygons.sizes.max())} corners, more than {_MOST_CORNERS}; cut it "
            "into triangles before"
        )


def _different(
    points: Float[np.ndarray, "V 3"],
) -> tuple[Float[np.ndarray, "W 3"], Int[np.ndarray, " V"]]:
    """List the different points, and the number of each old one among them."""
    with np.errstate(all="ignore"):  # points without use may be anything
        mixed = points[:, 0] + _ODD[0] * points[:, 1] + _ODD[1] * points[:, 2]
    if len(np.unique(mixed)) == len(points):  # equal points would have equal numbers
        return points, np.arange(len(points))
    order = np.lexsort(points.T)
    ordered = points[order]
    new = np.ones(len(points), bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    number = np.empty(len(points), np.int64)
    number[order] = np.cumsum(new) - 1
    return ordered[new], number


def _without_repeats(
    sizes: Int[np.ndarray, " P"], corners: Int[np.ndarray, " C"]
) -> tuple[Int[np.ndarray, " P"], Int[np.ndarray, " D"]]:
    """Take out corners that equal the one before them in their polygon in a round."""
    if len(corners) == 0:
        return sizes, corners
    starts = np.cumsum(sizes) - sizes
    filled = sizes > 0
    before = np.roll(corners, 1)
    before[starts[filled]] = corners[(starts + sizes - 1)[filled]]
    keep = corners != before
    polygon = np.repeat(np.arange(len(sizes)), sizes)
    return np.bincount(polygon[keep], minlength=len(sizes)), corners[keep]


def _cut(
    points: Float[np.ndarray, "V 3"], sizes: Int[np.ndarray, " P"], corners: Int[np.ndarray, " C"]
) -> Int[np.ndarray, "F 3"]:
    cells, place = vtkCellArray(), vtkPoints()
    place.SetData(numpy_to_vtk(np.ascontiguousarray(points), deep=True))
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    cells.SetData(
        numpy_to_vtkIdTypeArray(offsets, deep=True),
        numpy_to_vtkIdTypeArray(np.ascontiguousarray(corners, np.int64), deep=True),
    )
    data, triangles = vtkPolyData(), vtkTriangleFilter()
    data.SetPoints(place)
    data.SetPolys(cells)
    triangles.SetInputData(data)
    triangles.Update()
    found = triangles.GetOutput().GetPolys().GetConnectivityArray()
    faces = vtk_to_numpy(found).astype(np.int64).reshape(-1, 3)
    if len(faces) != int((sizes - 2).sum()):
        raise ValueError(
            f"{int((sizes - 2).sum()) - len(faces)} triangles are missing after its polygons were "
            "cut: some cross themselves; export it as triangles"
        )
    return np.asarray(faces)


def _in_order_of_use(points: Float[np.ndarray, "V 3"], faces: Int[np.ndarray, "F 3"]) -> Mesh:
    corners = faces.ravel()
    first = np.full(len(points), -1)
    first[corners[::-1]] = np.arange(len(corners))[::-1]  # of equal ones the last is kept
    used = np.flatnonzero(first >= 0)
    used = used[np.argsort(first[used])]
    place = np.empty(len(points), np.int64)
    place[used] = np.arange(len(used))
    return Mesh(points[used], place[faces])
