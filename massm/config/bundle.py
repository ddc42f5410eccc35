"""Config section of the ``bundle`` stage."""

from typing import Literal

from pydantic import Field

from massm.config._section import Section


class DataConfig(Section):
    """What the model's card says of the data that it was trained on; null: it says nothing."""

    name: str | None = Field(description="What the data are called.")
    citation: str | None = Field(description="How they are cited.")
    license: str | None = Field(description="Under which license they are.")
    url: str | None = Field(description="Where they are to be found.")
    remark: str | None = Field(
        description="What else a reader of the measures must know, in whole sentences."
    )

    def given(self) -> dict[str, str]:
        """Return what is said."""
        return {name: text for name, text in self.model_dump().items() if text is not None}


class BundleConfig(Section):
    """What goes into the model folder."""

    template: Literal["medoid", "mean"] = Field(
        description="medoid: the shapes of single training subjects that the run used (templates, "
        "references); mean: mean shapes in their place, so that the folder holds nobody's. "
        "Predictions then differ a little from the run's (the card says by how much)."
    )
    precision: Literal["single", "half"] = Field(
        description="Of the stored learned weights; half makes their file half as large. Shapes in "
        "millimeters stay single."
    )
    fit: bool = Field(description="Whether what `massm fit` needs is part of the folder.")
    metrics: bool = Field(
        description="Whether the run's evaluation is part of it; false does not wait for that."
    )
    data: DataConfig
