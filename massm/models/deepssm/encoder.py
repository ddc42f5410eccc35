"""From an image to a vector: DeepSSM's five convolutions and its dense layers."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from massm.config.models.deepssm import EncoderConfig
from massm.models.blocks.residual import MakeNorm, norm_maker

_POOLED = (True, False, True, False, True)  # which convolutions are followed by a halving


class Encoder(nn.Module):
    """Convolutions, each normalized and with PReLU; the first, third and fifth halve the map.

    The original has kernels of 5 without padding, batch normalization, 12 to 192 channels, and
    flattens the last map, so that its first dense layer grows with the image: 1.9 billion weights
    for a scan of 256 x 224 x 448 voxels. ``pool`` averages the map to a few cells first, as newer
    versions of ShapeWorks offer.

    Args:
        config: Sizes.
        size: Cells per axis of every image; None: they are of any size.
        beside: Numbers that are known of an image beside its values.
    """

    def __init__(self, config: EncoderConfig, *, size: int | None, beside: int = 0) -> None:
        super().__init__()
        self.pool = config.pool
        channels = (1, *config.widths)
        stages: list[nn.Module] = []
        for inputs, outputs, pooled in zip(channels, channels[1:], _POOLED, strict=False):
            stages.append(_convolution(config, inputs, outputs))
            if pooled:
                stages.append(nn.MaxPool3d(2, ceil_mode=config.padded))
        self.convolutions = nn.Sequential(*stages)
        cells = (config.pool or _last_edge(config, size)) ** 3
        layers: list[nn.Module] = []
        inputs = cells * config.widths[-1] + beside
        for width in config.hidden:
            dense = nn.Linear(inputs, width)
            nn.init.xavier_normal_(dense.weight)
            layers += [dense, nn.PReLU(), nn.Dropout(config.dropout)]
            inputs = width
        self.dense = nn.Sequential(*layers)
        self.length = inputs

    def forward(
        self, images: Float[Tensor, "B 1 D H W"], beside: Float[Tensor, "B E"]
    ) -> Float[Tensor, "B F"]:
        """Return one vector for each image."""
        maps = self.convolutions(images)
        if self.pool:
            maps = functional.adaptive_avg_pool3d(maps, self.pool)
        vectors: Tensor = self.dense(torch.cat([maps.flatten(1), beside.to(maps)], dim=1))
        return vectors


def _convolution(config: EncoderConfig, inputs: int, outputs: int) -> nn.Sequential:
    padding = config.kernel // 2 if config.padded else 0
    norm: MakeNorm = norm_maker(config.norm, math.gcd(outputs, 4))
    convolution = nn.Conv3d(inputs, outputs, config.kernel, padding=padding)
    return nn.Sequential(convolution, norm(outputs), nn.PReLU())


def _last_edge(config: EncoderConfig, size: int | None) -> int:
    """Return the cells per axis of the last map.

    Raises:
        ValueError: If no cell is left, or images are of any size.
    """
    if size is None:
        raise ValueError("encoder.pool: 0 takes images of one size alone; whole ones need pooling")
    edge = size
    for pooled in _POOLED:
        edge -= 0 if config.padded else config.kernel - 1
        if pooled:
            edge = -(-edge // 2) if config.padded else edge // 2
    if edge < 1:
        raise ValueError(f"no cell is left of an image of {size} cells per axis")
    return edge
