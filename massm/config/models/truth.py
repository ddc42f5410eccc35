"""Config of the true particles: what no model can beat."""

from typing import Literal

from pydantic import Field

from massm.config.models.family import FamilyConfig, FamilyFacts, Given


class TruthConfig(FamilyConfig):
    """The true particles, through the same reconstruction and measures as all others."""

    family: Literal["truth"] = Field(description="Entry of massm.models.families.FAMILIES.")

    @property
    def facts(self) -> FamilyFacts:
        """See :class:`massm.config.models.family.FamilyFacts`."""
        gives: frozenset[Given] = frozenset({"boxes", "local", "world"})
        return FamilyFacts(reads="truth", gives=gives, role="upper bound")
