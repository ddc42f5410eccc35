"""The U-Net as a :class:`massm.models.interface.Model`."""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from massm.config.models.unet import UnetConfig
from massm.models.blocks.background import expect_background
from massm.models.blocks.segmentation_loss import dice_loss, log_probability
from massm.models.interface import LossTerms, Model, Prediction, Step
from massm.models.unet.outline import outline_distance
from massm.models.unet.patches import Patches, draw_centers, draw_patches
from massm.tensors.grid import Grid
from massm.tensors.images import Images
from massm.tensors.preprocessing import Preprocessing
from massm.tensors.sample import Batch, Template, Truth

_SLAB = 1 << 22  # voxels of the network's grid that are read at a time
_SWIFT_OVERLAP = 0.25  # of patches in validation


def build(config: UnetConfig, template: Template, preprocessing: Preprocessing) -> "Unet":
    """Build the untrained network; of the template only the number of anatomies matters."""
    return Unet(config, len(template.local), preprocessing.finest_spacing_mm)


class Unet(Model):
    """A U-Net that is trained on patches and predicts window by window.

    Ronneberger et al., "U-Net", MICCAI 2015; network, loss and patches after Isensee et al.,
    "nnU-Net", Nature Methods 18, 2021: instance normalization, deep supervision, Dice and
    cross-entropy, patches around anatomies, windows that are weighted by a Gaussian. Patches are
    not mirrored: that would exchange left and right organs. Of K anatomies the probabilities of all
    and of the background sum to 1, so where two touch, one half still is the border of each, and no
    voxel belongs to two.

    Args:
        config: The network.
        anatomies: K.
        finest_mm: Voxel size of the finest image.
    """

    terms: tuple[str, ...] = ("dice", "cross_entropy")
    errors: ClassVar = ("outline_mm",)
    selects: ClassVar = "outline_mm"

    def __init__(self, config: UnetConfig, anatomies: int, finest_mm: float) -> None:
        super().__init__()
        self.config = config
        self.anatomies = anatomies
        self.stride = 1
        self.finest_mm = finest_mm
        self.spacing_mm = config.spacing_mm or finest_mm
        self.network = _network(config, anatomies)

    def forward(self, images: Images) -> Prediction:
        """Predict in patches that overlap little."""
        return self._predicted(images, min(_SWIFT_OVERLAP, self.config.overlap))

    def infer(self, images: Images) -> Prediction:
        """Predict in patches that overlap as configured."""
        return self._predicted(images, self.config.overlap)

    def loss(self, batch: Batch, step: Step) -> LossTerms:
        """Compare patches with their labels, coarser levels with half the weight of finer ones.

        Raises:
            ValueError: If the batch has no labels.
        """
        patches = self._drawn(batch, step.generator)
        maps = self._maps(patches.image)
        shares = [2.0**-level for level in range(len(maps))]
        terms = dict.fromkeys(self.terms, patches.image.new_zeros(()))
        for share, logits in zip(shares, maps, strict=True):
            told = log_probability(logits.float(), patches.known)
            parts = {
                "dice": dice_loss(told.exp(), patches.labels, patches.known),
                "cross_entropy": functional.nll_loss(told, patches.labels),
            }
            for name, part in parts.items():
                terms[name] = terms[name] + share / sum(shares) * part
        return LossTerms(terms, dict.fromkeys(self.terms, 1.0))

    def errors_of(self, prediction: Prediction, truth: Truth) -> dict[str, Float[Tensor, "B K"]]:
        """Return the mean distance of the outlines at one half, mm.

        Raises:
            ValueError: If there are no labels.
        """
        if prediction.labels is None or len(prediction.labels) != len(truth.labels):
            raise ValueError("errors of a segmentation need the labels of every subject")
        rows = []
        for found, labels in zip(prediction.labels, truth.labels, strict=True):
            true = labels.at(found.points().reshape(-1, 3)).reshape(found.values.shape[2:])
            inside = found.values[0] >= 0.5
            pairs = [
                (inside[k].cpu().numpy(), (true == k + 1).cpu().numpy()) for k in range(len(inside))
            ]
            rows.append(
                [outline_distance(ours, theirs, found.spacing_mm) for ours, theirs in pairs]
            )
        return {"outline_mm": torch.tensor(rows, device=truth.presence.device)}

    def _drawn(self, batch: Batch, generator: torch.Generator) -> Patches:
        size, spacing_mm, parts = self.config.patch, self.spacing_mm, []
        if not batch.truth.labels:
            raise ValueError("a U-Net is trained on labels, and the batch has none")
        for one, labels in zip(batch.images.each(), batch.truth.labels, strict=True):
            centers = draw_centers(one, labels, self.config, spacing_mm, generator)
            parts.append(draw_patches(one, labels, size, spacing_mm, centers))
        return Patches.joined(parts)

    def _maps(self, image: Float[Tensor, "P 1 D H W"]) -> tuple[Float[Tensor, "P C D H W"], ...]:
        """Return the logits, those of coarser levels after them (in training)."""
        found = self.network(image)
        return found.unbind(dim=1) if found.ndim == image.ndim + 1 else (found,)

    def _predicted(self, images: Images, overlap: float) -> Prediction:
        return Prediction(labels=tuple(self._probability(one, overlap) for one in images.each()))

    def _probability(self, one: Images, overlap: float) -> Grid:
        from monai.inferers.utils import sliding_window_inference

        grid = self._grid(one)
        values = sliding_window_inference(
            grid.values,
            self.config.patch,
            1,
            lambda window: self._maps(window)[0].softmax(dim=1)[:, 1:],
            overlap=overlap,
            mode="gaussian",
            padding_mode="replicate",
        )
        return Grid(torch.as_tensor(values), grid.origin, grid.spacing_mm)

    def _grid(self, one: Images) -> Grid:
        """Read the finest image on the grid that the network sees."""
        finest = one.image if one.fine is None else one.fine
        if one.warp is None and self.spacing_mm == self.finest_mm:
            return finest.float()
        image = finest if one.warp is None else one.image  # the frame of augmented images
        count = ((image.size - 1) * image.spacing_mm / self.spacing_mm + 1e-4).long() + 1
        width, height, depth = count.tolist()
        values = image.values.new_empty(1, 1, depth, height, width).float()
        slices = max(1, _SLAB // (height * width))
        for first in range(0, depth, slices):
            slab = Grid(values[:, :, first : first + slices], image.origin, self.spacing_mm)
            points = slab.points()
            points[..., 2] += first * self.spacing_mm
            slab.values.copy_(one.sample_fine(points.reshape(1, -1, 3)).reshape(slab.values.shape))
        return Grid(values, image.origin, self.spacing_mm)


def _network(config: UnetConfig, anatomies: int) -> nn.Module:
    # Seconds, and no need of who only predicts.
    from monai.networks.blocks.dynunet_block import UnetOutBlock
    from monai.networks.nets.dynunet import DynUNet

    levels = len(config.filters)
    network = DynUNet(
        spatial_dims=3,
        in_channels=1,
        out_channels=anatomies + 1,
        kernel_size=[3] * levels,
        strides=[1] + [2] * (levels - 1),
        upsample_kernel_size=[2] * (levels - 1),
        filters=config.filters,
        deep_supervision=config.supervised > 0,
        deep_supr_num=max(config.supervised, 1),
    )
    for module in network.modules():
        if isinstance(module, UnetOutBlock):
            (bias,) = (value for name, value in module.named_parameters() if name.endswith("bias"))
            expect_background(bias)
    return network
