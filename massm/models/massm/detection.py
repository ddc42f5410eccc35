"""CenterNet in 3D: where each anatomy is, how large, and whether it is there at all.

Zhou et al., "Objects as Points", arXiv:1904.07850, and Ukey et al. 2024, arXiv:2403.11008: a
heat map per anatomy, and maps for the box radius and for the offset of the center from its cell.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from massm.config.models.massm import DetectionConfig, LossConfig
from massm.models.interface import Boxes
from massm.models.massm import losses
from massm.tensors.grid import Grid

_GONE = 0.5  # radii that a center lies outside of the image by, from which its anatomy is absent


@dataclass(frozen=True)
class DetectionMaps:
    """What the detector predicts on the output-stride grid.

    Attributes:
        heat: Logits of the center scores.
        radius: Box radius, network voxels, x, y, z; first axis anatomies, or 1 if they share it.
        offset: Center minus cell, cells, x, y, z; first axis as for ``radius``.
        grid: The frame of the maps.
    """

    heat: Float[Tensor, "B K D H W"]
    radius: Float[Tensor, "B G 3 D H W"]
    offset: Float[Tensor, "B G 3 D H W"]
    grid: Grid
    stride: int


class DetectionHead(nn.Module):
    """Predict heat, radius and offset maps from the finest level of the pyramid.

    The paper shares radius and offset maps among the anatomies (3 channels each). Two centers in
    one cell, such as two chambers of a heart at 12 mm cells, then get one and the same value;
    ``class_wise`` gives each anatomy its own 3 channels instead.

    Args:
        channels: Channels of the pyramid.
        hidden: Channels of the convolution before each map.
        anatomies: K.
        class_wise: Whether each anatomy has its own radius and offset maps.
        typical_radius: Mean radius of each anatomy, network voxels: where the radius map starts.
    """

    def __init__(
        self,
        channels: int,
        hidden: int,
        anatomies: int,
        *,
        class_wise: bool,
        typical_radius: Float[Tensor, "K 3"],
    ) -> None:
        super().__init__()
        self.groups = anatomies if class_wise else 1
        self.heat = _branch(channels, hidden, anatomies)
        self.radius = _branch(channels, hidden, 3 * self.groups)
        self.offset = _branch(channels, hidden, 3 * self.groups)
        start = typical_radius if class_wise else typical_radius.mean(0, keepdim=True)
        with torch.no_grad():
            # A score of 0.01 everywhere keeps the first steps from being ruled by background
            # (Lin et al., "Focal Loss for Dense Object Detection", 2017, section 4.1).
            nn.init.constant_(self.heat.get_parameter("2.bias"), -math.log(99.0))
            self.radius.get_parameter("2.weight").mul_(0.1)
            self.radius.get_parameter("2.bias").copy_(start.flatten())

    def forward(self, level: Grid, stride: int) -> DetectionMaps:
        """Return the maps on the level's grid, whose cells are ``stride`` network voxels wide."""
        radius = self.radius(level.values).unflatten(1, (self.groups, 3))
        offset = self.offset(level.values).unflatten(1, (self.groups, 3))
        return DetectionMaps(self.heat(level.values), radius, offset, level, stride)


