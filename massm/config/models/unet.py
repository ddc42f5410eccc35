"""Config of the U-Net: every voxel's anatomy, in patches of the finest image."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator

from massm.config._section import FieldsAbove
from massm.config.models.family import FamilyConfig, FamilyFacts, NetworkConfig
from massm.config.tensors import TensorsConfig


class UnetConfig(NetworkConfig):
    """A U-Net: the probability of each anatomy at every voxel; its surface is at one half."""

    at_prediction: ClassVar[frozenset[str]] = frozenset({"overlap"})

    family: Literal["unet"] = Field(description="Entry of massm.models.families.FAMILIES.")
    networks: Literal["each", "all"] = Field(
        description="One network for each anatomy, or one of all."
    )
    spacing_mm: PositiveFloat | None = Field(
        description="Voxel size that the finest image is read at, mm; null: its own."
    )
    filters: tuple[PositiveInt, ...] = Field(
        min_length=3, description="Channels of each level; each is half as fine as the one before."
    )
    supervised: NonNegativeInt = Field(
        description="Coarser levels that are compared with the labels too (deep supervision)."
    )
    patch: tuple[PositiveInt, PositiveInt, PositiveInt] = Field(
        description="Voxels of a patch along z, y, x, multiples of 2 to the number of levels less "
        "one."
    )
    patches: PositiveInt = Field(description="Patches of each subject and training step.")
    foreground: float = Field(
        ge=0,
        le=1,
        description="Chance that a patch lies around a voxel of an anatomy, one in turn.",
    )
    overlap: float = Field(
        ge=0, lt=1, description="Share that neighboring patches have in common in prediction."
    )

    @field_validator("supervised")
    @classmethod
    def _has_such_levels(cls, supervised: int, above: FieldsAbove) -> int:
        levels = len(above.data.get("filters", ()))
        if levels and supervised > levels - 2:
            raise ValueError(f"of {levels} levels at most {levels - 2} can be supervised too")
        return supervised

    @field_validator("patch")
    @classmethod
    def _can_be_halved(
        cls, patch: tuple[int, int, int], above: FieldsAbove
    ) -> tuple[int, int, int]:
        levels = len(above.data.get("filters", ()))
        step = 2 ** max(levels - 1, 0)
        if any(side % step or side < 2 * step for side in patch):
            raise ValueError(
                f"{levels} levels need sides that are multiples of {step} voxels, {2 * step} at "
                "least"
            )
        return patch

    @property
    def facts(self) -> FamilyFacts:
        """See :class:`massm.config.models.family.FamilyFacts`."""
        return FamilyFacts(
            reads="scan",
            gives=frozenset({"labels"}),
            parts="each anatomy" if self.networks == "each" else "all anatomies",
            trains_on="labels",
        )

    def faults(
        self, models: Mapping[str, FamilyConfig], tensors: TensorsConfig
    ) -> Iterator[tuple[str, str]]:
        """Say which keys contradict other sections, and why."""
        yield from super().faults(models, tensors)
        finest = tensors.finest_spacing_mm
        if self.spacing_mm is not None and not finest <= self.spacing_mm <= 2 * finest:
            yield (
                "spacing_mm",
                f"the finest image has {finest:g} mm; name {finest:g} to {2 * finest:g} (coarser "
                f"ones would need smoothing), or null; found {self.spacing_mm:g}",
            )
