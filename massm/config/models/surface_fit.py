"""Config of fitted surfaces: particles for a model that has none, without a network."""

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field

from massm.config.models.family import FamilyConfig, FamilyFacts, Given
from massm.config.tensors import TensorsConfig


class SurfaceFitConfig(FamilyConfig):
    """The surfaces of another model, fitted into the frozen shape models as `massm fit` does.

    Gives particles to a model that has none. Not in the paper.
    """

    family: Literal["surface_fit"] = Field(description="Entry of massm.models.families.FAMILIES.")
    surfaces_of: str = Field(
        description="Model whose surfaces are fitted; it also says what is present, and how sure "
        "it is of that. What cannot be fitted is missed."
    )

    @property
    def facts(self) -> FamilyFacts:
        """See :class:`massm.config.models.family.FamilyFacts`."""
        gives: frozenset[Given] = frozenset({"boxes", "local", "world"})
        return FamilyFacts(reads="surfaces", gives=gives)

    @property
    def surfaces_from(self) -> str:
        """Name of the model whose surfaces it reads."""
        return self.surfaces_of

    def faults(
        self, models: Mapping[str, FamilyConfig], tensors: TensorsConfig
    ) -> Iterator[tuple[str, str]]:
        """Say which keys contradict other sections, and why."""
        yield from super().faults(models, tensors)
        source = self.surfaces_of
        if source not in models:
            yield "surfaces_of", f"{source} is not among models, found [{', '.join(models)}]"
        elif not models[source].facts.gives & {"local", "labels"}:
            yield (
                "surfaces_of",
                f"{source} has no surfaces in the image, it gives neither local nor labels",
            )
        elif models[source].facts.knows_truth:
            yield (
                "surfaces_of",
                f"{source} knows the truth, its fitted surfaces would stand among the rivals",
            )
