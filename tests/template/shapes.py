"""Ellipsoids as meshes, sound and spoiled."""

import numpy as np

from massm.geometry.isosurface import isosurface, sample_grid
from massm.geometry.mesh import Mesh


def ellipsoid(*radii):
    reach = np.array(radii) + 2.0
    grid, points = sample_grid(-reach, reach, 1.0)
    field = 1 - np.linalg.norm(points / radii, axis=1)
    return isosurface(grid.with_array(field.reshape(grid.array.shape)), 0.0)


def pierced(mesh):
    """Push one vertex through the far side."""
    vertices = mesh.vertices.copy()
    top = int(vertices[:, 2].argmax())
    vertices[top, 2] = vertices[:, 2].min() - 3
    return Mesh(vertices, mesh.faces)
