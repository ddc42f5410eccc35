"""One label map of all anatomies of a scan, on the scan's own grid."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Int

from massm.evaluate.overlap import voxelize
from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.inference.shapes import ScanShapes

Voxels = Int[np.ndarray, " n"]
"""Places in the flattened grid, ascending."""


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
    filled = {name: _fill(mesh, volume) for name, mesh in shapes.surfaces.items()}
    for name, voxels in filled.items():
        flat[voxels] = shapes[name].label
    overlaps = {}
    for one, other in combinations(filled, 2):
        common = np.intersect1d(filled[one], filled[other], assume_unique=True)
        if len(common):
            overlaps[one, other] = common
    if overlaps:
        contested = np.unique(np.concatenate(list(overlaps.values())))
        flat[contested] = _deepest(contested, filled, shapes, volume)
    counts = np.bincount(flat, minlength=len(shapes.anatomies) + 1)
    return LabelMap(
        volume,
        {name: int(counts[shapes[name].label]) for name in filled},
        {pair: len(voxels) for pair, voxels in overlaps.items()},
    )


def _fill(mesh: Mesh, grid: Volume) -> Voxels:
    inside, start = voxelize(mesh, grid)
    places = np.argwhere(inside) + start
    return np.ravel_multi_index(tuple(places.T), grid.array.shape)


def _deepest(
    voxels: Voxels, filled: Mapping[str, Voxels], shapes: ScanShapes, grid: Volume
) -> Int[np.ndarray, " n"]:
    """Find the label of the anatomy in which each voxel lies deepest."""
    index = np.stack(np.unravel_index(voxels, grid.array.shape), 1)[:, ::-1]
    points = grid.index_to_point(index.astype(float))
    deepest, owner = np.full(len(voxels), -np.inf), np.zeros(len(voxels), int)
    for name, own in filled.items():
        claimed = np.flatnonzero(np.isin(voxels, own, assume_unique=True))
        if not len(claimed):
            continue
        depth = SurfaceIndex(shapes.surfaces[name]).closest(points[claimed]).distance
        deeper = depth > deepest[claimed]
        deepest[claimed[deeper]] = depth[deeper]
        owner[claimed[deeper]] = shapes[name].label
    return owner
