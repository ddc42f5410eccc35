"""3D convolutions that oneDNN does on the CPU, for prediction of one scan at a time."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class DirectConv3d(nn.Conv3d):
    """A convolution that asks oneDNN itself where torch would not.

    For a batch of one whose maps are small (channels x depth x height up to 20480) torch takes a
    method of its own that needs several times as long. On other devices, and where gradients are
    wanted, this is torch's convolution.
    """

    def forward(self, maps: Float[Tensor, "B C D H W"]) -> Float[Tensor, "B E d h w"]:
        """Convolve; what differs from torch's method is rounding."""
        if torch.is_grad_enabled() or maps.device.type != "cpu" or maps.dtype != torch.float32:
            usual: Tensor = super().forward(maps)
            return usual
        direct: Tensor = torch.mkldnn_convolution(
            maps,
            self.weight,
            self.bias,
            self.padding,  # type: ignore[arg-type] # numbers, where padding_mode is zeros
            self.stride,
            self.dilation,
            self.groups,
        )
        return direct

    @classmethod
    def of(cls, convolution: nn.Conv3d) -> "DirectConv3d":
        """Take over the weights of a convolution."""
        taken = cls(
            convolution.in_channels,
            convolution.out_channels,
            convolution.kernel_size,  # type: ignore[arg-type] # one number for each axis
            stride=convolution.stride,  # type: ignore[arg-type]
            padding=convolution.padding,  # type: ignore[arg-type]
            dilation=convolution.dilation,  # type: ignore[arg-type]
            groups=convolution.groups,
            bias=convolution.bias is not None,
            device="meta",
        )
        taken.weight, taken.bias = convolution.weight, convolution.bias
        return taken.train(convolution.training)


def convolve_directly(module: nn.Module) -> None:
    """Put ``DirectConv3d`` in place of all convolutions of a network, with the weights they have.

    One whose padding is a word ("same") is left: oneDNN takes numbers. Doing it twice changes
    nothing. Where oneDNN is not there (torch.backends.mkldnn) all stays as it is.
    """
    if not torch.backends.mkldnn.is_available():
        return
    for name, child in module.named_children():
        if type(child) is nn.Conv3d:
            if child.padding_mode == "zeros" and isinstance(child.padding, tuple):
                setattr(module, name, DirectConv3d.of(child))
        else:
            convolve_directly(child)
