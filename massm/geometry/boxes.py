"""Axis-aligned 3D boxes as center and radius.

The box of an anatomy is the box of its local particles, and its *center* is the middle of that box:
the one definition of center that detector, template and baselines share.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Box(NamedTuple):
    """Center and half extents of one anatomy's box, mm."""

    center: Float[np.ndarray, "3"]
    radius: Float[np.ndarray, "3"]


def box_of(
    points: Float[np.ndarray, "*n M 3"],
) -> tuple[Float[np.ndarray, "*n 3"], Float[np.ndarray, "*n 3"]]:
    """Put the tightest box around points.

    Returns:
        Center and half extent along each axis, in the unit and frame of the points.
    """
    low, high = points.min(-2), points.max(-2)
    return (low + high) / 2, (high - low) / 2


def box_iou(
    center_a: Float[np.ndarray, "*n 3"],
    radius_a: Float[np.ndarray, "*n 3"],
    center_b: Float[np.ndarray, "*n 3"],
    radius_b: Float[np.ndarray, "*n 3"],
) -> Float[np.ndarray, "*n"]:
    """Measure the overlap of boxes: volume of the intersection over that of the union."""
    low = np.maximum(center_a - radius_a, center_b - radius_b)
    high = np.minimum(center_a + radius_a, center_b + radius_b)
    overlap = np.clip(high - low, 0, None).prod(-1)
    union = (2 * radius_a).prod(-1) + (2 * radius_b).prod(-1) - overlap
    return np.asarray(overlap / np.where(union > 0, union, 1))
