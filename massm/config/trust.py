"""Config section of the ``trust`` stage."""

from collections.abc import Mapping, Sequence

from pydantic import Field

from massm.config._section import Section
from massm.config.intervals import Calibration
from massm.config.models.family import FamilyConfig


class AlarmConfig(Section):
    """When something is called red."""

    false_alarms: float = Field(
        gt=0,
        lt=0.5,
        description="Share of usual scans in which something may be red, 0.05 for 5 %, half of it "
        "for the scan itself; that takes 2 / false_alarms - 1 calibration subjects, 39 for 5 %. "
        "With N fewer it is 1 / (N + 1) for each.",
    )


class TrustConfig(AlarmConfig):
    """Whether a scan is like those that a model was tried on: tables of calibration subjects."""

    models: tuple[str, ...] | None = Field(
        description="Entries of models that get them; null: all that get a model folder and that "
        "calibration is predicted by; []: none."
    )
    calibration: Calibration = Field(
        description="Subjects that say what is usual. validation: those of the validation split, "
        "which also chose thresholds; crossval: all training and validation subjects, each "
        "predicted out of its fold (then all waits for snakemake crossval)."
    )

    def made(
        self,
        entries: Mapping[str, FamilyConfig],
        carried: Sequence[str],
        crossed: Sequence[str],
        predicted: Sequence[str],
    ) -> tuple[str, ...]:
        """Name the models that get tables.

        Args:
            entries: What each model predicts by.
            carried: Those that get a model folder.
            crossed: Those that cross-validation makes.
            predicted: Splits that are predicted.
        """
        if self.models is not None:
            return self.models
        possible: Sequence[str] = carried if "validation" in predicted else ()
        if self.calibration == "crossval":
            possible = [name for name in crossed if name in carried]
        return tuple(name for name in entries if name in possible)
