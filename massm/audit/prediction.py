"""What a model that has not learned from a mask says of the anatomy."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from massm.audit.measures import DIRECTIONS, END_PERCENT, MaskMeasures
from massm.geometry.mesh import Mesh


class PredictedMask(NamedTuple):
    """The prediction of one anatomy of one scan, as far as a mask is compared with it.

    Attributes:
        distance_mm: Mean distance between the mask and it.
        ends: How far its surface reaches from the origin in 26 directions, LPS mm; nan if the
            surface is not there.
    """

    distance_mm: float
    ends: Float[np.ndarray, "26"]


def predicted_mask(distance_mm: float, surface: Mesh | None) -> PredictedMask:
    """Keep what a mask is compared with.

    Args:
        distance_mm: Mean distance between the mask and the prediction.
        surface: Predicted, LPS mm; None if it is not there.
    """
    if surface is None:
        return PredictedMask(distance_mm, np.full(len(DIRECTIONS), np.nan))
    ends = np.percentile(surface.vertices @ DIRECTIONS.T, END_PERCENT, axis=0)
    return PredictedMask(distance_mm, np.asarray(ends))


def beyond_prediction(mask: MaskMeasures, said: PredictedMask) -> Float[np.ndarray, "26"]:
    """Measure how much farther a mask reaches in 26 directions than its prediction, mm.

    By a constant of the anatomy too little: voxels' centers end before a surface does.
    """
    return np.asarray(DIRECTIONS @ mask.center + mask.support - said.ends)
