"""Config of the stage that exports what a network sees."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from massm.config._section import FieldsAbove, Section
from massm.config.names import Anatomy


class ContrastConfig(Section):
    """Curve ``asinh((HU - center) / width)``: steep at the center, logarithmic far from it."""

    center_hu: float = Field(description="Where contrast is greatest, HU.")
    width_hu: PositiveFloat = Field(description="How far it stays about linear, HU.")


class ExportConfig(Section):
    """From image and particles to the arrays of one subject."""

    spacing_mm: PositiveFloat = Field(description="Voxel size of the isotropic network grid, mm.")
    fine_spacing_mm: PositiveFloat | None = Field(
        description="Voxel size of a second, finer image that heads may sample, mm; null: none."
    )
    padding_hu: float = Field(
        ge=-1024, le=3071, description="Value of what lies outside the scan, HU."
    )
    crop_air_hu: float | None = Field(
        description="Crop to the box of voxels above this value, HU; null: keep the whole scan."
    )
    crop_margin_mm: float = Field(ge=0, description="Kept around the cropped box, mm.")

    @field_validator("fine_spacing_mm")
    @classmethod
    def _is_finer(cls, fine: float | None, above: FieldsAbove) -> float | None:
        spacing = above.data.get("spacing_mm")
        if fine is not None and spacing is not None and fine >= spacing:
            raise ValueError(f"the finer image needs a spacing below spacing_mm = {spacing:g}")
        return fine

    @property
    def finest_spacing_mm(self) -> float:
        """Voxel size of the finest image there is, mm."""
        return self.fine_spacing_mm or self.spacing_mm


class MirrorConfig(Section):
    """What a subject's anatomies are called in a mirror."""

    mirror_pairs: dict[Anatomy, Anatomy] = Field(
        description="{LeftParotid: RightParotid}: in a mirror one is the other; what is not named "
        "stays what it is; null takes a pair out. Read where `train.augment.mirror_probability` is "
        "above 0."
    )

    @field_validator("mirror_pairs", mode="before")
    @classmethod
    def _null_takes_a_pair_out(cls, pairs: Any) -> Any:
        if not isinstance(pairs, Mapping):
            return pairs
        return {one: other for one, other in pairs.items() if other is not None}

    @field_validator("mirror_pairs")
    @classmethod
    def _are_pairs(cls, pairs: dict[str, str]) -> dict[str, str]:
        names = [*pairs, *pairs.values()]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"an anatomy is in one pair at most, found twice: {', '.join(twice)}")
        return pairs


class TensorsConfig(ExportConfig, MirrorConfig):
    """What a network sees: the arrays of every subject, and statistics of the training split."""

    intensity_percentiles: tuple[float, float] = Field(
        description="Percentiles of the training split's voxels between which HU are clipped, %."
    )
    contrast: ContrastConfig | None = Field(
        description="Spread the values of soft tissue before normalization; null: linear."
    )
    modes: PositiveInt = Field(
        description="Most PCA modes of the training particles stored with the template."
    )

    @field_validator("intensity_percentiles")
    @classmethod
    def _percentiles_rise(cls, percentiles: tuple[float, float]) -> tuple[float, float]:
        low, high = percentiles
        if not 0 <= low < high <= 100:
            raise ValueError("percentiles must rise and lie within 0 and 100")
        return percentiles
