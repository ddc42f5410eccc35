"""Surfaces from predicted masks."""

import numpy as np

from massm.config.groom import SurfaceConfig
from massm.geometry.isosurface import isosurface
from massm.geometry.mesh import Mesh
from massm.geometry.topology import largest_component
from massm.geometry.volume import Volume
from massm.groom.surface import groom_mask
from massm.io.errors import DataError


def surface_of_mask(mask: Volume, config: SurfaceConfig) -> Mesh:
    """Turn a predicted mask into a surface the way the reference masks were groomed.

    The same steps on both sides: a difference between the surfaces is one between the masks.

    Args:
        mask: Booleans on the network's grid, image space.
        config: Resolution and smoothness, as for grooming.

    Raises:
        DataError: If the mask is empty or falls apart.
    """
    return groom_mask(mask, config).surface


def surface_of_probability(probability: Volume, *, threshold: float = 0.5) -> Mesh:
    """Extract the surface of a probability map by marching cubes; its largest piece.

    Probabilities place the surface between voxels, where a mask can only take steps.

    Args:
        probability: Values from 0 to 1 on the network's grid, image space.
        threshold: Probability on the surface.

    Raises:
        DataError: If no voxel is above the threshold.
    """
    if not np.isfinite(probability.array).all():
        raise DataError("the probability map holds values that are not finite")
    try:
        return largest_component(isosurface(probability, threshold))
    except ValueError as error:
        raise DataError(f"no surface in the probability map: {error}") from error
