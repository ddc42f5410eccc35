"""Section ``dataset``: where the cohort lies, what is checked, how it is split."""

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from massm.config._section import Section, UserPath


class SplitFractions(Section):
    """Shares of the subjects, drawn only where the data brings no split of its own."""

    train: float = Field(gt=0, le=1, description="Share of training subjects.")
    validation: float = Field(ge=0, lt=1, description="Share of validation subjects.")
    test: float = Field(ge=0, lt=1, description="Share of test subjects.")

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> "SplitFractions":
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"train, validation and test must sum to 1, not {total:g}")
        return self


class SurveyConfig(Section):
    """From a folder of scans to a table that says what is used and why the rest is not."""

    root: UserPath | None = Field(
        description="Folder of subjects (totalsegmentator) or the table's file (table)."
    )
    layout: Literal["totalsegmentator", "table"] = Field(
        description="totalsegmentator: sXXXX/ct.nii.gz, sXXXX/segmentations/<anatomy>.nii.gz; "
        "table: one row per subject and anatomy."
    )
    seed: NonNegativeInt = Field(description="Draws the split where the data brings none.")
    fractions: SplitFractions
    min_voxels: PositiveInt = Field(
        description="A mask that is not empty and has fewer voxels is unusable."
    )
    min_extent_mm: PositiveFloat = Field(
        description="A mesh whose longest side is shorter is in another unit than mm."
    )
    max_extent_mm: PositiveFloat = Field(
        description="A mesh whose longest side is longer is in another unit than mm."
    )
    piece_fraction: float = Field(
        gt=0,
        le=1,
        description="A mask or mesh is in several large pieces if the second has more than this "
        "share of the first; smaller pieces are debris that groom removes.",
    )
    allow_cut: bool = Field(
        description="Use anatomies that touch the image's border instead of excluding them."
    )
    outlier_z: PositiveFloat | None = Field(
        description="Exclude anatomies whose log volume lies this many robust standard deviations "
        "from the training median; null: never."
    )
    grid_tolerance_voxel: PositiveFloat = Field(
        description="Largest distance between matching corners of mask and CT, voxels."
    )
    shear_voxel: PositiveFloat = Field(
        description="Axes that are not at right angles are turned to the nearest if that moves no "
        "voxel's center farther, voxels."
    )
    void_fraction: float = Field(
        ge=0,
        le=1,
        description="A mask with a larger share in the constant fill around the scanned field is "
        "cut by it.",
    )
    air_hu: float = Field(
        description="An image whose lowest value lies above this holds no Hounsfield units, HU."
    )


class DatasetConfig(SurveyConfig):
    """Where the cohort lies, what is checked, how it is split, and what is too little."""

    min_train: PositiveInt = Field(
        description="Usable training subjects that every anatomy must have."
    )
