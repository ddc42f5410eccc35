"""Feature pyramid over the stages of a 3D ResNet: image in, feature grids in millimeters out."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from massm.models.blocks.residual import Norm
from massm.models.blocks.resnet3d import ResNet3d
from massm.tensors.grid import Grid


class FeaturePyramid(nn.Module):
    """Bring maps of several strides to one depth, each with what the coarser ones know.

    Lin et al., "Feature Pyramid Networks for Object Detection", 2017, Figure 3, in 3D.

    Args:
        inputs: Channels of each map, finest first.
        channels: Channels of every level that comes out.
    """

    def __init__(self, inputs: Sequence[int], channels: int) -> None:
        super().__init__()
        self.inner_blocks, self.layer_blocks = nn.ModuleList(), nn.ModuleList()
        for depth in inputs:
            self.inner_blocks.append(nn.Conv3d(depth, channels, 1))
            self.layer_blocks.append(nn.Conv3d(channels, channels, 3, padding=1))
        for module in (*self.inner_blocks, *self.layer_blocks):
            nn.init.kaiming_uniform_(module.weight, a=1)
            nn.init.zeros_(module.bias)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Return a level for each map, finest first."""
        levels: list[Tensor] = []
        above: Tensor | None = None
        blocks = zip(self.inner_blocks, self.layer_blocks, maps, strict=True)
        for inner, layer, features in reversed(list(blocks)):
            lateral = inner(features)
            if above is not None:
                lateral = lateral + functional.interpolate(above, lateral.shape[2:])
            levels.insert(0, layer(lateral))
            above = lateral
        return levels


class Pyramid3d(nn.Module):
    """Backbone and feature pyramid: an image becomes maps of equal depth at strides R, 2R, 4R, ...

    Lin et al., "Feature Pyramid Networks for Object Detection", 2017, in 3D.

    Args:
        backbone: Name of the ResNet.
        width: Channels of its first stage.
        channels: Channels of every level of the pyramid.
        output_stride: R, network voxels per cell of the finest level.
        levels: Number of levels, at most 4.
        norm: Normalization inside the ResNet.
    """

    def __init__(
        self,
        backbone: str,
        *,
        width: int,
        channels: int,
        output_stride: int,
        levels: int,
        norm: Norm,
    ) -> None:
        super().__init__()
        self.backbone = ResNet3d(
            backbone, width=width, output_stride=output_stride, norm=norm, stages=levels
        )
        self.pyramid = FeaturePyramid(self.backbone.channels, channels)
        self.channels = channels
        self.strides = self.backbone.strides

    def forward(self, image: Grid) -> list[Grid]:
        """Return the pyramid's levels, finest first, each in the image's frame."""
        levels = self.pyramid(self.backbone(image.values))
        return [
            image.with_values(level, stride)
            for level, stride in zip(levels, self.strides, strict=True)
        ]
