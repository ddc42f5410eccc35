"""The terms of MASSM's objective, one function each.

Units are those of the arguments: the detector passes offsets in ``objective.loss.offset_unit`` and
radii in network voxels; particle errors are scaled by ``objective.loss.particle_unit_mm`` or
``world_unit_mm`` before.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import logsigmoid


def heatmap_loss(
    logits: Float[Tensor, "B K D H W"],
    target: Float[Tensor, "B K D H W"],
    known: Bool[Tensor, "B K"],
    *,
    alpha: float,
    beta: float,
) -> Float[Tensor, ""]:
    """Score the center heat map (L_h) with the penalty-reduced focal loss.

    Zhou et al., "Objects as Points", arXiv:1904.07850, Eq. (1), summed over the 3D grid. With
    p = sigmoid(logits), t = target and N the number of centers in the batch::

        L_h = -1/N sum (1 - p)^alpha log p                 where t = 1, a center
                       (1 - t)^beta p^alpha log(1 - p)     elsewhere

    Ukey et al. 2024 (arXiv:2403.11008) print the two branches exchanged and without the sign.

    Args:
        logits: Center scores before the sigmoid, on the output-stride grid.
        target: Gaussian bumps in [0, 1]: exactly 1 at a center, all 0 for an absent anatomy.
        known: Whether it is known that the anatomy is there or not; others do not count.
        alpha: Focus on hard cells; 3 in MASSM.
        beta: Forgiveness next to a center; 4.

    Returns:
        The loss, divided by 1 instead of N when the batch holds no center.
    """
    logits = logits.float()
    probability = logits.sigmoid()
    is_center = target.eq(1)
    at_center = (1 - probability).pow(alpha) * logsigmoid(logits) * is_center
    elsewhere = (1 - target).pow(beta) * probability.pow(alpha) * logsigmoid(-logits) * ~is_center
    per_map = -(at_center + elsewhere).sum(dim=(2, 3, 4)) * known
    centers = (is_center.sum(dim=(2, 3, 4)) * known).sum()
    return per_map.sum() / centers.clamp(min=1)


def radius_loss(
    predicted: Float[Tensor, "B K *S"], true: Float[Tensor, "B K *S"], present: Bool[Tensor, "B K"]
) -> Float[Tensor, ""]:
    """Return the mean squared error of the box radii (L_r) over the anatomies that are there."""
    return _mean(_kept(predicted - true, present).square(), present)


def shrinkage_loss(
    error: Float[Tensor, "B K *S 3"],
    present: Bool[Tensor, "B K"],
    *,
    a: float,
    c: float,
    of: Literal["coordinate", "vector"],
) -> Float[Tensor, ""]:
    """Return the mean shrinkage loss of an error over the anatomies that are there.

    Lu et al., "Deep Regression Tracking with Shrinkage Loss", ECCV 2018, Eq. (6) without the
    weight by the target: ``|e|^2 / (1 + exp(a (c - |e|)))``, where e is the error vector of a
    point, as Ukey et al. 2024 print it, or each of its coordinates. Errors well under c hardly
    count, those above it count as their square.

    Args:
        error: Predicted minus true, in the unit in which ``c`` is meant.
        present: Which anatomies count.
        a: How fast easy errors fade; 10 in MASSM.
        c: Where they fade; 0.2 in MASSM.
        of: Whether |e| is a vector's length, with the mean over points, or a coordinate's amount,
            with the mean over coordinates.
    """
    size = _kept(error, present).abs()
    if of == "vector":
        size = torch.linalg.vector_norm(size.unflatten(-1, (-1, 3)), dim=-1)
    return _mean(size.square() / (1 + torch.exp(a * (c - size))), present)


def _kept(error: Float[Tensor, "B K *S"], mask: Bool[Tensor, "B K"]) -> Float[Tensor, "B K F"]:
    """Flatten to one axis and put 0 where the mask is off.

    Unknown values are nan. They are replaced before anything is computed from them: a product with
    0 would keep nan, and so would the gradient of what is masked afterwards.
    """
    flat = error.flatten(2)
    # Losses are summed in single precision or better, also under mixed precision.
    flat = flat.float() if flat.dtype in {torch.float16, torch.bfloat16} else flat
    return torch.where(mask[..., None], flat, torch.zeros_like(flat))


def _mean(values: Float[Tensor, "B K F"], mask: Bool[Tensor, "B K"]) -> Float[Tensor, ""]:
    """Average over the masked anatomies; 0, with a gradient, when there is none."""
    kept = values * mask[..., None]
    return kept.sum() / (mask.sum() * values.shape[-1]).clamp(min=1)
