"""Config of DeepSSM: scores of a linear shape model from an image, by convolutions."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from massm.config._section import Section
from massm.config.models.family import FamilyConfig, FamilyFacts, Given, NetworkConfig, Reads
from massm.config.tensors import TensorsConfig


class CropConfig(Section):
    """The lattice of points in the world frame at which the CT is read; for ``image: crop``."""

    size: PositiveInt = Field(description="Points per axis.")
    margin_mm: NonNegativeFloat = Field(
        description="Kept around the box of all training shapes in the world frame, mm."
    )
    jitter_mm: NonNegativeFloat = Field(
        description="Standard deviation of random shifts of the crop in training, mm; 0: none."
    )
    jitter_deg: NonNegativeFloat = Field(
        description="Largest random turn of the crop about each axis in training, degrees; 0: none."
    )


class EncoderConfig(Section):
    """Convolutions and dense layers from an image to scores."""

    widths: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt, PositiveInt] = Field(
        description="Channels of the five convolutions."
    )
    kernel: Literal[3, 5] = Field(description="Their size, cells per axis.")
    padded: bool = Field(
        description="Pad them, so that only pooling makes maps smaller; false: as the original, "
        "which takes 60 points per axis at least."
    )
    norm: Literal["batch", "instance", "group"] = Field(
        description="Normalization; group and instance suit batches of one or two volumes."
    )
    pool: NonNegativeInt = Field(
        description="Cells per axis that the last map is averaged to before the dense layers; 0: "
        "it is taken as it is, which whole images of any size cannot be."
    )
    hidden: tuple[PositiveInt, ...] = Field(
        min_length=1, description="Widths of the dense layers before the scores."
    )
    dropout: float = Field(ge=0, lt=1, description="Chance to drop a hidden value in training.")

    @property
    def least(self) -> int:
        """Cells per axis of the smallest image that leaves a cell after the last pooling."""
        lost = 0 if self.padded else self.kernel - 1
        return 2 * (2 * (2 + 2 * lost) + 2 * lost) + lost


class DeepssmConfig(NetworkConfig):
    """DeepSSM: scores of a linear shape model from a whole image, or from a crop."""

    at_prediction: ClassVar[frozenset[str]] = frozenset({"crop", "boxes_of"})

    family: Literal["deepssm"] = Field(description="Entry of massm.models.families.FAMILIES.")
    networks: Literal["each", "all"] = Field(
        description="Each anatomy has its own network, or one encoder serves all, with scores and "
        "decoder of their own."
    )
    image: Literal["whole", "crop"] = Field(
        description="Read the whole image on the network grid, or a crop around the anatomy from "
        "the finest image there is."
    )
    particles: Literal["local", "world"] = Field(
        description="Which are predicted; of a crop, those in the world frame."
    )
    crop: Literal["aligned", "detected"] = Field(
        description="In prediction the crop is placed by the true transform, or at the center of "
        "the box that a model found, turned as training subjects are on average (and particles "
        "come back from there as local ones); not used with whole images."
    )
    boxes_of: str | None = Field(
        description="Model whose boxes and presence are taken where the crop is detected."
    )
    modes: PositiveInt | PositiveFloat = Field(
        description="PCA modes of the decoder: a number, or below 1 the share of the training "
        "shapes' variance that they hold; tensors.modes at most."
    )
    finetune_from: NonNegativeInt = Field(
        description="Epoch from which the decoder is trained too; before, it is the PCA."
    )
    lattice: CropConfig
    encoder: EncoderConfig

    @property
    def facts(self) -> FamilyFacts:
        """See :class:`massm.config.models.family.FamilyFacts`."""
        reads: Reads = "scan"
        gives: set[Given] = {self.particles}
        if self.image == "crop":
            reads = "aligned crop" if self.crop == "aligned" else "box crop"
            gives = {"world"} if self.crop == "aligned" else {"local", "world"}
        return FamilyFacts(
            reads=reads,
            gives=frozenset(gives),
            parts="each anatomy" if self.networks == "each" else "all anatomies",
            role="upper bound" if reads == "aligned crop" else "rival",
        )

    @property
    def carried(self) -> bool:
        """No model folder is made: that of what is in a scan it says nothing."""
        return False

    @property
    def boxes_from(self) -> str | None:
        """Name of the model whose boxes it reads; None where it reads none."""
        return self.boxes_of if self.facts.reads == "box crop" else None

    @property
    def scored_world(self) -> str | None:
        """The one world head, if there is one."""
        return "pca" if "world" in self.facts.gives else None

    def faults(
        self, models: Mapping[str, FamilyConfig], tensors: TensorsConfig
    ) -> Iterator[tuple[str, str]]:
        """Say which keys contradict each other or other sections, and why."""
        yield from super().faults(models, tensors)
        if self.modes >= 1 and self.modes != int(self.modes):
            yield "modes", f"a whole number, or a share below 1, found {self.modes:g}"
        elif self.modes > tensors.modes:
            yield "modes", f"of tensors.modes = {tensors.modes} stored modes, found {self.modes:g}"
        yield from self._crop_faults() if self.image == "crop" else self._whole_faults()

    def _crop_faults(self) -> Iterator[tuple[str, str]]:
        size, least = self.lattice.size, self.encoder.least
        if self.particles == "local":
            yield "particles", "a crop shows the world frame: take world, or image: whole"
        if self.crop == "detected" and self.boxes_of is None:
            yield "boxes_of", "crop: detected needs the model whose boxes are taken, found null"
        if size < least:
            yield (
                "lattice.size",
                f"the convolutions need {least} points per axis, found {size}; or set "
                "encoder.padded: true",
            )

    def _whole_faults(self) -> Iterator[tuple[str, str]]:
        if not self.encoder.padded:
            yield "encoder.padded", "whole images may be of any size, which needs true"
        if not self.encoder.pool:
            yield "encoder.pool", "whole images are of many sizes, dense layers of one: take 1 to 6"
