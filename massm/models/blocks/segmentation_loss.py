"""The objective of a segmentation where not every anatomy of every subject is known."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

_SMOOTH = 1e-5  # voxels; keeps the quotient finite


def log_probability(
    logits: Float[Tensor, "P C D H W"], known: Bool[Tensor, "P K"]
) -> Float[Tensor, "P C D H W"]:
    """Return the logarithm of each class's probability; what is not known adds to the background.

    Nobody has said that a voxel without a label belongs to none of the anatomies that are not
    known: it is the background's or one of theirs. So their probabilities are summed (the marginal
    loss of Shi et al., "Marginal loss and exclusion loss for partially supervised multi-organ
    segmentation", Medical Image Analysis 70, 2021).

    Args:
        logits: Background first, then the K anatomies.
        known: Of each patch, which anatomies are known.
    """
    each = functional.log_softmax(logits, dim=1)
    if known.all():
        return each
    background = torch.cat([torch.ones_like(known[:, :1]), ~known], dim=1)
    summed = each.masked_fill(~background[:, :, None, None, None], -torch.inf)
    return torch.cat([summed.logsumexp(dim=1, keepdim=True), each[:, 1:]], dim=1)


def dice_loss(
    probability: Float[Tensor, "P C D H W"],
    labels: Int[Tensor, "P D H W"],
    known: Bool[Tensor, "P K"],
) -> Float[Tensor, ""]:
    """Return 1 less the soft Dice, mean of the anatomies that are in one of the patches.

    Milletari et al., "V-Net", 3DV 2016, with the sums over all patches, as small organs are in few
    of them; the background is left out. Patches in which an anatomy is not known do not count for
    it.
    """
    parts = []
    for k in range(known.shape[1]):
        rows = known[:, k]
        true = labels[rows] == k + 1
        if not true.any():
            continue
        found = probability[rows, k + 1]
        common = found[true].sum()
        parts.append(1 - (2 * common + _SMOOTH) / (found.sum() + true.sum() + _SMOOTH))
    return torch.stack(parts).mean() if parts else 0 * probability.sum()
