"""The one LightningModule, for every model of the table."""

import logging
from collections import defaultdict
from collections.abc import Sized
from typing import Any, cast

import lightning
import torch
from jaxtyping import Bool
from torch import Tensor, nn
from torch.utils.data import DataLoader

from massm.config.train import TrainConfig
from massm.models.interface import Model, Prediction, Teacher
from massm.tensors.dataset import generator_for
from massm.tensors.sample import Batch
from massm.training.schedule import learning_rate_factor, loss_weights, ramp

log = logging.getLogger(__name__)


class NonFiniteLossError(ValueError):
    """A loss that is not a finite number; the message says where."""


class TrainingModule(lightning.LightningModule):
    """Weighted losses, optimizer and validation errors of a model.

    Args:
        model: One of ``massm.models.MODELS``.
        config: Schedule and optimizer.
    """

    def __init__(self, model: Model, config: TrainConfig) -> None:
        super().__init__()
        self.model = cast(nn.Module, model)
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
        teacher = Teacher(
            probability=ramp(self.config.teacher.probability, epoch),
            jitter_center_mm=self.config.teacher.jitter_center_mm,
            jitter_radius=self.config.teacher.jitter_radius,
            missed_boxes=self.config.teacher.missed_boxes,
            generator=generator,
        )
        losses = cast(Model, self.model).loss(batch, teacher)
        weights = loss_weights(self.config, epoch)
        for name, term in losses.terms.items():
            if weights[name] and not torch.isfinite(term):
                subjects = ", ".join(batch.images.subjects)
                raise NonFiniteLossError(
                    f"loss term '{name}' became {float(term.detach())} in epoch {epoch + 1}, batch "
                    f"{index + 1}, subjects {subjects}; look at these tensors, "
                    "or lower train.learning_rate, or set train.gradient_clip"
                )
            self._sums[name].append(term.detach())
        total = losses.total(weights)
        self._sums["loss"].append(total.detach())
        return total

    def on_validation_epoch_start(self) -> None:
        """Forget the errors of the last validation."""
        self._errors.clear()

    def validation_step(self, batch: Batch, index: int) -> None:
        """Measure center and particle errors in mm on a batch, each anatomy that is there."""
        prediction: Prediction = cast(Model, self.model).predict(batch.images)
        truth = batch.truth
        there = truth.presence.eq(1) & self._counts(batch, index)[:, None]
        self._errors["center_mm"].append((prediction.center - truth.center).norm(dim=-1)[there])
        particle = (prediction.local - truth.local).norm(dim=-1).mean(dim=-1)
        self._errors["particle_mm"].append(particle[there])
        for name, world in prediction.world.items():
            error = (world - truth.world).norm(dim=-1).mean(dim=-1)
            self._errors[f"world_{name}_mm"].append(error[there])

    def _counts(self, batch: Batch, index: int) -> Bool[Tensor, " B"]:
        """Tell which subjects another device does not measure too.

        Several devices take the subjects in turn; to have equally many, they begin anew at the end.
        """
        rows = torch.arange(len(batch.images.subjects), device=batch.truth.presence.device)
        if self.trainer.world_size == 1:
            return torch.ones_like(rows, dtype=torch.bool)
        loader = cast(DataLoader[Any], self.trainer.val_dataloaders)
        turn = index * cast(int, loader.batch_size) + rows
        return turn * self.trainer.world_size + self.global_rank < len(cast(Sized, loader.dataset))

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
