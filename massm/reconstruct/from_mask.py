"""Surfaces from predicted masks and probabilities."""

from pathlib import Path

import numpy as np

from massm.config.groom import SurfaceConfig
from massm.geometry.isosurface import isosurface
from massm.geometry.mesh import Mesh
from massm.geometry.topology import edge_component_labels
from massm.geometry.volume import Volume
from massm.groom.probability import groom_probability
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


def write_probability_surface(
    probability: Volume, config: SurfaceConfig, path: Path, raw: Path, described: str
) -> dict[str, int]:
    """Make the surface where a probability is one half, write it and count its flaws.

    Beside it goes the raw one: all pieces, as they are, nothing smoothed.

    Args:
        probability: In 255ths, on the network's grid, image space.
        config: As for grooming.
        path: The ``.vtp`` to write.
        raw: The ``.vtp`` of all pieces.
        described: Subject and anatomy, for messages.

    Raises:
        DataError: If nothing is at one half.
    """
    surface, whole = surfaces_of_probability(probability, config, described)
    meshes.write(surface, path)
    meshes.write(whole, raw)
    flaws = flaws_of(surface)
    pieces = int(edge_component_labels(whole).max()) + 1
    return {"folded": flaws.folded, "crossing": flaws.crossing, "pieces": pieces}


def surfaces_of_probability(
    probability: Volume, config: SurfaceConfig, described: str
) -> tuple[Mesh, Mesh]:
    """Return the groomed surface at one half, of the largest piece, and the raw one of all pieces.

    Probabilities place a surface between voxels, where a mask can only take steps. Of networks
    whose probabilities sum to 1 over the background and all anatomies, the border of two that touch
    is at one half, too.

    Args:
        probability: In 255ths, image space.
        config: As for grooming.
        described: Subject and anatomy, for messages.

    Raises:
        DataError: If nothing is at one half.
    """
    shares = probability.with_array(probability.array / np.float32(255))
    try:
        return groom_probability(shares, config, described), isosurface(shares, 0.5)
    except ValueError as error:
        raise DataError(f"{described}: no surface in the probabilities: {error}") from error
