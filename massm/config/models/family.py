"""What all entries of models share, what families share, and what a family says of itself."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field

from massm.config._section import Section
from massm.config.tensors import TensorsConfig

Reads = Literal["scan", "box crop", "aligned crop", "boxes", "surfaces", "truth"]
Given = Literal["boxes", "local", "world", "labels"]
Parts = Literal["all anatomies", "each anatomy"]
Role = Literal["rival", "lower bound", "upper bound"]
LearnedFrom = Literal["shapes", "labels"]


@dataclass(frozen=True)
class FamilyFacts:
    """What the workflow has to know of a model; it asks nothing else.

    Attributes:
        reads: What it is given of a subject: its scan, crops of that in the boxes that another
            model found, crops aligned by the true transform, those boxes alone, the surfaces that
            another model made, or the truth.
        gives: The parts of its predictions; they decide which tables there are.
        parts: Whether one network serves all anatomies or each has its own.
        role: ``rival`` of the others, or a bound of the comparison; an upper bound knows of the
            truth what no model can.
        trains_on: What a network learns from: particles and boxes, or also the label maps that are
            exported where a model asks for them.
    """

    reads: Reads
    gives: frozenset[Given]
    parts: Parts = "all anatomies"
    role: Role = "rival"
    trains_on: LearnedFrom = "shapes"

    @property
    def knows_truth(self) -> bool:
        """Whether it is given what correspondence found in the very subjects that it predicts."""
        return self.reads in ("truth", "aligned crop")

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables in ``evaluate/{model}/``.

        Detection is measured of what decides whether an anatomy is there: by boxes, by labels, or
        by the boxes of another model, which it crops the scan by; one that gives particles of a
        whole scan alone finds everything.
        """
        needs: dict[str, set[Given]] = {
            "local": {"local", "labels"},
            "world": {"world"},
            "detection": {"boxes", "labels"},
        }
        decides = {"detection"} if self.reads == "box crop" else set()
        return tuple(
            name for name, any_of in needs.items() if self.gives & any_of or name in decides
        )


class EntryConfig(Section):
    """One model of the comparison, as the configuration has it."""

    execution_only: ClassVar[frozenset[str]] = frozenset({"label"})

    family: str = Field(description="Entry of massm.models.families.FAMILIES.")
    label: str | None = Field(
        description="Its name in tables and figures; null: the name of the entry, written out."
    )

    @property
    def carried(self) -> bool:
        """Whether a model folder is made of it: of one network of all anatomies, with particles."""
        return False

    @property
    def weights_of(self) -> str | None:
        """Name of the entry that is trained for it; None if that is itself, or nothing is."""
        return None

    @abstractmethod
    def meant(self, models: Mapping[str, "EntryConfig"]) -> "FamilyConfig":
        """Return the section of a family that it stands for: what it predicts by."""


class FamilyConfig(EntryConfig):
    """An entry of a family, which its section describes."""

    @property
    @abstractmethod
    def facts(self) -> FamilyFacts:
        """What the workflow has to know of it; may depend on the values."""

    @property
    def boxes_from(self) -> str | None:
        """Name of the model whose boxes it reads; None if it needs none."""
        return None

    @property
    def surfaces_from(self) -> str | None:
        """Name of the model whose surfaces it reads; None if it needs none."""
        return None

    @property
    def asked(self) -> dict[str, str]:
        """Names of the models whose predictions it needs, by the keys that name them."""
        named = {"boxes_of": self.boxes_from, "surfaces_of": self.surfaces_from}
        return {key: name for key, name in named.items() if name is not None}

    @property
    def shape_modes(self) -> int | None:
        """How many PCA modes its local particles are made of; None: they are predicted directly."""
        return None

    def meant(self, models: Mapping[str, EntryConfig]) -> "FamilyConfig":
        """Return the section itself."""
        return self

    def resolved(self, models: Mapping[str, "FamilyConfig"]) -> "FamilyConfig":
        """Put values in the place of names of other models; by default there are none."""
        return self

    def faults(
        self, models: Mapping[str, "FamilyConfig"], tensors: TensorsConfig
    ) -> Iterator[tuple[str, str]]:
        """Say which keys contradict other sections, and why: the key, then the reason."""
        source = self.boxes_from
        if source is not None and source not in models:
            yield "boxes_of", f"{source} is not among models, found [{', '.join(models)}]"
        elif source is not None and "boxes" not in models[source].facts.gives:
            yield "boxes_of", f"{source} gives no boxes"
        elif source is not None and models[source].boxes_from is not None:
            yield "boxes_of", f"{source} has its boxes from another model itself; name that one"


class NetworkConfig(FamilyConfig):
    """A model that is trained.

    Attributes:
        at_prediction: Keys that only prediction looks at: a change of them trains nothing anew, and
            a variant may have other values of them.
    """

    # The differences from section train count as part of that section, see Config.training.
    execution_only: ClassVar[frozenset[str]] = FamilyConfig.execution_only | {"train"}
    at_prediction: ClassVar[frozenset[str]] = frozenset()

    train: dict[str, Any] = Field(
        description="Differences from section train, for this model alone; {}: none."
    )

    @property
    def carried(self) -> bool:
        """See :attr:`EntryConfig.carried`."""
        return self.facts.parts == "all anatomies" and "local" in self.facts.gives

    @property
    def scored_world(self) -> str | None:
        """The world head whose particles are compared with training; None: it names none."""
        return None

    def learned(self) -> dict[str, Any]:
        """Return what its weights depend on, beside the section ``train``.

        That is neither its label nor what only prediction looks at (``at_prediction``).
        """
        return {k: v for k, v in self.result_relevant().items() if k not in self.at_prediction}
