"""Local head: what the pyramid shows inside a box becomes particles in the patient's space."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from massm.config.models.massm import LocalConfig, RoiConfig
from massm.models.blocks.mlp import last_layer, mlp
from massm.models.blocks.roi_align3d import box_lattice, roi_align
from massm.tensors.grid import Grid
from massm.tensors.images import Images
from massm.tensors.sample import Template


class RoiFeatures(nn.Module):
    """Fuse what every level of the pyramid, and the CT itself, show inside a box to one vector.

    Each level is read on the box's lattice and reduced by a 1x1x1 convolution; the lattice is
    flattened, so that the vector knows where something is, or averaged. With ``native_size``, CT
    values at the finest spacing there is pass two strided convolutions and count as one more level.
    """

    def __init__(self, config: RoiConfig, *, levels: int, channels: int) -> None:
        super().__init__()
        self.config = config
        self.reduce = nn.ModuleList(
            nn.Conv3d(channels, config.channels, kernel_size=1) for _ in range(levels)
        )
        self.native: nn.Sequential | None = None
        if config.native_size:
            width = config.native_channels
            self.native = nn.Sequential(
                nn.Conv3d(1, width, kernel_size=3, stride=2, padding=1),
                nn.GroupNorm(min(4, width), width),
                nn.GELU(),
                nn.Conv3d(width, 2 * width, kernel_size=3, stride=2, padding=1),
                nn.GroupNorm(min(4, width), 2 * width),
                nn.GELU(),
                nn.Conv3d(2 * width, config.channels, kernel_size=3, padding=1),
            )
        count = levels + bool(config.native_size)
        cells = config.size**3 if config.pooling == "flatten" else 1
        self.length = count * cells * config.channels

    def forward(
        self,
        levels: list[Grid],
        images: Images,
        center: Float[Tensor, "B K 3"],
        radius: Float[Tensor, "B K 3"],
    ) -> Float[Tensor, "B K F"]:
        """Return one vector per box (mm, image frame)."""
        size, margin = self.config.size, self.config.margin
        pooled = []
        for level, reduce in zip(levels, self.reduce, strict=True):
            cells = roi_align(level, center, radius, size=size, margin=margin)
            pooled.append(reduce(cells.flatten(0, 1)))
        if self.native is not None:
            pooled.append(self._native(self.native, images, center, radius))
        stacked = functional.gelu(torch.stack(pooled, dim=1))
        if self.config.pooling == "average":
            stacked = stacked.mean(dim=(-3, -2, -1))
        vectors: Tensor = stacked.flatten(1).unflatten(0, center.shape[:2])
        return vectors

    def _native(
        self,
        network: nn.Sequential,
        images: Images,
        center: Float[Tensor, "B K 3"],
        radius: Float[Tensor, "B K 3"],
    ) -> Float[Tensor, "N C S S S"]:
        size = self.config.native_size
        points = box_lattice(center, radius, size=size, margin=self.config.margin)
        values = images.sample_fine(points.flatten(1, 2))
        features: Tensor = network(values.reshape(-1, 1, size, size, size))
        return functional.adaptive_avg_pool3d(features, self.config.size)


class LocalHead(nn.Module):
    """Place the local particles of every anatomy, from the features of its box.

    Ukey et al. 2024: ``L = template moved to the center + d tanh(f)``, d = 2 max(radius), where f
    is an MLP of the ROI vector with the anatomy's one-hot code appended. A dense last layer for
    1024 particles holds most weights of the network; with ``basis_modes`` it predicts instead
    scores on the PCA modes of the training split's box-centered particles, in units of d, which
    are then (optionally) learned further.
    """

    def __init__(self, config: LocalConfig, *, features: int, template: Template) -> None:
        super().__init__()
        anatomies, particles, _ = template.local.shape
        self.mlp = mlp(features + anatomies, config.hidden, dropout=config.dropout)
        self.register_buffer("template", template.local.clone())
        self.register_buffer("one_hot", torch.eye(anatomies), persistent=False)
        modes = min(config.basis_modes, template.modes_local.shape[1])
        outputs = modes or 3 * particles
        self.last = last_layer(anatomies, config.hidden[-1], outputs, class_wise=config.class_wise)
        self.basis: nn.Parameter | None = None
        self.bias: nn.Parameter | None = None
        if modes:
            reach = 2 * template.radius.amax(dim=-1)[:, None, None]
            basis = template.modes_local[:, :modes] / reach[..., None]
            start = (template.center_local - template.local) / reach
            self.basis = nn.Parameter(basis.flatten(2), requires_grad=config.train_basis)
            self.bias = nn.Parameter(start.flatten(1), requires_grad=config.train_basis)

    def forward(
        self,
        features: Float[Tensor, "B K F"],
        center: Float[Tensor, "B K 3"],
        radius: Float[Tensor, "B K 3"],
    ) -> Float[Tensor, "B K M 3"]:
        """Return local particles, mm, image frame."""
        one_hot = self.get_buffer("one_hot").expand(len(features), -1, -1)
        code = self.last(self.mlp(torch.cat([features, one_hot], dim=-1))).float()
        if self.basis is not None and self.bias is not None:
            code = torch.einsum("bkj,kjp->bkp", code, self.basis) + self.bias
        reach = 2 * radius.amax(dim=-1)[..., None, None]
        moved: Tensor = self.get_buffer("template") + center[..., None, :]
        offset: Tensor = code.unflatten(-1, (-1, 3))
        return moved + reach * offset.tanh()
