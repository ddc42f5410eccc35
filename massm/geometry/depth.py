"""How deep inside a closed surface the voxels of a grid lie."""

import igl
import numpy as np
from jaxtyping import Float
from scipy.ndimage import distance_transform_edt

from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume

_EXACT = 2.5  # within so many voxels of the surface the distance is exact


def depth_on(mesh: Mesh, grid: Volume) -> Float[np.ndarray, "D H W"]:
    """Measure the signed distance to a closed surface on an isotropic grid, mm, positive inside.

    Exact near the surface; farther off the distance between voxels stands for it, which is as good
    for an average and saves most of the time.

    Args:
        mesh: Closed surface, in the frame of the grid.
        grid: Says where voxels are; its values are not looked at.
    """
    index = np.indices(grid.array.shape, float)[::-1].reshape(3, -1).T
    points = grid.index_to_point(index)
    vertices, faces = np.ascontiguousarray(mesh.vertices), np.ascontiguousarray(mesh.faces)
    winding = np.asarray(igl.fast_winding_number(vertices, faces, points))
    inside = winding.reshape(grid.array.shape) > 0.5
    spacing = float(grid.spacing[0])
    away = distance_transform_edt(inside) + distance_transform_edt(~inside) - 0.5
    near = away < _EXACT
    depth = spacing * away
    depth[near] = SurfaceIndex(mesh).closest(points[near.ravel()]).distance
    return np.asarray(np.where(inside, depth, -depth))
