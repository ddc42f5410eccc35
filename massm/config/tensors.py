"""Config of the stage that exports what a network sees."""

from pydantic import Field, PositiveFloat, PositiveInt

from massm.config._section import Section


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


class TensorsConfig(ExportConfig):
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
