"""Find triangles of a mesh that pass through each other, and folds."""

import numpy as np
from jaxtyping import Float, Int

from massm.geometry.mesh import Mesh


def self_intersections(mesh: Mesh) -> Int[np.ndarray, "n 2"]:
    """List the pairs of triangles that cross although they share no vertex.

    An edge of one triangle has to pass through the inside of the other (Moeller and Trumbore,
    "Fast, minimum storage ray/triangle intersection", 1997). Neighbors are left out: they always
    touch. Triangles that lie in one plane count as not crossing.

    Args:
        mesh: Any triangles.

    Returns:
        Face numbers, the smaller first, each pair once.
    """
    pairs = _close_pairs(mesh)
    crossing = np.zeros(len(pairs), bool)
    for first, second in ((0, 1), (1, 0)):
        triangles = mesh.vertices[mesh.faces[pairs[:, first]]]
        others = mesh.vertices[mesh.faces[pairs[:, second]]]
        for side in range(3):
            crossing |= _pierces(triangles[:, side], triangles[:, (side + 1) % 3], others)
    return pairs[crossing]


def folded_faces(mesh: Mesh) -> Int[np.ndarray, " n"]:
    """List the triangles that turn more than 90 degrees against the mean of their neighbors.

    A warp that folds the surface over leaves such triangles.
    """
    import igl  # this and scipy.spatial: half a second that a program's start does not wait for

    adjacency, _ = igl.triangle_triangle_adjacency(np.ascontiguousarray(mesh.faces, np.int64))
    adjacency = np.asarray(adjacency)
    normals = np.vstack([mesh.face_normals, np.zeros((1, 3))])  # row -1: no neighbor
    around = normals[adjacency].sum(1)
    return np.flatnonzero((mesh.face_normals * around).sum(1) < 0)


def _close_pairs(mesh: Mesh) -> Int[np.ndarray, "n 2"]:
    """List pairs of triangles whose boxes overlap and that share no vertex."""
    corners = mesh.vertices[mesh.faces]
    low, high = corners.min(1), corners.max(1)
    pairs = _near_pairs((low + high) / 2, np.linalg.norm(high - low, axis=1) / 2)
    # Axis by axis and corner by corner: each test is for those alone that the last one left.
    for axis in range(3):
        one, two = pairs.T
        bottom, top = np.ascontiguousarray(low[:, axis]), np.ascontiguousarray(high[:, axis])
        pairs = pairs[(bottom[one] <= top[two]) & (bottom[two] <= top[one])]
    one, two = mesh.faces[pairs[:, 0]].T, mesh.faces[pairs[:, 1]].T
    shared = np.zeros(len(pairs), bool)
    for corner in one:
        for other in two:
            shared |= corner == other
    return np.sort(pairs[~shared], axis=1)


def _near_pairs(
    middle: Float[np.ndarray, "F 3"], reach: Float[np.ndarray, " F"]
) -> Int[np.ndarray, "n 2"]:
    """List the pairs that are nearer than their reaches together, and some that are farther."""
    from scipy.spatial import cKDTree

    # By size, so that one large triangle does not make every search wide; those of a remeshed
    # surface are of one size, hence the 1.5 about the median.
    typical = 1.5 * max(float(np.median(reach)), 1e-12)
    sizes = np.ceil(np.log2(np.maximum(reach, 1e-12) / typical))
    groups = [np.flatnonzero(sizes == size) for size in np.unique(sizes)]
    trees = [cKDTree(middle[group]) for group in groups]
    found = []
    for i, group in enumerate(groups):
        for j in range(i + 1):
            within = float(reach[group].max() + reach[groups[j]].max())
            if i == j:
                near = trees[i].query_pairs(within, output_type="ndarray")
            else:
                table = trees[i].sparse_distance_matrix(trees[j], within, output_type="ndarray")
                near = np.stack([table["i"], table["j"]], axis=1)
            found.append(np.stack([group[near[:, 0]], groups[j][near[:, 1]]], axis=1))
    return np.concatenate(found)


def _pierces(start: np.ndarray, end: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Tell for each row whether the segment passes through the inside of the triangle."""
    ray = end - start
    one = triangles[:, 1] - triangles[:, 0]
    two = triangles[:, 2] - triangles[:, 0]
    across = np.cross(ray, two)
    determinant = (one * across).sum(1)
    parallel = np.abs(determinant) < 1e-12 * np.linalg.norm(ray, axis=1) * (
        np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    )
    safe = np.where(parallel, 1.0, determinant)
    offset = start - triangles[:, 0]
    u = (offset * across).sum(1) / safe
    other = np.cross(offset, one)
    v = (ray * other).sum(1) / safe
    t = (two * other).sum(1) / safe
    # A segment that ends on the triangle touches it; one that runs through its border crosses.
    inside = (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 1e-9) & (t < 1 - 1e-9)
    return np.asarray(inside & ~parallel)
