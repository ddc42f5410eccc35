"""Groom what a network says: from the probability of each voxel to a clean closed surface."""

import logging

import numpy as np
from scipy import ndimage

from massm.config.groom import SurfaceConfig
from massm.geometry.isosurface import isosurface
from massm.geometry.mesh import Mesh
from massm.geometry.pieces import largest_piece
from massm.geometry.topology import genus, largest_component
from massm.geometry.volume import Volume
from massm.groom.handles import remove_handles
from massm.groom.surface import finished

log = logging.getLogger(__name__)

_HALF = 0.5
_MARGIN = 2  # voxels of probability 0 around the piece, so that the surface closes


def groom_probability(probability: Volume, config: SurfaceConfig, described: str) -> Mesh:
    """Turn probabilities into the surface at one half: one piece, cavities filled, smooth, even.

    The steps are those of a mask (:func:`massm.groom.surface.groom_mask`) but the first. Between
    two voxels the surface passes where the probability is one half, so there are no voxel steps to
    round off, and the level stays where it is.

    Args:
        probability: 0 to 1, image space; somewhere above one half.
        config: Resolution and smoothness.
        described: Whose it is, for the log.

    Raises:
        ValueError: If it is nowhere above one half.
    """
    field = _finer(_one_piece(probability), config.spacing_mm)
    dense = largest_component(isosurface(field, _HALF))
    if config.handle_mm and genus(dense):
        simpler = remove_handles(field, _HALF, config.handle_mm)
        simple = largest_component(isosurface(simpler, _HALF))
        dense = simple if genus(simple) < genus(dense) else dense
    wavelength_mm = config.smoothing_voxels * float(probability.spacing.max())
    try:
        return finished(dense, dense.volume_ml, wavelength_mm, config.faces)
    except ValueError as error:
        log.warning("%s: left as it is, neither smooth nor even (%s)", described, error)
        return dense


def _one_piece(probability: Volume) -> Volume:
    """Keep the largest piece of what is above one half, its cavities filled, and its rim."""
    inside = probability.array > _HALF
    piece = largest_piece(inside)
    margin = _MARGIN
    own = np.pad(piece.inside, margin)
    filled = ndimage.binary_fill_holes(own)
    values = np.pad(probability.array, margin)[
        tuple(
            slice(start, start + count + 2 * margin)
            for start, count in zip(piece.start, piece.inside.shape, strict=True)
        )
    ]
    others = (values > _HALF) & ~own
    values = np.where(filled & ~own, 1.0, np.where(others, 0.0, values))
    first = (piece.start - margin)[::-1].astype(float)
    origin = probability.index_to_point(first)
    return Volume(values, probability.spacing, origin, probability.direction)


def _finer(field: Volume, spacing_mm: float) -> Volume:
    """Read a field on an isotropic grid by cubic splines through its values."""
    steps = spacing_mm / field.spacing[::-1]
    counts = np.floor((np.array(field.array.shape) - 1) / steps + 1e-6).astype(int) + 1
    values = ndimage.affine_transform(
        field.array.astype(np.float64),
        steps,
        output_shape=tuple(int(n) for n in counts),
        order=3,
        mode="nearest",
    )
    spacing = np.full(3, float(spacing_mm))
    return Volume(values.astype(np.float32), spacing, field.origin, field.direction)
