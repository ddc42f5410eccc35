"""Config of the ``groom`` stages."""

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from massm.config._section import Section


class SurfaceConfig(Section):
    """From a mask or mesh to a clean closed surface."""

    spacing_mm: PositiveFloat = Field(description="Isotropic voxel size of the resampled mask, mm.")
    antialias_iterations: int = Field(
        ge=0, description="Passes that put every voxel center back on its side of the surface."
    )
    handle_mm: NonNegativeFloat = Field(
        description="Widest hole through an anatomy that is filled and widest bridge across a gap "
        "that is cut, mm; 0 leaves all handles."
    )
    smoothing_voxels: NonNegativeFloat = Field(
        description="Waves of the surface that are shorter than so many voxels of the mask (along "
        "its coarsest axis) are removed: the steps that voxels leave; 0 leaves them."
    )
    faces: int = Field(ge=100, description="Triangle count after remeshing.")
    hole_mm: NonNegativeFloat = Field(
        description="Widest hole that is closed in a mesh, mm: twice the mean distance of its "
        "border from its middle; meshes with wider ones are refused."
    )


class AlignmentConfig(Section):
    """Rigid alignment of one anatomy's surfaces to a reference."""

    reflect: tuple[str, ...] = Field(
        description="Anatomies that are mirrored across the sagittal plane before alignment."
    )
    reference_candidates: PositiveInt = Field(
        description="Training subjects that compete for the reference."
    )
    points: int = Field(ge=50, description="Points of each surface that take part.")
    iterations: int = Field(ge=0, description="Most passes; 0 centers only.")
    tolerance_mm: PositiveFloat = Field(
        description="Movement of the surface in one pass at which alignment stops, mm."
    )
    trim: float = Field(ge=0, lt=0.5, description="Fraction of the farthest pairs left out.")
    max_rotation_deg: float = Field(
        ge=0, le=90, description="Largest turn away from the scanner's axes, degrees."
    )

    def of(self, *anatomies: str) -> "AlignmentConfig":
        """Return what concerns some anatomies: another one's mirroring does not."""
        mirrored = tuple(name for name in anatomies if name in self.reflect)
        return self.model_copy(update={"reflect": mirrored})


class GroomConfig(Section):
    """Grooming: surfaces and their alignment."""

    surface: SurfaceConfig
    alignment: AlignmentConfig
