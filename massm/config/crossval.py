"""Sections ``crossval`` and ``fold``: models made without the subjects that they then predict."""

from pydantic import Field, NonNegativeInt, PositiveInt

from massm.config._section import Section, UserPath


class CrossvalConfig(Section):
    """Cross-validation: every subject that is no test subject is predicted out of its fold."""

    folds: int = Field(ge=2, description="Parts of the training and validation subjects.")
    seed: NonNegativeInt = Field(description="Draws the folds.")
    models: tuple[str, ...] | None = Field(
        min_length=1,
        description="Entries of models that are made without each fold in turn, beside the one "
        "that is compared with them (evaluate.reference_model); null: that alone.",
    )

    def made(self, reference_model: str) -> tuple[str, ...]:
        """Name the models that are made without each fold."""
        return tuple(dict.fromkeys([reference_model, *(self.models or ())]))


class FoldConfig(Section):
    """A run that is one fold of another's cross-validation; snakemake crossval writes it."""

    of: UserPath = Field(description="Results folder of the run whose cohort it takes.")
    number: PositiveInt = Field(description="Which fold is left out, counted from 1.")
