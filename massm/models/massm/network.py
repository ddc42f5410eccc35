"""MASSM on one screen: pyramid, detection, local particles, world particles.

Ukey, Kataria, Elhabian, "MASSM: An End-to-End Deep Learning Framework for Multi-Anatomy
Statistical Shape Modeling Directly From Images", arXiv:2403.11008.
"""

import logging
from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from massm.config.model import ModelConfig
from massm.config.train import LossConfig
from massm.models.blocks.fpn3d import Pyramid3d
from massm.models.interface import LossTerms, Prediction, Teacher
from massm.models.massm import losses
from massm.models.massm.detection import (
    Boxes,
    DetectionHead,
    DetectionMaps,
    DetectionTargets,
    decode,
    detection_losses,
    encode,
)
from massm.models.massm.local import LocalHead, RoiFeatures
from massm.models.massm.refine import RefineHead, perturbed_starts
from massm.models.massm.world import CvaeHead, ProcrustesHead
from massm.models.massm.world_pretraining import (
    TrainingShapes,
    pretrain_decoder,
    pretrain_encoder,
)
from massm.tensors.grid import Grid
from massm.tensors.images import Images
from massm.tensors.sample import Batch, Template, Truth

log = logging.getLogger(__name__)


class Massm(nn.Module):
    """Find every anatomy in a CT, place its particles, carry them to the population's frame.

    Args:
        config: Sizes of all parts.
        loss: Shapes and units of the loss terms.
        template: Shapes of the training split that the heads start from.
        spacing_mm: Voxel size of the network grid.
    """

    def __init__(
        self, config: ModelConfig, loss: LossConfig, template: Template, spacing_mm: float
    ) -> None:
        super().__init__()
        self.config = config
        self.loss_config = loss
        self.template = template
        backbone = config.backbone
        self.pyramid = Pyramid3d(
            backbone.name,
            width=backbone.width,
            channels=backbone.channels,
            output_stride=backbone.output_stride,
            levels=backbone.levels,
            norm=backbone.norm,
        )
        self.stride = self.pyramid.strides[-1]
        self.detection = DetectionHead(
            backbone.channels,
            config.detection.channels,
            len(template.local),
            class_wise=config.detection.class_wise,
            typical_radius=template.radius / spacing_mm,
        )
        self.roi = RoiFeatures(config.roi, levels=backbone.levels, channels=backbone.channels)
        self.local = LocalHead(config.local, features=self.roi.length, template=template)
        self.refine: RefineHead | None = None
        if config.refine.steps:
            self.refine = RefineHead(
                config.refine, levels=1, channels=backbone.channels, template=template
            )
            self.register_buffer("start_modes", template.modes_local.clone())
        self.worlds = nn.ModuleDict(
            {"cvae": CvaeHead(config.world, template), "procrustes": ProcrustesHead(template)}
        )

    def prepare(
        self,
        local: Float[Tensor, "N K M 3"],
        world: Float[Tensor, "N K M 3"],
        present: Bool[Tensor, "N K"],
        generator: torch.Generator,
    ) -> None:
        """Pretrain the cvae world head: its decoder, then its encoder.

        Raises:
            ValueError: If the model was rebuilt from its file, which holds no shape model.
        """
        if self.template.is_blank:
            raise ValueError(
                "a model that was loaded from its file has no shapes to be prepared with; build it "
                "with the template of the tensors stage"
            )
        head = cast(CvaeHead, self.worlds["cvae"])
        shapes = TrainingShapes(local, world, present, self.template.modes_world)
        error = pretrain_decoder(head.decoder, shapes, self.config.world, generator)
        log.info("world decoder pretrained: reconstruction error %.2f mm per coordinate", error)
        if self.config.world.encoder_steps:
            error = pretrain_encoder(head, shapes, self.config.world, generator)
            log.info("world encoder pretrained: error %.2f mm per coordinate", error)

    def forward(self, images: Images) -> Prediction:
        """Predict with gradients, each subject as if alone."""
        return self._predict(images, box_updates=0)

    def _predict(self, images: Images, box_updates: int) -> Prediction:
        """Predict every subject on its own grid: padding to another's size would move particles."""
        return Prediction.joined([self._predict_one(one, box_updates) for one in images.each()])

    def _predict_one(self, images: Images, box_updates: int) -> Prediction:
        levels = self.pyramid(images.image)
        maps = self.detect(levels)
        with _single_precision(images):
            boxes = decode(maps)
            levels = [level.float() for level in levels]
            center, radius = boxes.center, boxes.radius
            local = self._shapes(levels, images, center, radius)[-1]
            for _ in range(box_updates):
                local = self._shapes(levels, images, *_box(local))[-1]
            if box_updates:
                center, radius = _box(local)
            world = {name: head(local) for name, head in self.worlds.items()}
        return Prediction(boxes.score, center, radius, local, world)

    @torch.no_grad()
    def predict(self, images: Images, *, box_updates: int = 0) -> Prediction:
        """Predict in evaluation mode, in single precision, without gradients."""
        self.eval()
        with _single_precision(images):
            return self._predict(images, box_updates)

    def detect(self, levels: list[Grid]) -> DetectionMaps:
        """Return the maps of the detector."""
        maps: DetectionMaps = self.detection(levels[0], self.config.backbone.output_stride)
        return maps

    def loss(self, batch: Batch, teacher: Teacher) -> LossTerms:
        """Return all terms of the objective.

        Gradients of the particle losses reach the pyramid through the ROI features, not the boxes:
        these are detached, as in two-stage detectors, and learn from their own terms.
        """
        levels = self.pyramid(batch.images.image)
        maps = self.detect(levels)
        with _single_precision(batch.images):
            targets = self._targets(maps, batch.truth)
            terms = detection_losses(maps, targets, config=self.loss_config)
            levels = [level.float() for level in levels]
            terms |= self._particle_terms(levels, decode(maps), batch, targets.present, teacher)
        return LossTerms(terms)

    def _targets(self, maps: DetectionMaps, truth: Truth) -> DetectionTargets:
        return encode(
            maps.grid,
            maps.stride,
            truth.center,
            truth.radius,
            truth.presence,
            sigma=self.config.detection.sigma,
            min_sigma_cells=self.config.detection.min_sigma_cells,
            reach_cells=self.config.detection.reach_cells,
        )

    def _particle_terms(
        self,
        levels: list[Grid],
        boxes: Boxes,
        batch: Batch,
        present: Bool[Tensor, "B K"],
        teacher: Teacher,
    ) -> dict[str, Float[Tensor, ""]]:
        images, truth = batch.images, batch.truth
        center, radius, present = _boxes_for_training(boxes, truth, present, teacher)
        local = self.local(self.roi(levels, images, center, radius), center, radius)
        unit = self.loss_config.particle_unit_mm
        terms = {"local": self._particle_loss(local, truth.local, present, unit)}
        if self.refine is not None:
            terms["refine"] = self._refine_loss(self.refine, local, levels, batch, present, teacher)
        taught = _taught(present, teacher)[..., None, None]
        shape = torch.where(taught, truth.local, local)
        world = self.worlds[self.config.world.head](shape)
        unit = self.loss_config.world_unit_mm
        terms["world"] = self._particle_loss(world, truth.world, present, unit)
        return terms

    def _shapes(
        self,
        levels: list[Grid],
        images: Images,
        center: Float[Tensor, "B K 3"],
        radius: Float[Tensor, "B K 3"],
    ) -> list[Float[Tensor, "B K M 3"]]:
        local = self.local(self.roi(levels, images, center, radius), center, radius)
        if self.refine is None:
            return [local]
        return [local, *self.refine(local, levels[:1], images)]

    def _refine_loss(
        self,
        refine: RefineHead,
        local: Float[Tensor, "B K M 3"],
        levels: list[Grid],
        batch: Batch,
        present: Bool[Tensor, "B K"],
        teacher: Teacher,
    ) -> Float[Tensor, ""]:
        settings = self.config.refine
        true = torch.where(present[..., None, None], batch.truth.local, local.detach())
        unit = self.loss_config.particle_unit_mm
        total = local.new_zeros(())
        perturbed = [
            perturbed_starts(
                true,
                self.get_buffer("start_modes"),
                spread=settings.start_modes,
                shift_mm=settings.start_shift_mm,
                generator=teacher.generator,
            )
            for _ in range(settings.starts)
        ]
        starts = [local.detach(), *perturbed]
        for start in starts:
            for shape in refine(start, levels[:1], batch.images):
                total = total + self._particle_loss(shape, batch.truth.local, present, unit)
        return total / (len(starts) * settings.steps)

    def _particle_loss(
        self,
        predicted: Float[Tensor, "B K M 3"],
        true: Float[Tensor, "B K M 3"],
        present: Bool[Tensor, "B K"],
        unit_mm: float,
    ) -> Float[Tensor, ""]:
        config = self.loss_config
        # Unknown particles are nan; replaced before the difference so that no gradient is nan.
        true = torch.where(present[..., None, None], true, predicted.detach())
        error = (predicted - true) / unit_mm
        return losses.shrinkage_loss(
            error, present, a=config.shrinkage_a, c=config.shrinkage_c, of=config.shrinkage
        )


