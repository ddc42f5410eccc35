"""Config of training: schedule, losses, augmentation, machine."""

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


class RampConfig(Section):
    """A value that changes with the epoch: ``first``, then by ``step`` each epoch to ``last``."""

    first: float = Field(description="Value before from_epoch.")
    from_epoch: NonNegativeInt = Field(description="Epoch, counted from 0, of the first step.")
    step: float = Field(description="Change per epoch.")
    last: float = Field(description="Value at which it stays.")


class WeightsConfig(Section):
    """Weights of the objective's terms by epoch; the paper's lambdas."""

    heatmap: RampConfig
    radius: RampConfig
    offset: RampConfig
    local: RampConfig
    world: RampConfig
    refine: RampConfig


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


class AugmentConfig(Section):
    """Random changes of a training subject, the same for image, box and particles."""

    probability: float = Field(ge=0, le=1, description="Chance that a subject is changed at all.")
    rotation_deg: NonNegativeFloat = Field(description="Largest rotation about each axis, degrees.")
    translation_mm: NonNegativeFloat = Field(description="Largest shift along each axis, mm.")
    scale: float = Field(ge=0, lt=1, description="Largest change of size, fraction.")
    shape_std: NonNegativeFloat = Field(
        description="Spread of shape-model deformations, standard deviations of the modes."
    )
    shape_modes: NonNegativeInt = Field(description="Leading modes they are drawn from.")
    falloff_mm: PositiveFloat = Field(description="How far a deformation reaches, mm.")
    lattice_mm: PositiveFloat = Field(description="Grid on which deformations are stored, mm.")
    hu_shift: NonNegativeFloat = Field(description="Largest shift of all values, HU.")
    hu_scale: float = Field(ge=0, lt=1, description="Largest change of contrast, fraction.")
    gamma: float = Field(ge=0, lt=1, description="Largest change of the exponent of the window.")
    noise_hu: NonNegativeFloat = Field(description="Largest standard deviation of noise, HU.")


class TrainConfig(Section):
    """From tensors to a trained model."""

    execution_only: ClassVar[frozenset[str]] = frozenset(
        {"accelerator", "devices", "threads", "workers"}
    )

    epochs: PositiveInt = Field(description="Passes over the training split.")
    batch_size: PositiveInt = Field(description="Subjects per step.")
    learning_rate: PositiveFloat = Field(description="Adam's first learning rate.")
    decay: float = Field(gt=0, le=1, description="Factor on it every decay_every epochs.")
    decay_every: PositiveInt = Field(description="Epochs between two decays.")
    weight_decay: NonNegativeFloat = Field(description="Decoupled weight decay (AdamW); 0: Adam.")
    gradient_clip: NonNegativeFloat = Field(description="Largest gradient norm; 0: not clipped.")
    validate_every: PositiveInt = Field(description="Epochs between two validations.")
    weights: WeightsConfig
    loss: LossConfig
    teacher: TeacherConfig
    augment: AugmentConfig
    select: Literal["last", "best"] = Field(
        description="Weights to keep: last epoch, or least validation particle error."
    )
    threshold_fraction: float = Field(
        gt=0,
        lt=1,
        description="Presence threshold without an absent example: this times the lowest score.",
    )
    seed: NonNegativeInt = Field(description="Seed of all randomness in training.")
    accelerator: Literal["cpu", "gpu"] = Field(description="What it runs on; missing: error.")
    devices: PositiveInt = Field(
        description="How many of them; each takes batch_size subjects a step."
    )
    threads: NonNegativeInt = Field(description="CPU threads of torch; 0: as many as cores.")
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = Field(
        description="Number format (Lightning's names)."
    )
    workers: NonNegativeInt = Field(description="Processes that load data; 0: the main one.")

    @field_validator("select")
    @classmethod
    def _validates_what_it_selects(cls, select: str, above: FieldsAbove) -> str:
        epochs, every = above.data.get("epochs"), above.data.get("validate_every")
        if select == "best" and epochs is not None and every is not None and every > epochs:
            raise ValueError(
                f"best needs a validation, but train.validate_every = {every} is more than "
                f"train.epochs = {epochs}"
            )
        return select

    @field_validator("precision")
    @classmethod
    def _runs_on_the_accelerator(cls, precision: str, above: FieldsAbove) -> str:
        if precision == "16-mixed" and above.data.get("accelerator") == "cpu":
            raise ValueError("16-mixed needs train.accelerator: gpu; on a CPU take 32-true")
        return precision
