"""Kernel density of training shapes: how far from a subject a shape may be drawn."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def bandwidths(
    world: Float[Tensor, "N K M 3"], present: Bool[Tensor, "N K"], modes: Float[Tensor, "K J M 3"]
) -> Float[Tensor, " K"]:
    """Return per anatomy the bandwidth of a Gaussian kernel density of whitened scores.

    It is the root of the mean squared distance (Mahalanobis) of a shape to its nearest neighbor,
    over the number of modes: the standard deviation of noise on each score, in standard deviations
    of its mode. Bhalodia et al. 2018 draw DeepSSM's shapes from such a density; ShapeWorks takes
    the squared distance for a standard deviation in mm, the same for all modes, which is not done
    here.

    Args:
        world: World particles of training subjects, mm; where not present, anything.
        present: Which of them there are.
        modes: Deviations of one standard deviation each, mm; those of zeros do not count.

    Returns:
        Standard deviations; 0 with fewer than two shapes or without modes.
    """
    found = []
    for k in range(world.shape[1]):
        shapes, basis = world[present[:, k], k].flatten(1).double(), modes[k].flatten(1).double()
        basis = basis[basis.any(dim=1)]
        if len(shapes) < 2 or not len(basis):
            found.append(world.new_zeros(()))
            continue
        scores = (shapes - shapes.mean(dim=0)) @ basis.mT / basis.square().sum(dim=1)
        squared = torch.cdist(scores, scores).square().fill_diagonal_(torch.inf)
        found.append((squared.amin(dim=1).mean() / len(basis)).sqrt().to(world))
    return torch.stack(found)
