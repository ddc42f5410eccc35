"""Config of the ``template`` stage."""

from pydantic import Field, PositiveFloat

from massm.config._section import Section


class TemplateConfig(Section):
    """The medoid: the training subject nearest to the average shape."""

    spacing_mm: PositiveFloat = Field(
        description="Grid spacing of the average signed distance, mm."
    )
