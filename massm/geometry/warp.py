"""Transfer a template mesh along its particles."""

import numpy as np
import scipy.linalg
from jaxtyping import Float
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist


def warp_weights(
    vertices: Float[np.ndarray, "V 3"],
    particles: Float[np.ndarray, "M 3"],
    *,
    regularization: float = 0.0,
) -> Float[np.ndarray, "V M"]:
    """Write the thin-plate spline warp of a mesh as a matrix: ``warped = weights @ particles``.

    The spline that carries the template's particles p_j to new ones q_j is
    f(x) = sum_j c_j |x - p_j| + affine(x): the biharmonic kernel of space (Bookstein, "Principal
    warps", IEEE TPAMI 11(6), 1989; kernel r in three dimensions after Duchon 1977). Its
    coefficients are linear in q, so everything that depends on the template alone is solved once.
    Weights of a vertex sum to 1 and carry the template's particles to the vertex itself, so affine
    motions of the particles move the mesh in exactly the same way.

    Args:
        vertices: Template mesh, mm.
        particles: Template's particles in the same frame, mm.
        regularization: Taken from the kernel's diagonal, mm; 0 runs through every particle, a small
            value keeps particles that nearly coincide from tearing the mesh.

    Raises:
        ValueError: With fewer than 4 particles, particles in one plane, or two at one place.
    """
    count = len(particles)
    if count < 4:
        raise ValueError(f"a warp needs at least 4 particles, got {count}")
    center = particles.mean(0)
    scale = float(np.sqrt(np.square(particles - center).sum(1).mean()))
    # Unit size keeps kernel and affine part of one magnitude: the system stays well conditioned.
    points, places = (particles - center) / scale, (vertices - center) / scale
    affine = np.hstack([np.ones((count, 1)), points])
    if np.linalg.matrix_rank(affine, tol=1e-6) < 4:
        raise ValueError("the particles lie in one plane: the affine part is not determined")
    gap = cKDTree(points).query(points, k=2)[0][:, 1].min()
    if gap < 1e-6 and regularization == 0:
        raise ValueError("two particles share one place: the warp would have to tear there")

    system = np.zeros((count + 4, count + 4))
    # -r is positive definite beside the affine part, hence the sign of the regularization.
    system[:count, :count] = cdist(points, points) - regularization / scale * np.eye(count)
    system[:count, count:] = affine
    system[count:, :count] = affine.T
    basis = np.hstack([cdist(places, points), np.ones((len(places), 1)), places])
    # The inverse is small beside the many vertices, so it costs less than one solve for each.
    inverse = scipy.linalg.inv(system)
    return _affine_exact(basis @ inverse[:, :count], affine, places)


def _affine_exact(
    weights: Float[np.ndarray, "V M"],
    affine: Float[np.ndarray, "M 4"],
    places: Float[np.ndarray, "V 3"],
) -> Float[np.ndarray, "V M"]:
    """Remove the solver's rounding from the affine conditions ``weights @ [1, p] = [1, v]``."""
    error = np.hstack([np.ones((len(places), 1)), places]) - weights @ affine
    return np.asarray(weights + error @ np.linalg.pinv(affine))
