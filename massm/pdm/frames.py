"""From the frame of the surfaces to the world frame, where shapes are compared."""

import torch
from jaxtyping import Float
from torch import Tensor


def to_world(
    points: Float[Tensor, "N M 3"], transforms: Float[Tensor, "N 4 4"]
) -> Float[Tensor, "N M 3"]:
    """Move each shape by its matrix."""
    return points @ transforms[:, :3, :3].mT + transforms[:, None, :3, 3]


def normals_in_world(
    normals: Float[Tensor, "N M 3"], transforms: Float[Tensor, "N 4 4"]
) -> Float[Tensor, "N M 3"]:
    """Turn unit normals with each shape's similarity."""
    scale = torch.linalg.det(transforms[:, :3, :3]).abs() ** (1 / 3)
    turned: Tensor = normals @ transforms[:, :3, :3].mT / scale[:, None, None]
    return turned