def _box(
    local: Float[Tensor, "B K M 3"],
) -> tuple[Float[Tensor, "B K 3"], Float[Tensor, "B K 3"]]:
    """Return middle and half extents of the tightest boxes around particles."""
    low, high = local.amin(dim=2), local.amax(dim=2)
    return (low + high) / 2, (high - low) / 2


def _boxes_for_training(
    boxes: Boxes, truth: Truth, present: Bool[Tensor, "B K"], teacher: Teacher
) -> tuple[Float[Tensor, "B K 3"], Float[Tensor, "B K 3"], Bool[Tensor, "B K"]]:
    """Choose per anatomy between the predicted box and the true one with noise.

    The noise makes the local head expect boxes as good as the detector's: in exact boxes its error
    looks small in training and is not. In a predicted box whose middle is not even in the true one
    there is nothing to see, and its squared error would be most of the loss: as in two-stage
    detectors (Ren et al., "Faster R-CNN", 2015, section 3.1.2), it need not train the heads.

    Returns:
        Centers and radii, mm, and the anatomies that train the heads.
    """
    noise = torch.randn(2, *truth.center.shape, generator=teacher.generator).to(truth.center)
    center = truth.center + teacher.jitter_center_mm * noise[0]
    radius = truth.radius * (teacher.jitter_radius * noise[1]).exp()
    taught = _taught(present, teacher)
    missed = ((boxes.center - truth.center).abs() > truth.radius).any(dim=-1) & present & ~taught
    if teacher.missed_boxes == "replace":
        taught = taught | missed
    elif teacher.missed_boxes == "skip":
        present = present & ~missed
    chosen = taught[..., None]
    return (
        torch.where(chosen, center, boxes.center.detach()),
        torch.where(chosen, radius, boxes.radius.detach()),
        present,
    )


def _single_precision(images: Images) -> torch.autocast:
    """Switch mixed precision off: a coordinate of 700 mm is known to 0.5 mm in half precision."""
    return torch.autocast(images.image.values.device.type, enabled=False)


def _taught(present: Bool[Tensor, "B K"], teacher: Teacher) -> Bool[Tensor, "B K"]:
    """Draw the anatomies, of those that are there, whose truth stands in for the prediction."""
    drawn = torch.rand(present.shape, generator=teacher.generator).to(present.device)
    return (drawn < teacher.probability) & present
