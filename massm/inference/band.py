"""How far off a predicted anatomy may be: what its model folder promises, for one scan."""

import numpy as np
from jaxtyping import Float

from massm.inference.bundle import Bundle
from massm.inference.shapes import Band, Cut

NO_INTERVALS = "the model folder holds no intervals"


def band_of(bundle: Bundle, anatomy: str, cut: Cut | None) -> tuple[Band | None, str]:
    """Say how far the true surface of an anatomy that was found may lie from its particles.

    Of one that lies partly outside of the scan nothing is promised: calibration subjects with such
    were withheld.

    Args:
        bundle: The model.
        anatomy: Name of the anatomy.
        cut: How much of it lies outside of the scan.

    Returns:
        The band, None where nothing is promised, and why not all is; empty if all is.
    """
    if bundle.intervals is None:
        return None, NO_INTERVALS
    own = bundle.intervals.anatomies[anatomy]
    if cut is not None and cut.is_cut:
        return None, "it lies partly outside of the scan"
    if own.share_mm is None and own.whole_mm is None:
        return None, own.reason
    weights = bundle.shapes[anatomy].warp.weights
    band = Band(
        level=bundle.intervals.level,
        share_mm=own.share_mm,
        whole_mm=own.whole_mm,
        share_at_vertices_mm=_at_vertices(own.share_mm, weights),
        whole_at_vertices_mm=_at_vertices(own.whole_mm, weights),
        subjects=own.subjects,
        pooled=own.pooled,
    )
    return band, own.reason


def _at_vertices(
    radius: Float[np.ndarray, " M"] | None, weights: Float[np.ndarray, "V M"]
) -> Float[np.ndarray, " V"] | None:
    """Carry radii from particles to vertices as the warp does; none beyond the particles' own."""
    if radius is None:
        return None
    return np.asarray(np.clip(weights @ radius, radius.min(), radius.max()))
