"""3D ResNet trunk that hands out its four stages."""

from jaxtyping import Float
from torch import Tensor, nn

from massm.models.blocks.residual import BasicBlock, Bottleneck, Norm, norm_maker

# He et al., "Deep Residual Learning for Image Recognition", 2016, Table 1.
STAGES: dict[str, tuple[type[BasicBlock | Bottleneck], tuple[int, int, int, int]]] = {
    "resnet10": (BasicBlock, (1, 1, 1, 1)),
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
    "resnet101": (Bottleneck, (3, 4, 23, 3)),
}


class ResNet3d(nn.Module):
    """Turn one image into four feature maps, each half as fine as the one before.

    The stem halves the grid once and, for an output stride of 4, max pooling halves it again. Every
    convolution is odd-sized with half padding, so cell j of a map of stride s lies exactly at voxel
    ``s * j``.

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
        self.norm = norm_maker(norm, min(8, width // 2))
        self.stem = nn.Sequential(
            nn.Conv3d(1, width, kernel_size=7, stride=2, padding=3, bias=False),
            self.norm(width),
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
        block: type[BasicBlock | Bottleneck],
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
                self.norm(outputs),
            )
        first = block(inputs, planes, self.norm, stride=stride, downsample=shortcut)
        others = [block(outputs, planes, self.norm) for _ in range(depth - 1)]
        return nn.Sequential(first, *others)
