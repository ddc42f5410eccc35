"""The columns of a training history: those of every model, and a model's own."""

from dataclasses import dataclass

from massm.models.interface import Model


@dataclass(frozen=True)
class Columns:
    """What a model's history tells beside epoch and learning rate.

    Attributes:
        terms: Of the loss, the weighted sum first.
        errors: Of the validation, mm.
        selects: The error that the best weights have least of.
    """

    terms: tuple[str, ...]
    errors: tuple[str, ...]
    selects: str

    @classmethod
    def of(cls, model: Model) -> "Columns":
        """Name them as the model does."""
        errors = tuple(f"validation_{name}" for name in model.errors)
        return cls(("loss", *model.terms), errors, f"validation_{model.selects}")

    @property
    def all(self) -> tuple[str, ...]:
        """Every column, in order."""
        return ("epoch", "learning_rate", *self.terms, *self.errors)
