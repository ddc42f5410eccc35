"""What MASSM is trained for: targets, teacher forcing, weights and terms of its loss."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from massm.config.models.massm import ObjectiveConfig
from massm.models.blocks.segmentation_loss import dice_loss, log_probability
from massm.models.interface import Boxes, LossTerms, Step, single_precision
from massm.models.massm import losses
from massm.models.massm.close_up import View
from massm.models.massm.detection import (
    DetectionMaps,
    DetectionTargets,
    decode,
    detection_losses,
    encode,
)
from massm.models.massm.network import MassmNetwork
from massm.models.massm.refine import RefineHead, perturbed_starts
from massm.tensors.grid import Grid
from massm.tensors.sample import Batch, Truth


@dataclass(frozen=True)
class Teacher:
    """How much truth the heads are handed in a step.

    Attributes:
        probability: Chance that a box or shape is the true one instead of the predicted one.
        jitter_center_mm: Standard deviation of noise on true box centers, mm.
        jitter_radius: Standard deviation of noise on true box radii, fraction.
        missed_boxes: What becomes of a predicted box whose middle is not in the true one: the true
            one stands in, it stays, or its anatomy trains no head.
        generator: Draws all of it, on the CPU.
    """

    probability: float
    jitter_center_mm: float
    jitter_radius: float
    missed_boxes: Literal["replace", "keep", "skip"]
    generator: torch.Generator


class TrainingBoxes(NamedTuple):
    """The boxes in which the heads are trained.

    Attributes:
        center: Middle of each, mm, image frame.
        radius: Half extents, mm.
        present: The anatomies that train the heads.
    """

    center: Float[Tensor, "B K 3"]
    radius: Float[Tensor, "B K 3"]
    present: Bool[Tensor, "B K"]


def teacher_of(config: ObjectiveConfig, step: Step) -> Teacher:
    """Return the teacher of a step."""
    settings = config.teacher
    return Teacher(
        probability=settings.probability.at(step.epoch),
        jitter_center_mm=settings.jitter_center_mm,
        jitter_radius=settings.jitter_radius,
        missed_boxes=settings.missed_boxes,
        generator=step.generator,
    )


def terms_of(network: MassmNetwork) -> tuple[str, ...]:
    """Name the terms of the objective: those of the parts that the network has."""
    refine = ("refine",) if network.refine is not None else ()
    segment = ("segment",) if network.close_up is not None else ()
    return ("heatmap", "radius", "offset", "local", *refine, *segment, "world")


def weights_of(config: ObjectiveConfig, epoch: int) -> dict[str, float]:
    """Return the weight of every loss term that there can be in an epoch, counted from 0."""
    return {name: ramp.at(epoch) for name, ramp in config.weights}


def massm_loss(network: MassmNetwork, batch: Batch, step: Step) -> LossTerms:
    """Return all terms of the objective with the weights of the epoch."""
    objective = network.config.objective
    terms = loss_terms(network, batch, teacher_of(objective, step))
    weights = weights_of(objective, step.epoch)
    return LossTerms(terms, {name: weights[name] for name in terms})


def loss_terms(
    network: MassmNetwork, batch: Batch, teacher: Teacher
) -> dict[str, Float[Tensor, ""]]:
    """Return all terms of the objective.

    Gradients of the particle losses reach the pyramid through the ROI features, not the boxes:
    these are detached, as in two-stage detectors, and learn from their own terms.
    """
    levels = network.pyramid(batch.images.image)
    maps = network.detect(levels)
    with single_precision(batch.images):
        targets = targets_of(network, maps, batch)
        terms = detection_losses(maps, targets, config=network.config.objective.loss)
        levels = [level.float() for level in levels]
        boxes = _boxes_for_training(decode(maps), batch.truth, targets.present, teacher)
    views = network.views(batch.images, boxes.center)  # as precise as training is
    with single_precision(batch.images):
        if views is not None:
            terms["segment"] = segment_loss(views, batch)
        return terms | _particle_terms(network, levels, boxes, views, batch, teacher)


def targets_of(network: MassmNetwork, maps: DetectionMaps, batch: Batch) -> DetectionTargets:
    """Return what the detector's maps should be."""
    truth = batch.truth
    shown = torch.tensor([size.shown[::-1] for size in batch.images.sizes]).to(truth.center)
    return encode(
        maps.grid,
        maps.stride,
        truth.center,
        truth.radius,
        truth.presence,
        (shown - 1) / maps.stride,
        network.config.detection,
    )


