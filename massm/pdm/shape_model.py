"""Linear shape model: principal components of world particles."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class ShapeModel:
    """Mean and modes of aligned shapes.

    Attributes:
        mean: Mean particles, world frame, mm.
        modes: Orthonormal directions, longest first.
        variances: Variance of the shapes along each mode (divided by N - 1), mm^2 summed over all
            coordinates.
    """

    mean: Float[np.ndarray, "M 3"]
    modes: Float[np.ndarray, "k M 3"]
    variances: Float[np.ndarray, " k"]

    @property
    def compactness(self) -> Float[np.ndarray, " k"]:
        """Fraction of the variance that the first modes hold, cumulative."""
        total = self.variances.sum()
        return np.cumsum(self.variances) / (total if total > 0 else 1)

    def scores(self, world: Float[np.ndarray, "*n M 3"]) -> Float[np.ndarray, "*n k"]:
        """Write shapes as distances along the modes, mm."""
        return np.asarray(np.einsum("...ma,kma->...k", world - self.mean, self.modes))

    def shapes(self, scores: Float[np.ndarray, "*n j"]) -> Float[np.ndarray, "*n M 3"]:
        """Make shapes from the scores of the first j modes."""
        modes = self.modes[: scores.shape[-1]]
        return np.asarray(self.mean + np.einsum("...k,kma->...ma", scores, modes))

    def project(
        self, world: Float[np.ndarray, "*n M 3"], modes: int | None
    ) -> Float[np.ndarray, "*n M 3"]:
        """Find the nearest shapes that the first ``modes`` modes can make, or all of them."""
        return self.shapes(self.scores(world)[..., :modes])


def fit_shape_model(world: Float[np.ndarray, "N M 3"], modes: int | None = None) -> ShapeModel:
    """Find the principal components of shapes: the one PCA of the package.

    scikit-learn's kernel PCA with the linear kernel, which is PCA through the N x N Gram matrix:
    shapes are far fewer than coordinates, and leaving each out in turn is six times faster so than
    by a singular value decomposition. A mode points to the side on which the shape that is farthest
    along it lies.

    Args:
        world: Shapes in one frame, mm.
        modes: Most modes to keep; all N - 1 by default. Those without variance are left out.

    Raises:
        ValueError: With fewer than two shapes, or numbers that are not finite.
    """
    from sklearn.decomposition import KernelPCA

    shapes = len(world)
    if shapes < 2:
        raise ValueError(f"a shape model needs at least 2 shapes, got {shapes}")
    mean = world.mean(0)
    centered = (world - mean).reshape(shapes, -1)
    keep = min(shapes - 1, modes or shapes - 1)
    dual = KernelPCA(keep, kernel="precomputed", eigen_solver="dense").fit(centered @ centered.T)
    real = dual.eigenvalues_ > 1e-12 * max(dual.eigenvalues_[0], 1e-300)
    values, vectors = dual.eigenvalues_[real], dual.eigenvectors_[:, real]
    directions = (vectors / np.sqrt(values)).T @ centered
    return ShapeModel(mean, directions.reshape(-1, *mean.shape), values / (shapes - 1))
