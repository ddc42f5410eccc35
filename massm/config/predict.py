"""Config of prediction, the same for every model."""

from typing import ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from massm.config._section import Section, Splits


class PredictConfig(Section):
    """From images to predictions: who is predicted, and on what machine."""

    execution_only: ClassVar[frozenset[str]] = frozenset({"batch_size", "accelerator", "threads"})

    splits: Splits = Field(description="Which subjects are predicted.")
    batch_size: PositiveInt = Field(
        description="Subjects that are read at a time; each is predicted on its own, so that no "
        "result depends on this."
    )
    accelerator: Literal["cpu", "gpu"] = Field(description="What networks run on; missing: error.")
    threads: NonNegativeInt = Field(description="CPU threads of torch; 0: as many as cores.")
