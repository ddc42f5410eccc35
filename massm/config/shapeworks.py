"""Config of the particle engine of ShapeWorks."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt

from massm.config._section import Section, UserPath, expand_home


class ShapeWorksConfig(Section):
    """How the program ``shapeworks optimize`` is run; names and meaning are its own."""

    program: Annotated[str, AfterValidator(expand_home)] = Field(
        description="The command: a name on PATH, or a path."
    )
    project: Literal["swproj", "xlsx"] = Field(
        description="Project file: swproj for versions from 6.4 on, xlsx for older ones, whose new "
        "subjects are fitted by parameter files."
    )
    keep: UserPath | None = Field(
        description="Folder that projects, meshes and particles stay in, to be opened in Studio; "
        "null: a temporary one."
    )
    iterations_per_split: PositiveInt = Field(description="Iterations after each split.")
    optimization_iterations: PositiveInt = Field(description="Iterations at the full count.")
    fixed_iterations: PositiveInt = Field(description="Iterations for a new subject.")
    initial_relative_weighting: PositiveFloat = Field(
        description="Weight of correspondence while particles are split."
    )
    relative_weighting: PositiveFloat = Field(description="Weight of correspondence at the end.")
    starting_regularization: PositiveFloat = Field(description="Regularization at first, mm^2.")
    ending_regularization: PositiveFloat = Field(description="Regularization at last, mm^2.")
    use_normals: bool = Field(
        description="Let normals take part in correspondence; with project swproj alone."
    )
    normals_strength: PositiveFloat = Field(description="Weight of normals against positions.")
    use_geodesic_distance: bool = Field(description="Measure particle distances along the surface.")
    procrustes_interval: int = Field(
        ge=0, description="Iterations between Procrustes alignments; 0: none."
    )
    multiscale_particles: int = Field(
        ge=0, description="Particles from which shape statistics are used; 0: at the end alone."
    )
    narrow_band: PositiveFloat = Field(description="Half width of the distance band, voxels.")
