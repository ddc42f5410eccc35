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
        self, world: Float[np.ndarray, "*n M 3"], modes: int
    ) -> Float[np.ndarray, "*n M 3"]:
        """Find the nearest shapes that the first ``modes`` modes can make."""
        return self.shapes(self.scores(world)[..., :modes])

    def draw(
        self, count: int, modes: int, generator: np.random.Generator
    ) -> Float[np.ndarray, "n M 3"]:
        """Draw shapes from the Gaussian of the first ``modes`` modes."""
        modes = min(modes, len(self.variances))
        noise = generator.standard_normal((count, modes))
        return self.shapes(noise * np.sqrt(self.variances[:modes]))


def fit_shape_model(world: Float[np.ndarray, "N M 3"], modes: int | None = None) -> ShapeModel:
    """Find the principal components of aligned shapes through their N x N Gram matrix.

    Args:
        world: Aligned particles of the training shapes, mm.
        modes: Most modes to keep; all N - 1 by default.

    Raises:
        ValueError: With fewer than two shapes.
    """
    shapes = len(world)
    if shapes < 2:
        raise ValueError(f"a shape model needs at least 2 shapes, got {shapes}")
    mean = world.mean(0)
    centered = (world - mean).reshape(shapes, -1)
    values, vectors = np.linalg.eigh(centered @ centered.T)
    keep = min(shapes - 1, modes or shapes - 1)
    values, vectors = values[::-1][:keep].clip(min=0), vectors[:, ::-1][:, :keep]
    real = values > 1e-12 * max(values[0], 1e-300)
    values, vectors = values[real], vectors[:, real]
    directions = (vectors / np.sqrt(values)).T @ centered
    return ShapeModel(mean, directions.reshape(-1, *mean.shape), values / (shapes - 1))
