"""What the models of a run are called, and in which order they come."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import Field

from massm.config._section import Section
from massm.config.models.family import FamilyConfig

NamesT = TypeVar("NamesT", bound="ModelNames")


class ModelNames(Section):
    """What models are called, and their order, as the entries of the configuration say it."""

    labels: dict[str, str] = Field(description="Names for people; others are written out.")
    bounds: tuple[str, ...] = Field(description="Models that are no rivals.")
    knowing: tuple[str, ...] = Field(
        description="Those that know of the truth what no model can, so that they are not best."
    )
    order: tuple[str, ...] = Field(description="All of them, as tables and figures have them.")
    variants: tuple[str, ...] = Field(
        (),
        description="Those that predict by another's weights, so that they are less than rivals.",
    )

    @classmethod
    def of(
        cls: type[NamesT],
        models: Mapping[str, FamilyConfig],
        reference_model: str,
        variants: tuple[str, ...] = (),
    ) -> NamesT:
        """Call models as their entries do (``Config.entries``, since a variant has no role itself).

        The reference model comes first, then lower bounds, rivals, and what knows of the truth.
        """
        roles = {name: entry.facts.role for name, entry in models.items()}
        lower = [name for name in models if roles[name] == "lower bound"]
        knowing = [name for name in models if roles[name] == "upper bound"]
        rivals = [name for name in models if roles[name] == "rival"]
        return cls(
            labels={name: entry.label for name, entry in models.items() if entry.label},
            bounds=(*lower, *knowing),
            knowing=tuple(knowing),
            order=tuple(dict.fromkeys([reference_model, *lower, *rivals, *knowing])),
            variants=variants,
        )
