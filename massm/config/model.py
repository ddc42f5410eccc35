"""Config of the network: its parts, from the image to world particles."""

from typing import Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
)

from massm.config._section import FieldsAbove, Section

Widths = tuple[PositiveInt, ...]


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
        if norm == "group" and width is not None and (width < 2 or width % min(8, width // 2)):
            raise ValueError(
                f"group cuts width = {width} channels into {max(1, min(8, width // 2))} groups, "
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


class ModelConfig(Section):
    """MASSM."""

    name: Literal["massm"] = Field(description="Entry of massm.models.MODELS.")
    backbone: BackboneConfig
    detection: DetectionConfig
    roi: RoiConfig
    local: LocalConfig
    refine: RefineConfig
    world: WorldConfig
