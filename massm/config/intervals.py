"""Config section of the ``intervals`` stage."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from massm.config._section import Section
from massm.config.models.family import FamilyConfig, FamilyFacts

Calibration = Literal["validation", "crossval"]


class LevelConfig(Section):
    """What is promised of a radius."""

    level: float = Field(
        gt=0,
        lt=1,
        description="Coverage, 0.9 for 90 %; it takes level / (1 - level) subjects, 9 for 90 %.",
    )


class IntervalsConfig(LevelConfig):
    """How far off a prediction may be: radii of its particles that hold with a stated coverage."""

    models: tuple[str, ...] | None = Field(
        description="Entries of models that get them, with particles in the image; null: all that "
        "calibration is predicted by; []: none."
    )
    calibration: Calibration = Field(
        description="Subjects whose errors decide. validation: those of the validation split, "
        "which also chose thresholds; crossval: all training and validation subjects, each "
        "predicted out of its fold (then all waits for snakemake crossval)."
    )

    def made(
        self, entries: Mapping[str, FamilyConfig], crossed: Sequence[str], predicted: Sequence[str]
    ) -> tuple[str, ...]:
        """Name the models that get intervals.

        Args:
            entries: What each model predicts by.
            crossed: Those that cross-validation makes.
            predicted: Splits that are predicted.
        """
        if self.models is not None:
            return self.models
        possible: Sequence[str] = tuple(entries) if "validation" in predicted else ()
        if self.calibration == "crossval":
            possible = crossed
        return tuple(name for name in entries if name in possible and can_have(entries[name].facts))


def can_have(facts: FamilyFacts) -> bool:
    """Tell whether a model can get intervals: it gives particles and does not know the truth."""
    return "local" in facts.gives and not facts.knows_truth