def _branch(channels: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(channels, hidden, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv3d(hidden, outputs, kernel_size=1),
    )


def decode(maps: DetectionMaps) -> Boxes:
    """Read one box per anatomy at the peak of its heat map; the inverse of ``encode``.

    An anatomy occurs at most once in a body, so the peak is the maximum, without suppression.
    """
    scores = maps.heat.float().sigmoid().flatten(2)
    score, flat = scores.max(dim=-1)
    cell = _cell_of(flat, maps.heat.shape[2:])
    voxel_mm = maps.grid.spacing_mm / maps.stride
    offset = gather(maps.offset, flat[..., None]).float()[:, :, 0]
    radius = gather(maps.radius, flat[..., None]).float()[:, :, 0].clamp(min=1.0) * voxel_mm
    center = maps.grid.to_point(cell + offset)
    return Boxes(score, center, radius)


@dataclass(frozen=True)
class DetectionTargets:
    """What the maps should hold, see ``encode``.

    Attributes:
        heat: Gaussian bumps, 1 at the center cell, 0 everywhere for an anatomy not there.
        cell: Flat index of the center cell and of Q - 1 cells around it; those outside the grid
            are moved to its rim.
        offset: Center minus each of these cells, cells.
        radius: Box radius, network voxels.
        present: Anatomies that are there, with their center inside the scan.
        known: Anatomies of which it is known whether they are there.
    """

    heat: Float[Tensor, "B K D H W"]
    cell: Int[Tensor, "B K Q"]
    offset: Float[Tensor, "B K Q 3"]
    radius: Float[Tensor, "B K 3"]
    present: Bool[Tensor, "B K"]
    known: Bool[Tensor, "B K"]


def encode(
    grid: Grid,
    stride: int,
    center: Float[Tensor, "B K 3"],
    radius: Float[Tensor, "B K 3"],
    presence: Int[Tensor, "B K"],
    last: Float[Tensor, "B 3"],
    config: DetectionConfig,
) -> DetectionTargets:
    """Turn boxes into target maps.

    The center cell is the nearest one (CenterNet rounds down, but our cell j lies *at* voxel
    ``stride * j``, not between two). The bump's width follows the box on each axis.

    Args:
        grid: Frame of the output-stride maps.
        stride: Network voxels per cell.
        center: True centers, mm; nan where not there.
        radius: True radii, mm; nan where not there.
        presence: 1 there, 0 known not to be there, -1 unknown.
        last: Place (x, y, z) of the last voxel that each scan shows, cells; the grid goes on behind
            it where it is padded, and no anatomy is there.
        config: How wide bumps are, and how many cells around the center cell radius and offset are
            asked for. With one (0 is the paper's) a heat map that peaks one cell beside the center
            still gives the right center, and each subject trains 27 cells instead of one.
    """
    index = grid.to_index(center)
    beyond = torch.maximum(-0.5 - index, index - last[:, None] - 0.5)  # cells, negative: inside
    present = presence.eq(1) & (beyond < 0).all(dim=-1)
    # A center just outside of the scan is neither here nor known to be absent.
    gone = presence.eq(1) & (beyond * grid.spacing_mm > _GONE * radius).any(dim=-1)
    known = presence.eq(0) | present | gone
    index = torch.where(present[..., None], index, torch.zeros_like(index))
    radius = torch.where(present[..., None], radius, torch.ones_like(radius))
    end = grid.size - 1
    cell = torch.minimum(index.round().clamp(min=0), end)

    spread = (config.sigma * radius / grid.spacing_mm).clamp(min=config.min_sigma_cells)
    bumps = [
        torch.exp(
            -(torch.arange(count, device=cell.device)[None, None] - cell[..., axis, None]).square()
            / (2 * spread[..., axis, None].square())
        )
        for axis, count in enumerate(reversed(grid.values.shape[2:]))
    ]
    heat = torch.einsum("bkx,bky,bkz->bkzyx", *bumps) * present[..., None, None, None]
    reach = config.reach_cells
    steps = torch.arange(-reach, reach + 1, device=cell.device, dtype=cell.dtype)
    around = torch.cartesian_prod(steps, steps, steps).reshape(-1, 3)
    around = around[around.abs().sum(dim=-1).argsort(stable=True)]  # the center cell comes first
    cells = torch.minimum((cell[..., None, :] + around).clamp(min=0), end)
    x, y, z = cells.long().unbind(-1)
    _, height, width = grid.values.shape[2:]
    return DetectionTargets(
        heat=heat,
        cell=(z * height + y) * width + x,
        offset=index[..., None, :] - cells,
        radius=radius / (grid.spacing_mm / stride),
        present=present,
        known=known,
    )


def detection_losses(
    maps: DetectionMaps,
    targets: DetectionTargets,
    *,
    config: LossConfig,
) -> dict[str, Float[Tensor, ""]]:
    """Return L_h, L_r and L_o: heat map, radius (network voxels), offset (in its own unit)."""
    units = {"cells": 1.0, "voxels": maps.stride, "mm": maps.grid.spacing_mm}
    radius = gather(maps.radius, targets.cell).float()
    offset = gather(maps.offset, targets.cell).float()
    true_radius = targets.radius[..., None, :].expand_as(radius)
    return {
        "heatmap": losses.heatmap_loss(
            maps.heat,
            targets.heat,
            targets.known,
            alpha=config.focal_alpha,
            beta=config.focal_beta,
        ),
        "radius": losses.radius_loss(radius, true_radius, targets.present),
        "offset": losses.shrinkage_loss(
            (offset - targets.offset) * units[config.offset_unit],
            targets.present,
            a=config.shrinkage_a,
            c=config.shrinkage_c,
            of=config.shrinkage,
        ),
    }


def gather(
    maps: Float[Tensor, "B G 3 D H W"], flat: Int[Tensor, "B K Q"]
) -> Float[Tensor, "B K Q 3"]:
    """Read the three channels of each anatomy's map at flat cell indices."""
    batch, anatomies, _ = flat.shape
    values = maps.flatten(3).expand(batch, anatomies, 3, -1)
    return values.gather(-1, flat[:, :, None].expand(-1, -1, 3, -1)).mT


def _cell_of(flat: Int[Tensor, "B K"], shape: torch.Size) -> Float[Tensor, "B K 3"]:
    _, height, width = shape
    return torch.stack(
        [flat % width, flat // width % height, flat // (width * height)], dim=-1
    ).float()
