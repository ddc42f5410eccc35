"""Config section of the ``evaluate`` stage."""

from typing import Literal

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


ClaimedMeasure = Literal[
    "particle_rmse",
    "particle_euclidean",
    "surface_mean",
    "surface_p95",
    "surface_hausdorff",
    "surface_mean_particles",
    "surface_p95_particles",
    "dice",
]


class ClaimConfig(Section):
    """A claim that one model is better than others, to be tried on the subjects of the run."""

    says: str = Field(min_length=1, description="The claim in words, for the report.")
    model: str = Field(
        description="Entry of models that is said to be better; if the run has none of that name, "
        "the claim is left out, and said to be."
    )
    against: Literal["rivals"] | tuple[str, ...] = Field(
        description="Entries that it is said to be better than, as far as the run has them; "
        "rivals: than all that are no bounds."
    )
    frame: Literal["local", "world"] = Field(
        description="Measured in the image, or in the population's frame."
    )
    measures: tuple[ClaimedMeasure, ...] = Field(
        min_length=1, description="What it is said to be better in; each is tried by itself."
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
    claims: dict[str, ClaimConfig] = Field(
        description="Claims that the run is asked about, by a short name; {}: none."
    )


class EvaluateConfig(ComparisonConfig, DetectionMeasuresConfig, SurfaceMeasuresConfig):
    """How predictions are measured and compared."""
