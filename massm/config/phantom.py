"""Section ``phantom``: the synthetic cohort of the demonstration and the tests."""

from typing import Annotated, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from massm.config._section import MadePath, Section

Share = Annotated[float, Field(ge=0, le=1)]
Removable = Literal["spleen", "lung_upper_lobe_left", "lung_upper_lobe_right"]
Phase = Literal["native", "arterial", "venous"]


class PhantomConfig(Section):
    """A cohort of synthetic chest CTs whose true correspondence is known."""

    root: MadePath = Field(description="Folder that the cohort is written to.")
    subjects: PositiveInt = Field(description="Number of subjects.")
    seed: NonNegativeInt = Field(description="Draws every subject; same seed, same cohort.")
    spacing_mm: tuple[PositiveFloat, PositiveFloat] = Field(
        description="Range that each subject's in-plane voxel size is drawn from, mm."
    )
    slice_mm: tuple[PositiveFloat, PositiveFloat] = Field(
        description="Range that each subject's slice distance is drawn from, mm."
    )
    surface_points: int = Field(
        ge=200, description="Aimed number of corresponding points of a true surface."
    )
    shape_spread: NonNegativeFloat = Field(
        le=1.2, description="Scales all shape modes; at 1 anatomies vary as in adults."
    )
    rotation_degrees: NonNegativeFloat = Field(
        le=20, description="Standard deviation of the body's rotation about each axis, degrees."
    )
    translation_mm: NonNegativeFloat = Field(
        description="Standard deviation of the body's place along each axis, mm."
    )
    scale_spread: NonNegativeFloat = Field(
        le=0.15, description="Standard deviation of the body's log size."
    )
    noise_hu: NonNegativeFloat = Field(
        description="Mean standard deviation of the image noise, HU."
    )
    blur_mm: NonNegativeFloat = Field(
        description="Standard deviation of the scanner's point spread, mm."
    )
    phases: dict[Phase, Share] = Field(
        min_length=1, description="Shares of the contrast phases; they sum to 1."
    )
    cut_fraction: Share = Field(
        description="Share of subjects whose field of view ends early, so that anatomies are cut."
    )
    absent: dict[Removable, Share] = Field(
        description="Share of subjects that an anatomy was removed from."
    )

    @model_validator(mode="after")
    def _values_fit_together(self) -> "PhantomConfig":
        for name in ("spacing_mm", "slice_mm"):
            low, high = getattr(self, name)
            if low > high or low < 0.5 or high > 10:
                raise ValueError(f"{name} must be [low, high] within 0.5 and 10, not {low}, {high}")
        total = sum(self.phases.values())
        if abs(total - 1) > 1e-6:
            raise ValueError(f"phases must sum to 1, not {total:g}")
        return self
