"""Config of prediction."""

from typing import ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from massm.config._section import Section, Splits
from massm.config.model import LocalConfig


class PredictedConfig(Section):
    """What all predictions share."""

    splits: Splits = Field(description="Which subjects are predicted.")


class NetworkPredictionConfig(PredictedConfig):
    """How a trained network predicts."""

    execution_only: ClassVar[frozenset[str]] = frozenset({"batch_size", "accelerator", "threads"})

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
    """On how many modes of the shape model true particles are projected."""

    oracle_modes: PositiveInt | None = Field(
        description="PCA modes that pca_oracle projects true particles on; null: as many as the "
        "network predicts (model.local.basis_modes), all where it predicts particles directly."
    )


def projected_modes(config: OracleConfig, local: LocalConfig) -> int | None:
    """Find the number of modes of ``pca_oracle``; None for all that the training shapes span.

    Args:
        config: What is asked for.
        local: The network's head of local particles.
    """
    return config.oracle_modes or local.basis_modes or None


class PredictConfig(OracleConfig, NetworkPredictionConfig):
    """From a trained model and images to particles."""
