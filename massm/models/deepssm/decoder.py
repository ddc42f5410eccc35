"""Linear decoder: from whitened scores to particles, by the principal components of shapes."""

import logging

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from massm.pdm.shape_model import ShapeModel, fit_shape_model

log = logging.getLogger(__name__)


class PcaDecoder(nn.Module):
    """Mean shape and modes of each anatomy, which fine-tuning may change.

    Scores are in standard deviations of the training shapes. An anatomy with fewer modes than there
    is room for has zeros in their place, which nothing ever changes.

    Args:
        mean: Mean shape, mm.
        deviations: Modes, as deviations of one standard deviation, mm.
    """

    def __init__(self, mean: Float[Tensor, "K M 3"], deviations: Float[Tensor, "K J M 3"]) -> None:
        super().__init__()
        std = deviations.flatten(2).norm(dim=-1)
        unit = deviations.flatten(2) / std.clamp(min=1e-9)[..., None]
        self.mean = nn.Parameter(mean.flatten(1).clone())
        self.modes = nn.Parameter(unit)
        self.register_buffer("std", std)
        self.register_buffer("variance", std.square().sum(dim=1) / mean[0].numel())

    def forward(self, scores: Float[Tensor, "B K J"], *, free: bool) -> Float[Tensor, "B K M 3"]:
        """Return particles, mm.

        Args:
            scores: Standard deviations.
            free: Whether mean and modes get a gradient.
        """
        mean, modes = (part if free else part.detach() for part in (self.mean, self.modes))
        along = scores * self.get_buffer("std")
        flat = mean + torch.einsum("bkj,kjp->bkp", along, modes)
        particles: Tensor = flat.unflatten(-1, (-1, 3))
        return particles

    @property
    def unit(self) -> Float[Tensor, " K"]:
        """Variance of the training shapes per coordinate, mm^2: the mean shape's squared error."""
        variance = self.get_buffer("variance")
        unit: Tensor = torch.where(variance > 0, variance, torch.ones_like(variance))
        return unit

    @torch.no_grad()
    def fit(
        self,
        shapes: Float[Tensor, "N K M 3"],
        present: Bool[Tensor, "N K"],
        modes: float | int,
    ) -> None:
        """Take mean and modes of training shapes.

        Args:
            shapes: Particles, mm; where not present, anything.
            present: Which of them there are.
            modes: How many, or below 1 the share of the variance that they hold.

        Raises:
            ValueError: If an anatomy has fewer than two shapes.
        """
        std = self.get_buffer("std")
        counts, shares = [], []
        for k in range(shapes.shape[1]):
            given = shapes[present[:, k], k].double()
            model = fit_shape_model(given.numpy())
            count = mode_count(model, modes, limit=std.shape[1])
            self.mean[k] = torch.from_numpy(model.mean).flatten()
            for part in (self.modes, std):
                part[k] = 0
            self.modes[k, :count] = torch.from_numpy(model.modes[:count]).flatten(1).float()
            std[k, :count] = torch.from_numpy(np.sqrt(model.variances[:count]))
            self.get_buffer("variance")[k] = model.variances.sum() / model.mean.size
            counts.append(count)
            shares.append(f"{model.compactness[count - 1]:.1%}")
        log.info("decoder: %s modes hold %s of the variance", counts, ", ".join(shares))


def mode_count(model: ShapeModel, modes: float | int, *, limit: int) -> int:
    """Return how many modes are meant: a number, or as few as hold a share below 1.

    Args:
        model: Has them.
        modes: The number or the share.
        limit: Never more than so many.
    """
    count = int(modes)
    if modes < 1:
        count = int(np.searchsorted(model.compactness, modes - 1e-9)) + 1
    if count > limit and modes < 1:
        log.warning("a share of %g needs %d modes; tensors.modes = %d stay", modes, count, limit)
    return max(1, min(count, limit, len(model.modes)))
