"""Config of MASSM: the network from the image to world particles, and what it is trained for."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
)

from massm.config._section import FieldsAbove, Section
from massm.config.models.family import FamilyConfig, FamilyFacts, NetworkConfig
from massm.config.ramp import RampConfig
from massm.config.tensors import TensorsConfig

Widths = tuple[PositiveInt, ...]


def _groups(width: int) -> int:
    """Return the groups that so many channels are normalized in: at most 8, of two at least."""
    return max(1, min(8, width // 2))


def _falls_into_groups(width: int) -> bool:
    return width >= 2 and width % _groups(width) == 0


class BackboneConfig(Section):
    """3D ResNet and feature pyramid."""

    name: Literal["resnet10", "resnet18", "resnet34", "resnet50", "resnet101"] = Field(
        description="Residual network (He et al. 2016), in 3D."
    )
    width: PositiveInt = Field(description="Channels of its first stage; 64 in He et al.")
    norm: Literal["batch", "instance", "group"] = Field(
        description="Normalization; group suits batches of one or two volumes."
    )
    output_stride: Literal[2, 4] = Field(
        description="Network voxels per cell of the finest feature map and of the heat map."
    )
    levels: int = Field(ge=1, le=4, description="Levels of the feature pyramid.")
    channels: PositiveInt = Field(description="Channels of each level.")

    @field_validator("norm")
    @classmethod
    def _channels_fall_into_groups(cls, norm: str, above: FieldsAbove) -> str:
        width = above.data.get("width")
        if norm == "group" and width is not None and not _falls_into_groups(width):
            raise ValueError(
                f"group cuts width = {width} channels into {_groups(width)} groups, "
                "which must be equal and of two channels at least"
            )
        return norm


class DetectionConfig(Section):
    """Heat map, radius map and offset map."""

    channels: PositiveInt = Field(description="Channels of the convolution before each map.")
    class_wise: bool = Field(
        description="Each anatomy has its own radius and offset maps; false: all share them."
    )
    sigma: PositiveFloat = Field(
        description="Standard deviation of a target bump, fraction of the box radius."
    )
    min_sigma_cells: PositiveFloat = Field(description="Its lower limit, cells.")
    reach_cells: NonNegativeInt = Field(
        description="Radius and offset are trained this many cells around the center too; 0: no."
    )


class RoiConfig(Section):
    """Features of a box."""

    size: PositiveInt = Field(description="Cells per axis that a box is pooled to.")
    channels: PositiveInt = Field(description="Channels of each level after reduction.")
    pooling: Literal["flatten", "average"] = Field(
        description="Keep the pooled cells' positions, or average over them."
    )
    margin: PositiveFloat = Field(description="Factor on the box radius, for context.")
    native_size: int = Field(
        ge=0,
        multiple_of=4,
        description="CT samples per axis inside the box as finest level, a multiple of 4; 0: off.",
    )
    native_channels: PositiveInt = Field(description="Channels of the first layer on them.")

    @field_validator("native_channels")
    @classmethod
    def _native_channels_fall_into_groups(cls, channels: int) -> int:
        if channels % min(4, channels):
            raise ValueError("above 4, a multiple of 4 is needed: they are normalized in 4 groups")
        return channels


class LocalConfig(Section):
    """From ROI features to local particles."""

    hidden: Widths = Field(description="Widths of the hidden layers.")
    dropout: float = Field(ge=0, lt=1, description="Chance to drop a hidden value in training.")
    class_wise: bool = Field(description="Each anatomy has its own last layer.")
    basis_modes: NonNegativeInt = Field(
        description="Predict scores of this many PCA modes that start the last layer; 0: particles."
    )
    train_basis: bool = Field(description="Whether those modes are learned further.")


class RefineConfig(Section):
    """Move particles by what the CT shows around each of them; not in the paper."""

    steps: NonNegativeInt = Field(description="How often particles are moved; 0: off.")
    reach_mm: PositiveFloat = Field(description="CT is read this far inward and outward, mm.")
    samples: PositiveInt = Field(description="CT samples along the normal.")
    side_mm: PositiveFloat = Field(description="Distance of the four parallel profiles, mm.")
    hidden: PositiveInt = Field(description="Width of the hidden layers.")
    embedding: PositiveInt = Field(description="Learned values that tell particles apart.")
    mixing: NonNegativeInt = Field(description="Rounds of averaging with neighboring particles.")
    neighbors: int = Field(ge=3, description="Neighbors of a particle on the template.")
    starts: PositiveInt = Field(description="Perturbed starts per subject and training step.")
    start_modes: NonNegativeFloat = Field(
        description="Spread of a start around the truth, standard deviations of the shape model."
    )
    start_shift_mm: NonNegativeFloat = Field(description="And its random shift, mm.")


class CloseUpConfig(Section):
    """A small U-Net around every box, whose voxels refinement reads; not in the paper."""

    widths: Widths = Field(description="Channels of each level, from fine to coarse; []: off.")
    spacing_mm: PositiveFloat = Field(
        description="Voxel size that the finest image is read at, mm."
    )
    margin: PositiveFloat = Field(description="Factor on the mean box of the training shapes.")
    context_mm: NonNegativeFloat = Field(description="And what is seen beyond it, mm.")
    dropout: float = Field(
        ge=0, lt=1, description="Chance to drop a channel of the coarsest level in training."
    )

    @field_validator("widths")
    @classmethod
    def _channels_fall_into_groups(cls, widths: Widths) -> Widths:
        for width in widths:
            if not _falls_into_groups(width):
                raise ValueError(
                    f"{width} channels do not fall into {_groups(width)} equal groups "
                    "of two at least, which normalization takes"
                )
        return widths


class WorldConfig(Section):
    """From local to world particles."""

    head: Literal["cvae", "procrustes"] = Field(
        description="Which prediction enters the loss: learned, or rigid alignment."
    )
    latent: PositiveInt = Field(description="Length of the latent vector.")
    hidden: Widths = Field(description="Widths of the network from particles to latent vector.")
    decoder_hidden: Widths = Field(description="Widths of the variational autoencoder's layers.")
    pretrain_steps: PositiveInt = Field(description="Steps of its training before all else.")
    pretrain_batch: PositiveInt = Field(description="Shapes per step.")
    pretrain_rate: PositiveFloat = Field(description="Its Adam learning rate.")
    kl_weight: NonNegativeFloat = Field(description="Weight of its Kullback-Leibler term.")
    pretrain_spread: NonNegativeFloat = Field(
        description="Shape-model deformations added to its shapes, standard deviations; 0: none."
    )
    encoder_steps: NonNegativeInt = Field(
        description="Steps of the encoder's own start, on shapes in other subjects' poses; 0: none."
    )
    shrinkage: bool = Field(
        description="A third head: aligned particles, drawn to the mean by the factor that is best "
        "on the validation split."
    )


class WeightsConfig(Section):
    """Weights of the objective's terms by epoch; the paper's lambdas."""

    heatmap: RampConfig
    radius: RampConfig
    offset: RampConfig
    local: RampConfig
    world: RampConfig
    refine: RampConfig
    segment: RampConfig


class LossConfig(Section):
    """Shapes and units of the loss terms."""

    shrinkage: Literal["coordinate", "vector"] = Field(
        description="What the shrinkage loss takes the size of: each coordinate of an error, or "
        "the error's length."
    )
    offset_unit: Literal["cells", "voxels", "mm"] = Field(
        description="Unit of offset errors: cells of the output stride, network voxels, or mm."
    )

    focal_alpha: NonNegativeFloat = Field(description="Focus of the heat-map loss on hard cells.")
    focal_beta: NonNegativeFloat = Field(description="Its forgiveness next to a center.")
    shrinkage_a: PositiveFloat = Field(description="How fast the shrinkage loss lets go.")
    shrinkage_c: PositiveFloat = Field(description="Where it lets go, in units of the error.")
    particle_unit_mm: PositiveFloat = Field(
        description="One unit of local particle error in the shrinkage loss, mm."
    )
    world_unit_mm: PositiveFloat = Field(
        description="And of world particle error, which has no error of place in it."
    )


class TeacherConfig(Section):
    """Truth in place of predictions while these are still bad."""

    probability: RampConfig
    missed_boxes: Literal["replace", "keep", "skip"] = Field(
        description="A predicted box whose middle is not in the true one: the true one stands in "
        "for it whatever the probability, it stays, or its anatomy trains no head in that step."
    )
    jitter_center_mm: NonNegativeFloat = Field(
        description="Standard deviation of noise on true box centers, mm."
    )
    jitter_radius: NonNegativeFloat = Field(
        description="Standard deviation of noise on true box radii, fraction."
    )


class ObjectiveConfig(Section):
    """What MASSM is trained for."""

    weights: WeightsConfig
    loss: LossConfig
    teacher: TeacherConfig


class MassmConfig(NetworkConfig):
    """MASSM: every anatomy found in a CT, its particles in the image and in the world frame."""

    at_prediction: ClassVar[frozenset[str]] = frozenset(
        {"second_looks", "box_updates", "refine_updates"}
    )

    family: Literal["massm"] = Field(description="Entry of massm.models.families.FAMILIES.")
    second_looks: NonNegativeInt = Field(
        description="How often, in prediction, an anatomy is looked for again in the box that its "
        "close-up shows, if particles and close-up disagree; what agrees better stays. 0: not."
    )
    box_updates: NonNegativeInt = Field(
        description="How often, in prediction, the box is taken anew around the particles found in "
        "it, and these are found again; 0: the detector's box stays."
    )
    refine_updates: NonNegativeInt | None = Field(
        description="How often, in prediction, refine moves the particles, in every box; null: "
        "refine.steps times, as in training; 0: not at all."
    )
    backbone: BackboneConfig
    detection: DetectionConfig
    roi: RoiConfig
    local: LocalConfig
    refine: RefineConfig
    close_up: CloseUpConfig
    world: WorldConfig
    objective: ObjectiveConfig

    @property
    def facts(self) -> FamilyFacts:
        """See :class:`massm.config.models.family.FamilyFacts`."""
        return FamilyFacts(
            reads="scan",
            gives=frozenset({"boxes", "local", "world"}),
            trains_on="labels" if self.close_up.widths else "shapes",
        )

    @property
    def shape_modes(self) -> int | None:
        """How many PCA modes its local particles are made of; None: they are predicted directly."""
        return self.local.basis_modes or None

    @property
    def scored_world(self) -> str:
        """The world head whose particles are compared with training: the one that was trained."""
        return self.world.head

    def faults(
        self, models: Mapping[str, FamilyConfig], tensors: TensorsConfig
    ) -> Iterator[tuple[str, str]]:
        """Say which keys contradict other sections, and why."""
        yield from super().faults(models, tensors)
        modes = self.local.basis_modes
        if modes > tensors.modes:
            yield (
                "local.basis_modes",
                f"of tensors.modes = {tensors.modes} stored modes, found {modes}",
            )
        if self.close_up.widths and not self.refine.steps:
            yield "close_up.widths", "refine.steps = 0: nothing would read what it shows"
        if self.second_looks and not self.close_up.widths:
            yield "second_looks", f"no close-up shows where, found {self.second_looks}"
        moves = self.refine_updates
        if moves is not None and not self.refine.steps:
            yield "refine_updates", f"refine.steps = 0: nothing can be left out, found {moves}"
        elif moves is not None and moves > self.refine.steps:
            yield (
                "refine_updates",
                f"of refine.steps = {self.refine.steps} trained moves, found {moves}",
            )
