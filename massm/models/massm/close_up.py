"""Close-ups: a small U-Net looks at the finest image around every box. An addition to the paper.

Intensity profiles show a particle whether there is an edge, hardly whose edge it is. The network
here sees the whole neighborhood at the image's own resolution, learns to tell the anatomies apart
voxel by voxel (an auxiliary segmentation), and leaves its features for the particles to read
(:mod:`massm.models.massm.refine`). Its crops follow the detector's boxes, so that a scan costs as
much as its anatomies are large, not as the field of view is.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from massm.config.models.massm import CloseUpConfig
from massm.models.blocks.background import expect_background
from massm.models.blocks.residual import BasicBlock, norm_maker
from massm.models.interface import single_precision
from massm.tensors.grid import Grid
from massm.tensors.images import Images
from massm.tensors.sample import Template

_FARTHEST = 2.5  # radii from the box's middle at which places are all the same
_SUREST = 4.0  # log odds above which the network is as sure as can be


class View(NamedTuple):
    """What a close-up shows of one anatomy, in every subject of the batch.

    Attributes:
        odds: Log odds of the anatomy against all others and none, softly limited.
        features: Of the last layer.
        logits: Of no anatomy, then of each of the K.
    """

    odds: Grid
    features: Grid
    logits: Float[Tensor, "B C D H W"]


class CloseUp(nn.Module):
    """Look at the finest image around every box, one anatomy after the other.

    A crop has the size of the anatomy's mean box in training and the same voxels for all, so that
    the network knows the scale. It is told which anatomy it looks for, and where each voxel lies
    from the box's middle.

    Args:
        config: Sizes.
        template: Mean half extents of the boxes.
    """

    def __init__(self, config: CloseUpConfig, template: Template) -> None:
        super().__init__()
        self.spacing_mm = config.spacing_mm
        self.channels = config.widths[0]
        self.register_buffer("radius", template.radius.clone())
        self.reach_mm = (config.margin, config.context_mm)
        self.network = CropUnet(len(template.radius), config)

    def forward(self, images: Images, center: Float[Tensor, "B K 3"]) -> list[View]:
        """Return what is seen of each anatomy around a place, mm, image frame."""
        return [self._view(images, center[:, k], k) for k in range(center.shape[1])]

    def size(self, anatomy: int) -> tuple[int, int, int]:
        """Return the voxels of an anatomy's crop, D, H, W."""
        margin, context_mm = self.reach_mm
        half = margin * self.get_buffer("radius")[anatomy] + context_mm
        multiple = self.network.multiple
        x, y, z = (math.ceil(2 * r / self.spacing_mm / multiple) * multiple for r in half.tolist())
        return z, y, x

    def _view(self, images: Images, center: Float[Tensor, "B 3"], anatomy: int) -> View:
        size = self.size(anatomy)
        with single_precision(images):
            extent = (center.new_tensor(size[::-1]) - 1) * self.spacing_mm
            frame = Grid(
                center.new_empty(len(center), 1, *size), center - extent / 2, self.spacing_mm
            )
            points = frame.points().flatten(1, 3)
            shown = images.sample_fine(points)[:, None]
            place = (points - center[:, None]) / self.get_buffer("radius")[anatomy]
            place = place.clamp(-_FARTHEST, _FARTHEST).mT
            crop = torch.cat([shown, place], dim=1).unflatten(2, size)
        features, logits = self.network(crop, anatomy)
        with single_precision(images):
            logits = logits.float()
            others = torch.cat([logits[:, : anatomy + 1], logits[:, anatomy + 2 :]], dim=1)
            odds = logits[:, anatomy + 1] - others.logsumexp(dim=1)
            odds = _SUREST * torch.tanh(odds / _SUREST)
        return View(frame.with_values(odds[:, None]), frame.with_values(features.float()), logits)


class CropUnet(nn.Module):
    """A residual U-Net over a crop, with features and class scores at every voxel.

    Ronneberger et al., "U-Net", MICCAI 2015, with residual blocks and group normalization.

    Args:
        anatomies: K.
        config: Sizes.
    """

    def __init__(self, anatomies: int, config: CloseUpConfig) -> None:
        super().__init__()
        widths = config.widths
        self.multiple = 2 ** (len(widths) - 1)
        self.code = nn.Embedding(anatomies, widths[0])
        self.stem = nn.Conv3d(4, widths[0], 3, padding=1)
        self.down = nn.ModuleList([_block(widths[0], widths[0])])
        self.narrow = nn.ModuleList()
        self.up = nn.ModuleList()
        for fine, coarse in pairwise(widths):
            self.down.append(_block(fine, coarse, stride=2))
            self.narrow.append(nn.Conv3d(coarse, fine, 1, bias=False))
            self.up.append(_block(fine, fine))
        self.dropout = nn.Dropout3d(config.dropout)
        self.score = nn.Conv3d(widths[0], anatomies + 1, 1)
        if self.score.bias is not None:
            expect_background(self.score.bias)

    def forward(
        self, crop: Float[Tensor, "B 4 D H W"], anatomy: int
    ) -> tuple[Float[Tensor, "B F D H W"], Float[Tensor, "B C D H W"]]:
        """Return features and class scores; image and place come in."""
        maps = self.stem(crop) + self.code.weight[anatomy][:, None, None, None]
        levels = []
        for block in self.down:
            maps = block(maps)
            levels.append(maps)
        maps = self.dropout(levels.pop())
        for narrow, block in zip(reversed(self.narrow), reversed(self.up), strict=True):
            beside = levels.pop()
            maps = functional.interpolate(narrow(maps), size=beside.shape[2:], mode="trilinear")
            maps = block(beside + maps)
        return maps, self.score(maps)


def _block(inputs: int, outputs: int, stride: int = 1) -> BasicBlock:
    norm = norm_maker("group", min(8, outputs // 2))
    downsample = None
    if inputs != outputs or stride != 1:
        downsample = nn.Conv3d(inputs, outputs, 1, stride=stride, bias=False)
    return BasicBlock(inputs, outputs, norm, stride=stride, downsample=downsample)
