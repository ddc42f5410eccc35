"""Feature pyramid over the stages of a 3D ResNet: image in, feature grids in millimeters out."""

from collections import OrderedDict

from monai.networks.blocks.feature_pyramid_network import FeaturePyramidNetwork
from torch import nn

from massm.models.blocks.resnet3d import Norm, ResNet3d
from massm.tensors.grid import Grid


class Pyramid3d(nn.Module):
    """Backbone and feature pyramid: an image becomes maps of equal depth at strides R, 2R, 4R, ...

    Lin et al., "Feature Pyramid Networks for Object Detection", 2017, in 3D (MONAI's block).

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
        self.pyramid = FeaturePyramidNetwork(3, self.backbone.channels, channels)
        self.channels = channels
        self.strides = self.backbone.strides

    def forward(self, image: Grid) -> list[Grid]:
        """Return the pyramid's levels, finest first, each in the image's frame."""
        stages = self.backbone(image.values)
        levels = self.pyramid(OrderedDict((str(i), stage) for i, stage in enumerate(stages)))
        return [
            image.with_values(level, stride)
            for level, stride in zip(levels.values(), self.strides, strict=True)
        ]
