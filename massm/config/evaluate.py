"""Config section of the ``evaluate`` stage."""

from pydantic import Field, PositiveFloat, PositiveInt

from massm.config._section import Section, Splits


class MeasuredConfig(Section):
    """What all measures share."""

    splits: Splits = Field(description="Splits whose predictions are measured.")


class SurfaceMeasuresConfig(MeasuredConfig):
    """How surfaces and particles are measured."""

    surface_samples: int = Field(
        ge=1000, description="Points spread over each surface, evenly by area."
    )
    surface_dice_mm: tuple[PositiveFloat, ...] = Field(
        description="Tolerances of the surface Dice, mm."
    )


class DetectionMeasuresConfig(MeasuredConfig):
    """How centers, boxes and presence are measured."""

    center_within_mm: tuple[PositiveFloat, ...] = Field(
        description="Distances within which a predicted center counts as right, mm."
    )


class ComparisonConfig(Section):
    """How measures are summed up and models compared."""

    reference_model: str = Field(
        description="Model that the paired tests compare with every other."
    )
    confidence: float = Field(gt=0.5, lt=1, description="Level of the confidence intervals.")
    bootstrap_samples: PositiveInt = Field(
        description="Resamples of the subjects; with fewer than 15 subjects Student's t is taken."
    )
    seed: int = Field(ge=0, description="Seed of the resampling.")


class EvaluateConfig(ComparisonConfig, DetectionMeasuresConfig, SurfaceMeasuresConfig):
    """How predictions are measured and compared."""
