"""Config of training, the same for every model: schedule, augmentation, machine.

What a model is trained for, its objective, stands in the model's own section.
"""

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


class AugmentConfig(Section):
    """Random changes of a training subject, the same for image, box and particles."""

    probability: float = Field(
        ge=0, le=1, description="Chance that a subject is changed otherwise than by a mirror."
    )
    rotation_deg: NonNegativeFloat = Field(description="Largest rotation about each axis, degrees.")
    translation_mm: NonNegativeFloat = Field(description="Largest shift along each axis, mm.")
    scale: float = Field(ge=0, lt=1, description="Largest change of size, fraction.")
    shape_draw: Literal["gaussian", "kde"] = Field(
        description="Deformations are drawn around each subject with the same spread for every "
        "anatomy, or with the bandwidth of a kernel density of the training scores."
    )
    shape_std: NonNegativeFloat = Field(
        description="Spread of shape-model deformations, standard deviations of the modes; with "
        "kde a factor on the bandwidth."
    )
    shape_modes: NonNegativeInt = Field(description="Leading modes they are drawn from.")
    falloff_mm: PositiveFloat = Field(description="How far a deformation reaches, mm.")
    lattice_mm: PositiveFloat = Field(description="Grid on which deformations are stored, mm.")
    mirror_probability: float = Field(
        ge=0,
        le=1,
        description="Chance that a subject is seen in a mirror, its left anatomies as the right "
        "ones of another (`tensors.mirror_pairs`). For bodies alike on both sides: not for a liver "
        "or a heart.",
    )
    crop_probability: float = Field(
        ge=0, le=1, description="Chance that the field of view is cut to a random box."
    )
    crop_margin_mm: NonNegativeFloat = Field(
        description="What is left around the anatomies at least, mm."
    )
    cut_probability: float = Field(
        ge=0, le=1, description="Chance that such a box ends amid the anatomies, on one side."
    )
    hu_shift: NonNegativeFloat = Field(description="Largest shift of all values, HU.")
    hu_scale: float = Field(ge=0, lt=1, description="Largest change of contrast, fraction.")
    gamma: float = Field(ge=0, lt=1, description="Largest change of the exponent of the window.")
    noise_hu: NonNegativeFloat = Field(description="Largest standard deviation of noise, HU.")


class TrainConfig(Section):
    """From tensors to a trained model."""

    execution_only: ClassVar[frozenset[str]] = frozenset({"accelerator", "threads", "workers"})

    epochs: PositiveInt = Field(description="Passes over the training split.")
    batch_size: PositiveInt = Field(description="Subjects per step.")
    learning_rate: PositiveFloat = Field(description="Adam's first learning rate.")
    decay: float = Field(gt=0, le=1, description="Factor on it every decay_every epochs.")
    decay_every: PositiveInt = Field(description="Epochs between two decays.")
    weight_decay: NonNegativeFloat = Field(description="Decoupled weight decay (AdamW); 0: Adam.")
    gradient_clip: NonNegativeFloat = Field(description="Largest gradient norm; 0: not clipped.")
    validate_every: PositiveInt = Field(description="Epochs between two validations.")
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
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"] = Field(
        description="Number format (Lightning's names); auto: bf16-mixed where the hardware "
        "multiplies bfloat16 itself, else 32-true."
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
            raise ValueError("16-mixed needs train.accelerator: gpu; on a CPU take auto")
        return precision
