"""3D ResNet trunk that hands out its four stages, built from MONAI's residual blocks."""

from typing import Literal

from jaxtyping import Float
from monai.networks.layers.utils import get_norm_layer
from monai.networks.nets.resnet import ResNetBlock, ResNetBottleneck
from torch import Tensor, nn

Norm = Literal["batch", "instance", "group"]

# He et al., "Deep Residual Learning for Image Recognition", 2016, Table 1.
STAGES: dict[str, tuple[type[ResNetBlock | ResNetBottleneck], tuple[int, int, int, int]]] = {
    "resnet10": (ResNetBlock, (1, 1, 1, 1)),
    "resnet18": (ResNetBlock, (2, 2, 2, 2)),
    "resnet34": (ResNetBlock, (3, 4, 6, 3)),
    "resnet50": (ResNetBottleneck, (3, 4, 6, 3)),
    "resnet101": (ResNetBottleneck, (3, 4, 23, 3)),
}


class InstanceNorm(nn.InstanceNorm3d):
    """Instance normalization that takes maps of one cell too, where torch raises an error.

    One cell is its own mean: what is left of it is the bias. The coarsest map of a small image has
    one cell when the image is alone and more when it is padded in a batch.
    """

    def forward(self, maps: Float[Tensor, "B C D H W"]) -> Float[Tensor, "B C D H W"]:
        """Normalize each channel of each subject over its cells."""
        if maps.shape[2:].numel() == 1:
            return maps * 0 + self.bias[:, None, None, None]
        normalized: Tensor = super().forward(maps)
        return normalized


def _accept_one_cell(module: nn.Module) -> None:
    """Put ``InstanceNorm`` in place of torch's throughout."""
    for name, child in module.named_children():
        if isinstance(child, nn.InstanceNorm3d):
            setattr(module, name, InstanceNorm(child.num_features, affine=True))
        else:
            _accept_one_cell(child)


class ResNet3d(nn.Module):
    """Turn one image into four feature maps, each half as fine as the one before.

    MONAI's own ``ResNet`` is not used whole: it fixes batch normalization inside the stages, and
    its shortcut of type A cuts the gradient. The stem halves the grid once and, for an output
    stride of 4, max pooling halves it again. Every convolution is odd-sized with half padding, so
    cell j of a map of stride s lies exactly at voxel ``s * j``.

    Args:
        name: One of ``STAGES``.
        width: Channels of the first stage; 64 in He et al. The others have 2, 4, 8 times that.
        output_stride: Voxels per cell of the first map: 2 or 4.
        norm: Normalization; ``batch`` is ResNet's, ``group`` suits batches of one or two volumes.
        stages: How many of the four stages are kept.
    """

    def __init__(
        self, name: str, *, width: int, output_stride: int, norm: Norm, stages: int = 4
    ) -> None:
        super().__init__()
        block, depths = STAGES[name]
        self.norm: tuple[str, dict[str, int | bool]] = (
            ("group", {"num_groups": min(8, width // 2)})
            if norm == "group"
            else (norm, {"affine": True})
        )
        self.stem = nn.Sequential(
            nn.Conv3d(1, width, kernel_size=7, stride=2, padding=3, bias=False),
            get_norm_layer(self.norm, spatial_dims=3, channels=width),
            nn.ReLU(inplace=True),
        )
        if output_stride == 4:
            self.stem.append(nn.MaxPool3d(kernel_size=3, stride=2, padding=1))
        self.stages = nn.ModuleList()
        planes = width
        for index, depth in enumerate(depths[:stages]):
            self.stages.append(self._stage(block, planes, width * 2**index, depth, index > 0))
            planes = width * 2**index * block.expansion
        self.channels = [width * 2**index * block.expansion for index in range(stages)]
        self.strides = [output_stride * 2**index for index in range(stages)]
        _accept_one_cell(self)
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: Float[Tensor, "B 1 D H W"]) -> list[Tensor]:
        """Return the stages' feature maps, finest first."""
        features = self.stem(image)
        maps = []
        for stage in self.stages:
            features = stage(features)
            maps.append(features)
        return maps

    def _stage(
        self,
        block: type[ResNetBlock | ResNetBottleneck],
        inputs: int,
        planes: int,
        depth: int,
        halves: bool,
    ) -> nn.Sequential:
        outputs = planes * block.expansion
        stride = 2 if halves else 1
        shortcut = None
        if halves or inputs != outputs:
            shortcut = nn.Sequential(
                nn.Conv3d(inputs, outputs, kernel_size=1, stride=stride, bias=False),
                get_norm_layer(self.norm, spatial_dims=3, channels=outputs),
            )
        first = block(inputs, planes, stride=stride, downsample=shortcut, norm=self.norm)
        others = [block(outputs, planes, norm=self.norm) for _ in range(depth - 1)]
        return nn.Sequential(first, *others)
