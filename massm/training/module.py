"""The one LightningModule, for every family of models."""

import logging
from collections import defaultdict
from typing import Any

import lightning
import torch
from jaxtyping import Bool
from torch import Tensor

from massm.config.train import TrainConfig
from massm.models.interface import Model, Step
from massm.tensors.dataset import generator_for
from massm.tensors.sample import Batch
from massm.training.schedule import learning_rate_factor

log = logging.getLogger(__name__)


class NonFiniteLossError(ValueError):
    """A loss that is not a finite number; the message says where."""


class TrainingModule(lightning.LightningModule):
    """Weighted losses, optimizer and validation errors of a model.

    Args:
        model: The network, of whatever family.
        config: Schedule and optimizer.
    """

    def __init__(self, model: Model, config: TrainConfig) -> None:
        super().__init__()
        self.model = model
        self.config = config
        self._sums: dict[str, list[Tensor]] = defaultdict(list)
        self._errors: dict[str, list[Tensor]] = defaultdict(list)

    def on_train_epoch_start(self) -> None:
        """Forget the loss terms of the last epoch."""
        self._sums.clear()

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Return the weighted loss of a batch.

        Raises:
            NonFiniteLossError: Naming epoch, batch, subjects and term.
        """
        epoch = self.current_epoch
        generator = generator_for(self.config.seed, epoch, f"{self.global_rank}/{index}")
        # Dropout draws from torch's own generator, which loaders draw from too: a resumed run
        # repeats its course only if it is seeded here.
        torch.manual_seed(generator.initial_seed())
        losses = self.model.loss(batch, Step(epoch, generator))
        for name, term in losses.terms.items():
            if losses.uses(name) and not torch.isfinite(term):
                subjects = ", ".join(batch.images.subjects)
                raise NonFiniteLossError(
                    f"loss term '{name}' became {float(term.detach())} in epoch {epoch + 1}, batch "
                    f"{index + 1}, subjects {subjects}; look at these tensors, "
                    "or lower train.learning_rate, or set train.gradient_clip"
                )
            self._sums[name].append(term.detach())
        total = losses.total()
        self._sums["loss"].append(total.detach())
        return total

    def on_validation_epoch_start(self) -> None:
        """Forget the errors of the last validation."""
        self._errors.clear()

    def validation_step(self, batch: Batch, index: int) -> None:
        """Measure the model's errors in mm on a batch, each anatomy that is there."""
        there = batch.truth.presence.eq(1) & self._counts(batch, index)[:, None]
        for name, error in self.model.validate(batch).items():
            self._errors[name].append(error[there])

    def _counts(self, batch: Batch, index: int) -> Bool[Tensor, " B"]:
        """Tell which subjects another device does not measure too.

        Several devices take the subjects in turn; to have equally many, they begin anew at the end.
        """
        rows = torch.arange(len(batch.images.subjects), device=batch.truth.presence.device)
        if self.trainer.world_size == 1:
            return torch.ones_like(rows, dtype=torch.bool)
        loader: Any = self.trainer.val_dataloaders  # one loader; Lightning knows no type of it
        turn = index * loader.batch_size + rows
        counted: Tensor = turn * self.trainer.world_size + self.global_rank < len(loader.dataset)
        return counted

    def validation_means(self) -> dict[str, float]:
        """Return the mean errors of the last validation, mm; empty if there was none."""
        return {f"validation_{name}": self._mean(v) for name, v in self._errors.items()}

    def training_means(self) -> dict[str, float]:
        """Return the mean of every loss term over the epoch."""
        return {name: self._mean(values) for name, values in self._sums.items()}

    def _mean(self, values: list[Tensor]) -> float:
        """Average over what all devices have seen."""
        joined = torch.cat([value.flatten() for value in values])
        totals = torch.stack([joined.sum(), joined.new_tensor(float(len(joined)))])
        if self.trainer.world_size > 1:
            totals = self.trainer.strategy.reduce(totals, reduce_op="sum")
        return float(totals[0] / totals[1])

    def configure_optimizers(self) -> Any:
        """Return Adam (AdamW with weight decay) with step decay."""
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(
            trained, lr=self.config.learning_rate, weight_decay=self.config.weight_decay
        )
        scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda epoch: learning_rate_factor(self.config, epoch)
        )
        return {"optimizer": optimizer, "lr_scheduler": scheduler}
