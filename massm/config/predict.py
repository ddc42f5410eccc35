"""Config of prediction."""

from typing import ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from massm.config._section import Section, Splits


class PredictedConfig(Section):
    """What all predictions share."""

    splits: Splits = Field(description="Which subjects are predicted.")


class NetworkPredictionConfig(PredictedConfig):
    """How a trained network predicts."""

    indifferent: ClassVar[frozenset[str]] = frozenset({"batch_size", "accelerator", "threads"})

    batch_size: PositiveInt = Field(
        description="Subjects that are read at a time; each is predicted on its own, so that no "
        "result depends on this."
    )
    box_updates: NonNegativeInt = Field(
        description="How often the box is taken anew around the particles found in it, and these "
        "are found again; 0: the detector's box stays."
    )
    accelerator: Literal["cpu", "gpu"] = Field(description="What it runs on; missing: error.")
    threads: NonNegativeInt = Field(description="CPU threads of torch; 0: as many as cores.")


class OracleConfig(PredictedConfig):
    """How the shape model's best is found."""

    oracle_modes: PositiveInt = Field(
        description="PCA modes of pca_oracle, the best that the shape model could do."
    )


class PredictConfig(OracleConfig, NetworkPredictionConfig):
    """From a trained model and images to particles."""
