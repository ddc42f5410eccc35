"""DeepSSM as a model: what it looks at, scores, decoder, and the loss of the particles."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from massm.config.models.deepssm import DeepssmConfig
from massm.geometry.frames import apply_frames
from massm.models.blocks.mlp import last_layer
from massm.models.deepssm.decoder import PcaDecoder
from massm.models.deepssm.sight import AroundAnatomy, WholeImage
from massm.models.interface import (
    LossTerms,
    Model,
    Prediction,
    Step,
    TrainingParticles,
    single_precision,
)
from massm.tensors.images import Images
from massm.tensors.preprocessing import Preprocessing
from massm.tensors.sample import Batch, Template, Truth

HEAD = "pca"  # name of its world particles


class Deepssm(Model):
    """Scores of a linear shape model, read from images by convolutions.

    Ukey et al. 2024 (arXiv:2403.11008) compare MASSM with three of these: of whole images, local or
    world particles, and of crops that the true transform has aligned, world particles. What is
    compared with the truth is the particles, through a decoder that stays the PCA until
    ``finetune_from``; from then on it is trained as well.

    Args:
        config: Sizes, and what is looked at.
        mean: Of each anatomy, mm.
        deviations: Modes of one standard deviation each, mm. Mean and modes are those of a template
            until :meth:`prepare` has seen all shapes.
        template: Its mean shapes tell the size of a crop, until then too.
    """

    terms: tuple[str, ...] = ("particles",)

    def __init__(
        self,
        config: DeepssmConfig,
        mean: Float[Tensor, "K M 3"],
        deviations: Float[Tensor, "K J M 3"],
        template: Template,
    ) -> None:
        super().__init__()
        self.config = config
        self.stride = 1
        self.sees_fine = config.image == "crop"
        anatomies, modes = deviations.shape[:2]
        self.sight: WholeImage | AroundAnatomy = (
            AroundAnatomy(config, template)
            if config.image == "crop"
            else WholeImage(config, anatomies)
        )
        inputs = self.sight.encoder.length
        self.scores = last_layer(anatomies, inputs, modes, class_wise=True)
        self.decoder = PcaDecoder(mean, deviations)

    @abstractmethod
    def target(self, truth: Truth, images: Images) -> Float[Tensor, "B K M 3"]:
        """Return what the decoder should say, mm; nan of what is not there."""

    def decode(self, images: Images, *, free: bool = False) -> Float[Tensor, "B K M 3"]:
        """Return what the decoder says, mm.

        Args:
            images: Of B subjects.
            free: Whether the decoder gets a gradient.
        """
        scores = self.scores(self.sight(images))
        with single_precision(images):
            particles: Tensor = self.decoder(scores.float(), free=free)
        return particles

    def loss(self, batch: Batch, step: Step) -> LossTerms:
        """Return the mean squared error of the particles that are there.

        Its unit is the variance of the training shapes: 1 is as bad as the mean shape.
        """
        images = self.sight.shown(batch, step.generator)
        found = self.decode(images, free=step.epoch >= self.config.finetune_from)
        there = batch.truth.presence.eq(1)
        error = found[there] - self.target(batch.truth, images)[there]
        unit = self.decoder.unit.expand(there.shape)[there]
        squared = error.square().mean(dim=(1, 2)) / unit
        return LossTerms({"particles": squared.sum() / max(1, len(squared))}, {"particles": 1.0})

    def validate(self, batch: Batch) -> dict[str, Float[Tensor, "B K"]]:
        """Return the validation errors of a batch, mm, each subject as if alone."""
        return super().validate(replace(batch, images=self.sight.shown(batch, None)))


class LocalDeepssm(Deepssm):
    """Predicts local particles from the middle of the image: its modes hold place and pose too."""

    errors: ClassVar[tuple[str, ...]] = ("particle_mm",)
    selects: ClassVar[str] = "particle_mm"

    def prepare(self, shapes: Callable[[], TrainingParticles], generator: torch.Generator) -> None:
        """Take the decoder of the training split's particles, as they lie in the images."""
        given = shapes()
        local = given.local - given.middle[:, None, None]
        self.decoder.fit(local, given.present, self.config.modes)

    def forward(self, images: Images) -> Prediction:
        """Predict with gradients, on the grid as it is."""
        return Prediction(local=self.decode(images) + _middle(images))

    def target(self, truth: Truth, images: Images) -> Float[Tensor, "B K M 3"]:
        """Return the true local particles from the middle of the image, mm."""
        return truth.local - _middle(images)

    def errors_of(self, prediction: Prediction, truth: Truth) -> dict[str, Float[Tensor, "B K"]]:
        """Return the mean distance of local particles from the true ones."""
        if prediction.local is None:
            raise ValueError("local particles are measured, found none")
        return {"particle_mm": (prediction.local - truth.local).norm(dim=-1).mean(dim=-1)}


class WorldDeepssm(Deepssm):
    """Predicts world particles; of a crop in a detected box, from there local ones too."""

    errors: ClassVar[tuple[str, ...]] = ("world_mm",)
    selects: ClassVar[str] = "world_mm"

    def prepare(self, shapes: Callable[[], TrainingParticles], generator: torch.Generator) -> None:
        """Take decoder and crop of the training split's particles."""
        given = shapes()
        self.decoder.fit(given.world, given.present, self.config.modes)
        self.sight.prepare(given)

    def forward(self, images: Images) -> Prediction:
        """Predict with gradients, on the grid as it is; nan where there is no crop."""
        world = self.decode(images)
        if not isinstance(self.sight, AroundAnatomy):
            return Prediction(world={HEAD: world})
        with single_precision(images):
            frames = self.sight.frames(images)
            placed = apply_frames(frames, world)
        world = torch.where(torch.isfinite(placed), world, torch.nan)
        detected = self.config.crop == "detected"
        return Prediction(local=placed if detected else None, world={HEAD: world})

    def target(self, truth: Truth, images: Images) -> Float[Tensor, "B K M 3"]:
        """Return the true world particles, mm."""
        return truth.world

    def errors_of(self, prediction: Prediction, truth: Truth) -> dict[str, Float[Tensor, "B K"]]:
        """Return the mean distance of world particles from the true ones."""
        return {"world_mm": (prediction.world[HEAD] - truth.world).norm(dim=-1).mean(dim=-1)}


def _middle(images: Images) -> Float[Tensor, "B 1 1 3"]:
    """Return the middle of each subject's own image, mm, image frame."""
    grid = images.image
    counts = torch.tensor([size.image[::-1] for size in images.sizes]).to(grid.origin)
    return (grid.origin + (counts - 1) * grid.spacing_mm / 2)[:, None, None]


def build(config: DeepssmConfig, template: Template, preprocessing: Preprocessing) -> Deepssm:
    """Build an untrained network.

    Args:
        config: Sizes, and what is predicted of what.
        template: Shapes of the training split.
        preprocessing: Not needed: grids and frames are in millimeters.
    """
    if config.particles == "local":
        return LocalDeepssm(config, template.center_local, template.modes_local, template)
    return WorldDeepssm(config, template.mean_world, template.modes_world, template)
