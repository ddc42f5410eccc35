"""What DeepSSM looks at: the whole image, or a crop around each anatomy."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from massm.config.models.deepssm import DeepssmConfig
from massm.geometry.frames import frames_between
from massm.models.deepssm.crop import Crop, Frames
from massm.models.deepssm.encoder import Encoder
from massm.models.interface import TrainingParticles, single_precision
from massm.tensors.images import Images
from massm.tensors.sample import Batch, Template

_EXTENT_MM = 100.0  # unit in which the size of a whole image is told


class WholeImage(nn.Module):
    """The whole image on the network grid, of each subject its own, whatever its size.

    The last map is averaged to a few cells, so that where a cell lies depends on the size of the
    image, which the dense layers are told beside it.

    Args:
        config: Sizes of the encoder.
        anatomies: K; all get the same vector.
    """

    def __init__(self, config: DeepssmConfig, anatomies: int) -> None:
        super().__init__()
        self.anatomies = anatomies
        self.encoder = Encoder(config.encoder, size=None, beside=3)

    def forward(self, images: Images) -> Float[Tensor, "B K F"]:
        """Return what the encoder sees: the same for every anatomy."""
        vectors = []
        for row, size in enumerate(images.sizes):
            grid = images.image.alone(row, size.image)
            extent = grid.size[None] * grid.spacing_mm / _EXTENT_MM
            vectors.append(self.encoder(grid.values, extent))
        return torch.cat(vectors)[:, None].expand(-1, self.anatomies, -1)

    def prepare(self, shapes: TrainingParticles) -> None:
        """Do nothing: a whole image has no place to be learned."""

    def shown(self, batch: Batch, generator: torch.Generator | None) -> Images:
        """Return what is looked at in training and validation: what there is in prediction."""
        return batch.images


class AroundAnatomy(nn.Module):
    """A crop around each anatomy, read from the finest image there is.

    Where crops lie is part of the images that it is given: aligned by the true transform
    (``Images.frames``: always in training, which knows it; in prediction for the upper bound
    alone), or at the centers of boxes.

    Args:
        config: Sizes of crop and encoder.
        template: Its mean shapes give the crop's box until :meth:`prepare` has seen all shapes.
    """

    def __init__(self, config: DeepssmConfig, template: Template) -> None:
        super().__init__()
        self.crop = Crop(config.lattice, template)
        self.encoder = Encoder(config.encoder, size=config.lattice.size)

    def forward(self, images: Images) -> Float[Tensor, "B K F"]:
        """Return what the encoder sees of each anatomy; zeros of one that has no crop."""
        with single_precision(images):
            frames = self.frames(images)
            there = torch.isfinite(frames).all(dim=-1).all(dim=-1)
            crops = self.crop.read(images, frames, there)
        vectors = crops.new_zeros(*there.shape, self.encoder.length)
        if len(crops):
            seen = self.encoder(crops, crops.new_empty(len(crops), 0))
            vectors = vectors.to(seen).index_put(there.nonzero(as_tuple=True), seen)
        return vectors

    def frames(self, images: Images) -> Frames:
        """Return where the crops lie.

        Raises:
            ValueError: If the images do not say.
        """
        if images.frames is not None:
            return images.frames
        if images.box_centers is None:
            raise ValueError("crops need frames or the centers of boxes, found neither of them")
        return self.crop.at(images.box_centers)

    def prepare(self, shapes: TrainingParticles) -> None:
        """Take the crop's box, and how subjects are turned, of the training split."""
        self.crop.fit(shapes.world, shapes.local, shapes.present)

    def shown(self, batch: Batch, generator: torch.Generator | None) -> Images:
        """Return images with crops aligned by the truth.

        Args:
            batch: Images and truth.
            generator: Draws how crops are moved in training; None: they are not.
        """
        frames = frames_between(batch.truth.world, batch.truth.local)
        if generator is not None:
            frames = self.crop.jittered(frames, generator)
        return replace(batch.images, frames=frames)
