"""One label map of all anatomies of a scan, on the scan's own grid."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Int

from massm.evaluate.overlap import voxelize
from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.inference.shapes import ScanShapes


@dataclass(frozen=True)
class LabelMap:
    """The voxels of all anatomies.

    Attributes:
        volume: Labels of the anatomies, 0 elsewhere; on the scan's grid.
        voxels: How many voxels each found anatomy has in it.
        overlaps: How many voxels lie inside the surfaces of both of two anatomies; pairs that do
            not overlap are left out. Each voxel went to the anatomy in which it lies deeper.
    """

    volume: Volume
    voxels: dict[str, int]
    overlaps: dict[tuple[str, str], int]


def label_map(shapes: ScanShapes) -> LabelMap:
    """Fill the surfaces of a scan's anatomies: a voxel belongs to one if its center lies inside.

    Raises:
        ValueError: If a surface is not closed.
    """
    volume = shapes.grid.empty()
    if len(shapes.anatomies) > np.iinfo(volume.array.dtype).max:
        volume = volume.with_array(volume.array.astype(np.uint16))
    flat = volume.array.reshape(-1)
    filled, again = {}, []
    for name, mesh in shapes.surfaces.items():
        voxels = filled[name] = _fill(mesh, volume)
        again.append(voxels[flat[voxels] > 0])
        flat[voxels] = shapes[name].label
    contested = np.unique(np.concatenate(again)) if again else np.zeros(0, int)
    claims = {name: _among(contested, voxels) for name, voxels in filled.items()}
    if len(contested):
        flat[contested] = _deepest(contested, claims, shapes, volume)
    overlaps = {
        (one, other): int((claims[one] & claims[other]).sum())
        for one, other in combinations(claims, 2)
    }
    return LabelMap(
        volume,
        {name: int((flat[filled[name]] == shapes[name].label).sum()) for name in filled},
        {pair: count for pair, count in overlaps.items() if count},
    )


def _fill(mesh: Mesh, grid: Volume) -> Int[np.ndarray, " n"]:
    """List the voxels inside a surface by their place in the flattened grid, ascending."""
    inside, start = voxelize(mesh, grid)
    places = np.argwhere(inside) + start
    return np.asarray(np.ravel_multi_index(tuple(places.T), grid.array.shape))


def _among(voxels: Int[np.ndarray, " n"], own: Int[np.ndarray, " m"]) -> Bool[np.ndarray, " n"]:
    """Say which voxels are among others; both ascending."""
    if not len(own):
        return np.zeros(len(voxels), bool)
    place = np.minimum(np.searchsorted(own, voxels), len(own) - 1)
    return np.asarray(own[place] == voxels)


def _deepest(
    voxels: Int[np.ndarray, " n"],
    claims: Mapping[str, Bool[np.ndarray, " n"]],
    shapes: ScanShapes,
    grid: Volume,
) -> Int[np.ndarray, " n"]:
    """Find the label of the anatomy in which each voxel lies deepest; the first of equals."""
    index = np.stack(np.unravel_index(voxels, grid.array.shape), 1)[:, ::-1]
    points = grid.index_to_point(index.astype(float))
    deepest, owner = np.full(len(voxels), -np.inf), np.zeros(len(voxels), int)
    for name, claim in claims.items():
        claimed = np.flatnonzero(claim)
        if not len(claimed):
            continue
        depth = SurfaceIndex(shapes.surfaces[name]).closest(points[claimed]).distance
        deeper = depth > deepest[claimed]
        deepest[claimed[deeper]] = depth[deeper]
        owner[claimed[deeper]] = shapes[name].label
    return owner
