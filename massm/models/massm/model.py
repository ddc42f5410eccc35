"""MASSM as a model: the network with its objective."""

import logging
from collections.abc import Callable, Iterable
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from massm.config.models.massm import MassmConfig
from massm.models.interface import (
    LossTerms,
    Model,
    Prediction,
    Step,
    TrainingParticles,
)
from massm.models.massm.network import MassmNetwork
from massm.models.massm.objective import massm_loss, terms_of
from massm.models.massm.world_pretraining import TrainingShapes, pretrain_decoder, pretrain_encoder
from massm.tensors.images import Images
from massm.tensors.preprocessing import Preprocessing
from massm.tensors.sample import Batch, Template, Truth

log = logging.getLogger(__name__)


class Massm(MassmNetwork, Model):
    """Detection, local and world particles of many anatomies from one CT."""

    errors: ClassVar[tuple[str, ...]] = (
        "center_mm",
        "particle_mm",
        "world_cvae_mm",
        "world_procrustes_mm",
    )
    selects: ClassVar[str] = "particle_mm"

    def __init__(self, config: MassmConfig, template: Template, spacing_mm: float) -> None:
        super().__init__(config, template, spacing_mm)
        self.terms = terms_of(self)

    def forward(self, images: Images) -> Prediction:
        """Predict with gradients, on the grid as it is, in the boxes of the detector, refined."""
        return self.see(images)

    def infer(self, images: Images) -> Prediction:
        """Predict; look again, and refine, as often as the section says."""
        config = self.config
        return self.see(
            images,
            second_looks=config.second_looks,
            box_updates=config.box_updates,
            refine_updates=config.refine_updates,
        )

    def loss(self, batch: Batch, step: Step) -> LossTerms:
        """Return all terms of the objective."""
        return massm_loss(self, batch, step)

    def errors_of(self, prediction: Prediction, truth: Truth) -> dict[str, Float[Tensor, "B K"]]:
        """Return the distances of box centers and, on average, of particles from the true ones."""
        boxes, local = prediction.boxes, prediction.local
        if boxes is None or local is None:
            raise ValueError("MASSM predicts boxes and local particles, found neither of them")
        particles = {"particle_mm": (local, truth.local)}
        particles |= {
            f"world_{name}_mm": (prediction.world[name], truth.world) for name in self.worlds
        }
        return {
            "center_mm": (boxes.center - truth.center).norm(dim=-1),
            **{
                name: (found - true).norm(dim=-1).mean(dim=-1)
                for name, (found, true) in particles.items()
            },
        }

    def prepare(self, shapes: Callable[[], TrainingParticles], generator: torch.Generator) -> None:
        """Pretrain the cvae world head: its decoder, then its encoder.

        Raises:
            ValueError: If the model was rebuilt from its file, which holds no shape model.
        """
        if self.template.is_blank:
            raise ValueError(
                "a model that was loaded from its file has no shapes to be prepared with; build it "
                "with the template of the tensors stage"
            )
        config, head = self.config.world, self.cvae
        given = shapes()
        known = TrainingShapes(given.local, given.world, given.present, self.template.modes_world)
        error = pretrain_decoder(head.decoder, known, config, generator)
        log.info("world decoder pretrained: reconstruction error %.2f mm per coordinate", error)
        if config.encoder_steps:
            error = pretrain_encoder(head, known, config, generator)
            log.info("world encoder pretrained: error %.2f mm per coordinate", error)

    def conclude(self, batches: Iterable[Batch]) -> None:
        """Choose how far aligned particles are drawn to the mean, on validation subjects."""
        if self.shrinkage is None:
            return
        self.shrinkage.learn(
            (
                self.forward_each(batch.images).world["procrustes"],
                batch.truth.world,
                batch.truth.presence.eq(1),
            )
            for batch in batches
        )
        factors = [round(factor, 2) for factor in self.shrinkage.get_buffer("factor").tolist()]
        log.info("share of world deviations that is kept: %s", factors)


def build(config: MassmConfig, template: Template, preprocessing: Preprocessing) -> Massm:
    """Build an untrained network.

    Args:
        config: Sizes of all parts, and the objective.
        template: Shapes of the training split that the heads start from.
        preprocessing: Says the voxel size of the network grid.
    """
    return Massm(config, template, preprocessing.spacing_mm)
