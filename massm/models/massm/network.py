"""MASSM's network on one screen: pyramid, detection, local particles, world particles.

Ukey, Kataria, Elhabian, "MASSM: An End-to-End Deep Learning Framework for Multi-Anatomy
Statistical Shape Modeling Directly From Images", arXiv:2403.11008.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from massm.config.models.massm import MassmConfig
from massm.models.blocks.fpn3d import Pyramid3d
from massm.models.interface import Boxes, Prediction, single_precision
from massm.models.massm.close_up import CloseUp, View
from massm.models.massm.detection import DetectionHead, DetectionMaps, decode
from massm.models.massm.local import LocalHead, RoiFeatures
from massm.models.massm.refine import RefineHead
from massm.models.massm.second_look import agreement, clearly_better, is_doubtful, shown_boxes
from massm.models.massm.shrinkage import ShrinkageHead
from massm.models.massm.world import CvaeHead, ProcrustesHead
from massm.tensors.grid import Grid
from massm.tensors.images import Images
from massm.tensors.sample import Template


class Glance(NamedTuple):
    """What is found of every anatomy in one box.

    Attributes:
        center: Middle of the box, mm, image frame.
        radius: Its half extents, mm.
        local: Particles, as the last step of refinement leaves them, mm.
        views: The close-ups of the last look, if there are any.
        agreement: How far the close-ups that the particles were refined in agree with them, 0 to 1.
    """

    center: Float[Tensor, "B K 3"]
    radius: Float[Tensor, "B K 3"]
    local: Float[Tensor, "B K M 3"]
    views: list[View] | None
    agreement: Float[Tensor, "B K"] | None


class MassmNetwork(nn.Module):
    """Find every anatomy in a CT, place its particles, carry them to the population's frame.

    Args:
        config: Sizes of all parts.
        template: Shapes of the training split that the heads start from.
        spacing_mm: Voxel size of the network grid.
    """

    def __init__(self, config: MassmConfig, template: Template, spacing_mm: float) -> None:
        super().__init__()
        self.config = config
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
        self.close_up: CloseUp | None = None
        if config.close_up.widths:
            self.close_up = CloseUp(config.close_up, template)
        if config.refine.steps:
            self.refine = RefineHead(
                config.refine,
                levels=1,
                channels=backbone.channels,
                template=template,
                viewed=self.close_up.channels if self.close_up else 0,
            )
            # Training alone draws starts from them, and is given the template.
            self.register_buffer("start_modes", template.modes_local.clone(), persistent=False)
        self.worlds = nn.ModuleDict(
            {"cvae": CvaeHead(config.world, template), "procrustes": ProcrustesHead(template)}
        )
        self.shrinkage = ShrinkageHead(template) if config.world.shrinkage else None

    @property
    def cvae(self) -> CvaeHead:
        """The learned world head."""
        head = self.worlds["cvae"]
        if not isinstance(head, CvaeHead):
            raise TypeError(f"the head cvae is a {type(head).__name__}")
        return head

    def see(
        self,
        images: Images,
        *,
        second_looks: int = 0,
        box_updates: int = 0,
        refine_updates: int | None = None,
    ) -> Prediction:
        """Predict; where something speaks against what was found, look again.

        Args:
            images: What is looked at.
            second_looks: How often an anatomy is looked for again where its close-up shows it, if
                that disagrees with its particles.
            box_updates: How often it looks again, after that, in the boxes of the particles.
            refine_updates: How often particles are refined in each box, those that give the next
                box too; None: as in training.
        """
        levels = self.pyramid(images.image)
        maps = self.detect(levels)
        with single_precision(images):
            boxes = decode(maps)
            levels = [level.float() for level in levels]
            look = self.look(levels, images, boxes.center, boxes.radius, refine_updates)
            for _ in range(second_looks):
                look = self.look_again(look, levels, images, refine_updates)
            found = (look.center, look.radius)
            for _ in range(box_updates):
                look = self.look(levels, images, *box_of(look.local), refine_updates)
                found = box_of(look.local)
            boxes = Boxes(boxes.score, *found)
            world = {name: head(look.local) for name, head in self.worlds.items()}
            if self.shrinkage is not None:
                world["shrinkage"] = self.shrinkage(world["procrustes"])
        return Prediction(boxes=boxes, local=look.local, world=world, agreement=look.agreement)

    def detect(self, levels: list[Grid]) -> DetectionMaps:
        """Return the maps of the detector."""
        maps: DetectionMaps = self.detection(levels[0], self.config.backbone.output_stride)
        return maps

    def look(
        self,
        levels: list[Grid],
        images: Images,
        center: Float[Tensor, "B K 3"],
        radius: Float[Tensor, "B K 3"],
        refine_updates: int | None = None,
    ) -> Glance:
        """Find the particles in boxes, mm, and refine them."""
        local = self.local(self.roi(levels, images, center, radius), center, radius)
        views = agreed = None
        if self.refine is not None and refine_updates != 0:
            views = self.views(images, center)
            local = self.refine(local, levels[:1], images, views, refine_updates)[-1]
            agreed = None if views is None else agreement(local, views, self.refine.frames)
        return Glance(center, radius, local, views, agreed)

    def look_again(
        self, look: Glance, levels: list[Grid], images: Images, refine_updates: int | None = None
    ) -> Glance:
        """Look where close-ups show an anatomy, if its particles are elsewhere; keep the better."""
        if look.views is None or look.agreement is None:
            return look
        doubtful = is_doubtful(look.agreement)
        if not doubtful.any():
            return look
        boxes = shown_boxes(look.views, look.center, look.radius, doubtful)
        again = self.look(levels, images, *boxes, refine_updates)
        if again.agreement is None:
            raise RuntimeError("a first look had close-ups, the second has none")
        better = doubtful & clearly_better(again.agreement, look.agreement)
        return Glance(
            torch.where(better[..., None], again.center, look.center),
            torch.where(better[..., None], again.radius, look.radius),
            torch.where(better[..., None, None], again.local, look.local),
            again.views,
            torch.where(better, again.agreement, look.agreement),
        )

    def views(self, images: Images, center: Float[Tensor, "B K 3"]) -> list[View] | None:
        """Return the close-ups around boxes; None if the network takes none."""
        return None if self.close_up is None else self.close_up(images, center)


def box_of(
    local: Float[Tensor, "B K M 3"],
) -> tuple[Float[Tensor, "B K 3"], Float[Tensor, "B K 3"]]:
    """Return middle and half extents of the tightest boxes around particles."""
    low, high = local.amin(dim=2), local.amax(dim=2)
    return (low + high) / 2, (high - low) / 2
