"""Config of prediction."""

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from massm.config._section import Section


class PredictConfig(Section):
    """From a trained model and images to particles."""

    splits: tuple[Literal["train", "validation", "test"], ...] = Field(
        min_length=1, description="Which subjects are predicted."
    )
    batch_size: PositiveInt = Field(description="Subjects per step.")
    box_updates: NonNegativeInt = Field(
        description="How often the box is taken anew around the particles found in it, and these "
        "are found again; 0: the detector's box stays."
    )
    accelerator: Literal["cpu", "gpu"] = Field(description="What it runs on; missing: error.")
    threads: NonNegativeInt = Field(description="CPU threads of torch; 0: as many as cores.")
    oracle_modes: PositiveInt = Field(
        description="PCA modes of pca_oracle, the best that the shape model could do."
    )
