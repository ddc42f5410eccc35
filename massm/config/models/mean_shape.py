"""Config of the mean shape: what every model should beat."""

from typing import Literal

from pydantic import Field

from massm.config.models.family import FamilyConfig, FamilyFacts, Given


class MeanShapeConfig(FamilyConfig):
    """The training split's mean shape, in its average pose, at the centers that a model found."""

    family: Literal["mean_shape"] = Field(description="Entry of massm.models.families.FAMILIES.")
    boxes_of: str = Field(description="Model whose box centers and presence it takes.")

    @property
    def facts(self) -> FamilyFacts:
        """See :class:`massm.config.models.family.FamilyFacts`."""
        gives: frozenset[Given] = frozenset({"boxes", "local", "world"})
        return FamilyFacts(reads="boxes", gives=gives, role="lower bound")

    @property
    def boxes_from(self) -> str:
        """Name of the model whose boxes it reads."""
        return self.boxes_of