def _particle_terms(
    network: MassmNetwork,
    levels: list[Grid],
    boxes: TrainingBoxes,
    views: list[View] | None,
    batch: Batch,
    teacher: Teacher,
) -> dict[str, Float[Tensor, ""]]:
    images, truth, objective = batch.images, batch.truth, network.config.objective
    center, radius, present = boxes
    local = network.local(network.roi(levels, images, center, radius), center, radius)
    unit = objective.loss.particle_unit_mm
    terms = {"local": _particle_loss(objective, local, truth.local, present, unit)}
    if network.refine is not None:
        terms["refine"] = _refine_loss(
            network, network.refine, local, levels, views, batch, present, teacher
        )
    taught = _taught(present, teacher)[..., None, None]
    shape = torch.where(taught, truth.local, local)
    world = network.worlds[network.config.world.head](shape)
    unit = objective.loss.world_unit_mm
    terms["world"] = _particle_loss(objective, world, truth.world, present, unit)
    return terms


def _refine_loss(
    network: MassmNetwork,
    refine: RefineHead,
    local: Float[Tensor, "B K M 3"],
    levels: list[Grid],
    views: list[View] | None,
    batch: Batch,
    present: Bool[Tensor, "B K"],
    teacher: Teacher,
) -> Float[Tensor, ""]:
    settings, objective = network.config.refine, network.config.objective
    images, true_local = batch.images, batch.truth.local
    true = torch.where(present[..., None, None], true_local, local.detach())
    unit = objective.loss.particle_unit_mm
    total = local.new_zeros(())
    perturbed = [
        perturbed_starts(
            true,
            network.get_buffer("start_modes"),
            spread=settings.start_modes,
            shift_mm=settings.start_shift_mm,
            generator=teacher.generator,
        )
        for _ in range(settings.starts)
    ]
    starts = [local.detach(), *perturbed]
    for start in starts:
        for shape in refine(start, levels[:1], images, views):
            total = total + _particle_loss(objective, shape, true_local, present, unit)
    return total / (len(starts) * settings.steps)


def segment_loss(views: list[View], batch: Batch) -> Float[Tensor, ""]:
    """Score the voxels of close-ups: cross-entropy of all anatomies, and Dice of each its own.

    Raises:
        ValueError: If the batch has no labels.
    """
    if len(batch.truth.labels) != len(batch.images.subjects):
        raise ValueError("close-ups are trained on labels, and the batch has none")
    known = torch.stack([labels.known for labels in batch.truth.labels])
    parts = []
    for k, view in enumerate(views):
        points = view.odds.points().flatten(1, 3)
        warp = batch.images.warp
        source = points if warp is None else warp.source(points)
        pairs = zip(batch.truth.labels, source, strict=True)
        true = torch.stack([labels.at(places) for labels, places in pairs])
        true = true.unflatten(1, view.logits.shape[2:])
        told = log_probability(view.logits, known)
        own = torch.zeros_like(known)
        own[:, k] = known[:, k]
        parts.append(functional.nll_loss(told, true) + dice_loss(told.exp(), true, own))
    return torch.stack(parts).mean()


def _particle_loss(
    objective: ObjectiveConfig,
    predicted: Float[Tensor, "B K M 3"],
    true: Float[Tensor, "B K M 3"],
    present: Bool[Tensor, "B K"],
    unit_mm: float,
) -> Float[Tensor, ""]:
    config = objective.loss
    # Unknown particles are nan; replaced before the difference so that no gradient is nan.
    true = torch.where(present[..., None, None], true, predicted.detach())
    error = (predicted - true) / unit_mm
    return losses.shrinkage_loss(
        error, present, a=config.shrinkage_a, c=config.shrinkage_c, of=config.shrinkage
    )


def _boxes_for_training(
    boxes: Boxes, truth: Truth, present: Bool[Tensor, "B K"], teacher: Teacher
) -> TrainingBoxes:
    """Choose per anatomy between the predicted box and the true one with noise.

    The noise makes the local head expect boxes as good as the detector's: in exact boxes its error
    looks small in training and is not. In a predicted box whose middle is not even in the true one
    there is nothing to see, and its squared error would be most of the loss: as in two-stage
    detectors (Ren et al., "Faster R-CNN", 2015, section 3.1.2), it need not train the heads.
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
    return TrainingBoxes(
        torch.where(chosen, center, boxes.center.detach()),
        torch.where(chosen, radius, boxes.radius.detach()),
        present,
    )


def _taught(present: Bool[Tensor, "B K"], teacher: Teacher) -> Bool[Tensor, "B K"]:
    """Draw the anatomies, of those that are there, whose truth stands in for the prediction."""
    drawn = torch.rand(present.shape, generator=teacher.generator).to(present.device)
    return (drawn < teacher.probability) & present
