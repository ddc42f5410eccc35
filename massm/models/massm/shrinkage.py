"""A third world head: aligned particles, drawn to the mean by how far they are to be believed.

Particles that a network places carry its errors into the world frame, where shapes differ by little
more than that: rigid alignment alone can be farther off than the mean shape. The linear estimate
with the least expected error multiplies deviations from the mean by the share of them that is not
error. An addition to the paper.
"""

from collections.abc import Iterable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from massm.tensors.sample import Template

_PRIOR_SUBJECTS = 5  # as many as which the factor of all anatomies counts for each of them


class ShrinkageHead(nn.Module):
    """Multiply the mode scores of aligned particles by one factor for each anatomy.

    With s the scores found in subjects that training did not see and t the true ones, the factor
    with the least squared error is the sum of s t over that of s s (linear calibration; the
    estimators of James and Stein, "Estimation with quadratic loss", 1961, for known errors). The
    factor of all anatomies together counts as some more subjects of each.

    Args:
        template: Mean and modes of the world particles.
    """

    def __init__(self, template: Template) -> None:
        super().__init__()
        modes = template.modes_world
        size = torch.linalg.vector_norm(modes, dim=(2, 3), keepdim=True)
        self.register_buffer("mean", template.mean_world.clone())
        self.register_buffer("basis", torch.where(size > 0, modes / size.clamp(min=1e-6), 0.0))
        self.register_buffer("factor", torch.ones(len(modes)))

    def forward(self, world: Float[Tensor, "B K M 3"]) -> Float[Tensor, "B K M 3"]:
        """Return particles nearer to the mean, mm, from aligned ones."""
        scores = self.get_buffer("factor")[:, None] * self.scores(world)
        moved: Tensor = torch.einsum("bkj,kjmc->bkmc", scores, self.get_buffer("basis"))
        return self.get_buffer("mean") + moved

    def scores(self, world: Float[Tensor, "B K M 3"]) -> Float[Tensor, "B K J"]:
        """Return how far particles deviate from the mean along each mode, mm (root of the sum)."""
        return torch.einsum(
            "bkmc,kjmc->bkj", world - self.get_buffer("mean"), self.get_buffer("basis")
        )

    def learn(
        self,
        shapes: Iterable[
            tuple[Float[Tensor, "B K M 3"], Float[Tensor, "B K M 3"], Bool[Tensor, "B K"]]
        ],
    ) -> None:
        """Choose the factors, between 0 and 1; without a shape of any anatomy they are 1.

        Args:
            shapes: Aligned and true world particles, mm, of subjects that training did not see (nan
                where an anatomy is not there), and which of them there are.
        """
        common, squared, count = torch.zeros(3, *self.get_buffer("factor").shape).to(
            self.get_buffer("factor")
        )
        for found, true, present in shapes:
            s = torch.where(present[..., None], self.scores(found), 0.0)
            t = torch.where(present[..., None], self.scores(true), 0.0)
            common += (s * t).sum(dim=(0, 2))
            squared += s.square().sum(dim=(0, 2))
            count += present.sum(dim=0)
        if squared.sum() == 0:
            return
        pooled = common.sum() / squared.sum()
        prior = _PRIOR_SUBJECTS * squared / count.clamp(min=1)
        own = (common + prior * pooled) / (squared + prior).clamp(min=1e-12)
        factor = torch.where(squared > 0, own, pooled).clamp(0, 1)
        self.get_buffer("factor").copy_(factor)
