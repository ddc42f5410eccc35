"""Config section of the ``evaluate`` stage."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from massm.config._section import Section


class EvaluateConfig(Section):
    """How predictions are measured and compared."""

    splits: tuple[Literal["train", "validation", "test"], ...] = Field(
        min_length=1, description="Splits whose predictions are measured."
    )
    surface_samples: int = Field(
        ge=1000, description="Points spread over each surface, evenly by area."
    )
    surface_dice_mm: tuple[PositiveFloat, ...] = Field(
        description="Tolerances of the surface Dice, mm."
    )
    center_within_mm: tuple[PositiveFloat, ...] = Field(
        description="Distances within which a predicted center counts as right, mm."
    )
    reference_model: str = Field(
        min_length=1, description="Model that the paired tests compare with every other."
    )
    confidence: float = Field(gt=0.5, lt=1, description="Level of the confidence intervals.")
    bootstrap_samples: PositiveInt = Field(description="Resamples of the subjects.")
    seed: int = Field(ge=0, description="Seed of the resampling.")
