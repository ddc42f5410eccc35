"""Lists of the nearest particles on the same shape, and the values that stand there."""

import torch
from jaxtyping import Float, Int
from scipy.spatial import cKDTree
from torch import Tensor


def find_neighbors(points: Float[Tensor, "N M 3"], count: int) -> Int[Tensor, "N M k"]:
    """List the nearest particles on the same shape, nearest first."""
    count = min(count, points.shape[1] - 1)
    shapes = points.detach().cpu().numpy()
    rows = [cKDTree(shape).query(shape, count + 1)[1][:, 1:] for shape in shapes]
    return torch.stack([torch.from_numpy(row) for row in rows]).to(points.device)


def gather(values: Float[Tensor, "N M c"], index: Int[Tensor, "N M k"]) -> Float[Tensor, "N M k c"]:
    """Take the values of neighbors."""
    flat = index.flatten(1)[..., None].expand(-1, -1, values.shape[-1])
    gathered: Tensor = values.gather(1, flat).unflatten(1, index.shape[1:])
    return gathered
