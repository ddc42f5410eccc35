"""Errors of predicted particles against true ones in correspondence."""

import numpy as np
from jaxtyping import Float


def particle_measures(
    predicted: Float[np.ndarray, "M 3"], true: Float[np.ndarray, "n 3"]
) -> dict[str, float]:
    """Measure how far predicted particles lie from their true places.

    The RMSE is taken along each axis and averaged over the axes, as Ukey, Kataria and Elhabian
    (2024) report it; the Euclidean error is the mean length of the offsets.

    Args:
        predicted: Particles, mm.
        true: Particles in correspondence with ``predicted``, same frame, mm.

    Raises:
        ValueError: If the two do not match.
    """
    if predicted.shape != true.shape:
        raise ValueError(f"{len(predicted)} predicted particles, but {len(true)} true ones")
    offset = predicted - true
    along = np.sqrt(np.square(offset).mean(0))
    return {
        "particle_rmse": float(along.mean()),
        **{f"particle_rmse_{axis}": float(value) for axis, value in zip("xyz", along, strict=True)},
        "particle_euclidean": float(np.linalg.norm(offset, axis=1).mean()),
    }
