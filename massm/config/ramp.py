"""A value that changes with the epoch."""

from pydantic import Field, NonNegativeInt

from massm.config._section import Section


class RampConfig(Section):
    """A value that changes with the epoch: ``first``, then by ``step`` each epoch to ``last``."""

    first: float = Field(description="Value before from_epoch.")
    from_epoch: NonNegativeInt = Field(description="Epoch, counted from 0, of the first step.")
    step: float = Field(description="Change per epoch.")
    last: float = Field(description="Value at which it stays.")

    def at(self, epoch: int) -> float:
        """Return the value in an epoch, counted from 0."""
        if epoch < self.from_epoch:
            return self.first
        value = self.first + self.step * (epoch - self.from_epoch + 1)
        beyond = value > self.last if self.step > 0 else value < self.last
        return self.last if beyond or self.step == 0 else value
