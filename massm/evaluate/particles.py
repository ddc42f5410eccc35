"""Errors of predicted particles against true ones in correspondence."""

import numpy as np
from jaxtyping import Float

from massm.pdm.shape_model import ShapeModel


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


def span_measures(found: Float[np.ndarray, "M 3"], model: ShapeModel) -> dict[str, float]:
    """Measure how far particles lie outside of what the shape model can make with all its modes.

    That is no error: true shapes of new subjects lie outside, too, and the row of the truth says
    how far. A mean shape lies within.

    Args:
        found: In the model's frame, mm.
        model: Of the training split.

    Returns:
        ``span_distance``: root mean square over particles, mm.
    """
    within = model.project(found[None], len(model.variances))[0]
    return {"span_distance": float(np.sqrt(np.square(found - within).sum(1).mean()))}
