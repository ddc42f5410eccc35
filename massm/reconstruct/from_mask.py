"""Surfaces from predicted masks."""

from pathlib import Path

import numpy as np

from massm.config.groom import SurfaceConfig
from massm.geometry.isosurface import isosurface
from massm.geometry.mesh import Mesh
from massm.geometry.topology import largest_component
from massm.geometry.volume import Volume
from massm.groom.surface import groom_mask
from massm.io import meshes
from massm.io.errors import DataError
from massm.reconstruct.from_particles import flaws_of


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


def write_mask_surface(
    mask: Volume, config: SurfaceConfig, path: Path, described: str
) -> dict[str, int]:
    """Make the surface of a predicted mask, write it and count its flaws.

    Args:
        mask: Booleans, image space.
        config: As for grooming.
        path: The ``.vtp`` to write.
        described: Subject and anatomy, for the message.

    Raises:
        DataError: If the mask makes no surface.
    """
    try:
        surface = surface_of_mask(mask, config)
    except DataError as error:
        raise DataError(f"{described}: the predicted mask makes no surface: {error}") from error
    meshes.write(surface, path)
    flaws = flaws_of(surface)
    return {"folded": flaws.folded, "crossing": flaws.crossing}


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
