"""Config of the PCA projection: the best that some modes of the shape model can do."""

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field, PositiveInt

from massm.config.models.family import FamilyConfig, FamilyFacts, Given
from massm.config.tensors import TensorsConfig


class PcaOracleConfig(FamilyConfig):
    """The true particles, projected on the leading modes of the shape model."""

    family: Literal["pca_oracle"] = Field(description="Entry of massm.models.families.FAMILIES.")
    modes: PositiveInt | str | None = Field(
        union_mode="left_to_right",  # from the command line a number comes as a text
        description="PCA modes to project on: a number, or the name of a model (as many as its "
        "local particles are made of; all if it predicts them directly); null: all.",
    )

    @property
    def facts(self) -> FamilyFacts:
        """See :class:`massm.config.models.family.FamilyFacts`."""
        gives: frozenset[Given] = frozenset({"boxes", "local", "world"})
        return FamilyFacts(reads="truth", gives=gives, role="upper bound")

    def resolved(self, models: Mapping[str, FamilyConfig]) -> "PcaOracleConfig":
        """Put the number of modes in the place of a model's name."""
        if not isinstance(self.modes, str):
            return self
        return self.model_copy(update={"modes": models[self.modes].shape_modes})

    def faults(
        self, models: Mapping[str, FamilyConfig], tensors: TensorsConfig
    ) -> Iterator[tuple[str, str]]:
        """Say which keys contradict other sections, and why."""
        yield from super().faults(models, tensors)
        if isinstance(self.modes, str) and self.modes not in models:
            yield "modes", f"{self.modes} is not among models, found [{', '.join(models)}]"
