"""Config section of the ``report`` stage."""

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from massm.config._section import Section


class ReportConfig(Section):
    """What the HTML page shows."""

    title: str = Field(min_length=1, description="Heading of the page.")
    mesh_faces: int = Field(ge=200, description="Triangles of a mesh in the page.")
    modes: PositiveInt = Field(description="Shape modes with a slider, at most.")
    mode_range_sd: PositiveFloat = Field(
        description="Ends of the sliders, standard deviations of the mode."
    )
    window_hu: tuple[float, float] = Field(
        description="Hounsfield units shown as black and as white in slice views."
    )
    slices: PositiveInt = Field(description="Axial slices in the view to scroll through.")
    figure_dpi: PositiveInt = Field(description="Resolution of the PNG figures, dots per inch.")

    @model_validator(mode="after")
    def _window_opens(self) -> "ReportConfig":
        low, high = self.window_hu
        if low >= high:
            raise ValueError(f"window_hu must rise, found {low:g} to {high:g}")
        return self
