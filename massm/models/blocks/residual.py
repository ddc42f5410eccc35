"""Residual blocks of a 3D ResNet and their normalization, in torch alone.

MONAI has such blocks, too, but importing it takes several seconds and half of a pipeline's
packages, which a single scan does not wait for. Weights have the same names and start from the same
draws as there; a test compares both.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

Norm = Literal["batch", "instance", "group"]
MakeNorm = Callable[[int], nn.Module]
"""Makes the normalization of so many channels."""


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


def norm_maker(norm: Norm, groups: int) -> MakeNorm:
    """Choose a normalization with a scale and a shift for each channel.

    Args:
        norm: Which.
        groups: Of channels, for ``group``.
    """
    makers: dict[Norm, MakeNorm] = {
        "batch": nn.BatchNorm3d,
        "instance": partial(InstanceNorm, affine=True),
        "group": partial(nn.GroupNorm, groups),
    }
    return makers[norm]


class BasicBlock(nn.Module):
    """Two convolutions of 3 x 3 x 3 beside a shortcut (He et al. 2016, Figure 5, left).

    Args:
        inputs: Channels that come in.
        planes: Channels of both convolutions.
        norm: Makes each normalization.
        stride: Of the first convolution.
        downsample: The shortcut; None for the identity.
    """

    expansion = 1

    def __init__(
        self,
        inputs: int,
        planes: int,
        norm: MakeNorm,
        *,
        stride: int = 1,
        downsample: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(inputs, planes, 3, stride=stride, padding=1, bias=False)
        self.bn1 = norm(planes)
        self.conv2 = nn.Conv3d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = norm(planes)
        self.downsample = downsample or nn.Identity()

    def forward(self, maps: Float[Tensor, "B C d h w"]) -> Float[Tensor, "B c D H W"]:
        """Add what the convolutions find to the shortcut."""
        found: Tensor = self.bn1(self.conv1(maps)).relu_()
        found = self.bn2(self.conv2(found))
        found += self.downsample(maps)
        return found.relu_()


class Bottleneck(nn.Module):
    """Convolutions of 1, 3 and 1 voxel a side beside a shortcut (He et al., Figure 5, right).

    Args:
        inputs: Channels that come in.
        planes: Channels of the first two convolutions; ``expansion`` times that go out.
        norm: Makes each normalization.
        stride: Of the middle convolution.
        downsample: The shortcut; None for the identity.
    """

    expansion = 4

    def __init__(
        self,
        inputs: int,
        planes: int,
        norm: MakeNorm,
        *,
        stride: int = 1,
        downsample: nn.Module | None = None,
    ) -> None:
        super().__init__()
        outputs = planes * self.expansion
        self.conv1 = nn.Conv3d(inputs, planes, 1, bias=False)
        self.bn1 = norm(planes)
        self.conv2 = nn.Conv3d(planes, planes, 3, stride=stride, padding=1, bias=False)
        self.bn2 = norm(planes)
        self.conv3 = nn.Conv3d(planes, outputs, 1, bias=False)
        self.bn3 = norm(outputs)
        self.downsample = downsample or nn.Identity()

    def forward(self, maps: Float[Tensor, "B C d h w"]) -> Float[Tensor, "B c D H W"]:
        """Add what the convolutions find to the shortcut."""
        found: Tensor = self.bn1(self.conv1(maps)).relu_()
        found = self.bn2(self.conv2(found)).relu_()
        found = self.bn3(self.conv3(found))
        found += self.downsample(maps)
        return found.relu_()
