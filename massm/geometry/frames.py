"""Frames of anatomies in an image: rigid maps from the world frame, as rows of three by four."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from massm.geometry.alignment import orthogonal_between

MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])
"""Across the sagittal plane of an image frame: x (left) to -x (right)."""


def frames_between(
    world: Float[Tensor, "*B M 3"], local: Float[Tensor, "*B M 3"]
) -> Float[Tensor, "*B 3 4"]:
    """Find the rigid maps (reflections where the world frame is mirrored) from world to local.

    Args:
        world: Particles in the world frame, mm.
        local: The same in the image frame, mm; nan of what is not there.

    Returns:
        Rotation and translation beside each other; nan where particles are.
    """
    there = torch.isfinite(local).all(dim=-1).all(dim=-1)
    frames = local.new_full((*there.shape, 3, 4), torch.nan)
    a, b = world[there].double(), local[there].double()
    rotation = orthogonal_between(a, b)
    moved = (rotation @ a.mean(dim=-2)[..., None])[..., 0]
    placed = torch.cat([rotation, (b.mean(dim=-2) - moved)[..., None]], dim=-1)
    frames[there] = placed.to(frames)
    return frames


def apply_frames(
    frames: Float[Tensor, "*B 3 4"], points: Float[Tensor, "*B M 3"]
) -> Float[Tensor, "*B M 3"]:
    """Carry points of the world frame into the image, mm."""
    moved: Tensor = points @ frames[..., :3].mT + frames[..., None, :, 3]
    return moved
