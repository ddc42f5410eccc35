"""Sections ``crossval`` and ``fold``: models made without the subjects that they then predict."""

from collections.abc import Sequence

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from massm.config._section import Section, UserPath


class CrossvalConfig(Section):
    """Cross-validation: every subject that is no test subject is predicted out of its fold."""

    folds: int = Field(ge=2, description="Parts of the training and validation subjects.")
    folds_made: PositiveInt | None = Field(
        description="How many of them are left out in turn, from the first; null: all. One is a "
        "part held out: enough for calibration, at the cost of one more training."
    )
    seed: NonNegativeInt = Field(description="Draws the folds.")
    models: tuple[str, ...] | None = Field(
        min_length=1,
        description="Entries of models that are made without each fold in turn, beside the one "
        "that is compared with them (evaluate.reference_model); null: that alone.",
    )

    @model_validator(mode="after")
    def _no_more_than_there_are(self) -> "CrossvalConfig":
        if self.folds_made is not None and self.folds_made > self.folds:
            raise ValueError(f"folds_made is {self.folds_made}, of {self.folds} folds")
        return self

    @property
    def numbers(self) -> Sequence[int]:
        """Numbers of the folds that are left out in turn."""
        return range(1, (self.folds_made or self.folds) + 1)

    def made(self, reference_model: str) -> tuple[str, ...]:
        """Name the models that are made without each fold."""
        return tuple(dict.fromkeys([reference_model, *(self.models or ())]))


class FoldConfig(Section):
    """A run that is one fold of another's cross-validation; snakemake crossval writes it."""

    of: UserPath = Field(description="Results folder of the run whose cohort it takes.")
    number: PositiveInt = Field(description="Which fold is left out, counted from 1.")
