"""MASSM's network on one screen: pyramid, detection, local particles, world particles.

Ukey, Kataria, Elhabian, "MASSM: An End-to-End Deep Learning Framework for Multi-Anatomy
Statistical Shape Modeling Directly From Images", arXiv:2403.11008.
"""

from jaxtyping import Float
from torch import Tensor, nn

from massm.config.models.massm import MassmConfig
from massm.models.blocks.fpn3d import Pyramid3d
from massm.models.interface import Boxes, Prediction, single_precision
from massm.models.massm.close_up import CloseUp, View
from massm.models.massm.detection import DetectionHead, DetectionMaps, decode
from massm.models.massm.local import LocalHead, RoiFeatures
from massm.models.massm.refine import RefineHead
from massm.models.massm.shrinkage import ShrinkageHead
from massm.models.massm.world import CvaeHead, ProcrustesHead
from massm.tensors.grid import Grid
from massm.tensors.images import Images
from massm.tensors.sample import Template


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

    def see(self, images: Images, box_updates: int, refine_updates: int | None) -> Prediction:
        """Predict, and look again in the boxes of the particles that were found.

        Args:
            images: What is looked at.
            box_updates: How often it looks again.
            refine_updates: How often particles are refined in each box, those that give the next
                box too; None: as in training.
        """
        levels = self.pyramid(images.image)
        maps = self.detect(levels)
        with single_precision(images):
            boxes = decode(maps)
            levels = [level.float() for level in levels]
            box = (boxes.center, boxes.radius)
            local = self.shapes(levels, images, *box, refine_updates)[-1]
            for _ in range(box_updates):
                local = self.shapes(levels, images, *box_of(local), refine_updates)[-1]
            if box_updates:
                boxes = Boxes(boxes.score, *box_of(local))
            world = {name: head(local) for name, head in self.worlds.items()}
            if self.shrinkage is not None:
                world["shrinkage"] = self.shrinkage(world["procrustes"])
        return Prediction(boxes=boxes, local=local, world=world)

    def detect(self, levels: list[Grid]) -> DetectionMaps:
        """Return the maps of the detector."""
        maps: DetectionMaps = self.detection(levels[0], self.config.backbone.output_stride)
        return maps

    def shapes(
        self,
        levels: list[Grid],
        images: Images,
        center: Float[Tensor, "B K 3"],
        radius: Float[Tensor, "B K 3"],
        refine_updates: int | None = None,
    ) -> list[Float[Tensor, "B K M 3"]]:
        """Return the particles found in boxes, and as every step of refinement moves them, mm."""
        local = self.local(self.roi(levels, images, center, radius), center, radius)
        if self.refine is None or refine_updates == 0:
            return [local]
        views = self.views(images, center)
        return [local, *self.refine(local, levels[:1], images, views, refine_updates)]

    def views(self, images: Images, center: Float[Tensor, "B K 3"]) -> list[View] | None:
        """Return the close-ups around boxes; None if the network takes none."""
        return None if self.close_up is None else self.close_up(images, center)


def box_of(
    local: Float[Tensor, "B K M 3"],
) -> tuple[Float[Tensor, "B K 3"], Float[Tensor, "B K 3"]]:
    """Return middle and half extents of the tightest boxes around particles."""
    low, high = local.amin(dim=2), local.amax(dim=2)
    return (low + high) / 2, (high - low) / 2
