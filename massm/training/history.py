"""One line and one row per epoch: progress in the log, curves in ``history.csv``."""

import csv
import logging
import math
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning

from massm.io.atomic import replacing
from massm.io.weights import save_weights
from massm.training.columns import Columns
from massm.training.module import TrainingModule
from massm.training.resume import best_error

log = logging.getLogger(__name__)


class History(lightning.Callback):
    """Write a row after every epoch, log it, and keep the best weights if asked.

    The rows are part of the checkpoint, so that the file always tells the same as that.

    Args:
        path: ``history.csv``.
        columns: What it tells.
        epochs: Length of the run.
        validate_every: Epochs between two validations.
        best: Where the weights of the least validation error go; None: not kept.
    """

    def __init__(
        self, path: Path, columns: Columns, epochs: int, validate_every: int, best: Path | None
    ) -> None:
        self.path = path
        self.columns = columns
        self.validate_every = validate_every
        self.epochs = epochs
        self.best = best
        self.best_error = float("inf")
        self.rows: list[dict[str, float | int]] = []
        self._started = 0.0
        self._rate = 0.0
        self._first = 0

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run must know."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over from the run that was interrupted."""
        self.rows = list(state_dict["rows"])

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Start the file, or bring it to what the checkpoint holds."""
        self._first = trainer.current_epoch
        if not trainer.is_global_zero:
            return
        if self.best is not None and not self._first:
            self.best.unlink(missing_ok=True)
        if self.best is not None:
            self.best_error = best_error(self.best, self.rows, self.columns.selects)
        found = self.path.read_bytes() if self.path.exists() else b""
        self.write(self.path)
        if self._first and found != self.path.read_bytes():
            log.warning(
                "%s did not hold epochs 1 to %d as the checkpoint does: written anew from that",
                self.path,
                self._first,
            )

    def on_train_epoch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Start the clock; note the learning rate before it decays."""
        self._started = time.monotonic()
        self._rate = trainer.optimizers[0].param_groups[0]["lr"]

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Write the row and the log line."""
        module = _ours(pl_module)
        took = time.monotonic() - self._started
        epoch = trainer.current_epoch + 1
        validated = module.validation_means() if epoch % self.validate_every == 0 else {}
        values: dict[str, float | int] = {
            "epoch": epoch,
            "learning_rate": self._rate,
            **module.training_means(),
            **validated,
        }
        self.rows.append({name: values[name] for name in self.columns.all if name in values})
        if not trainer.is_global_zero:
            return
        self.write(self.path)
        self._keep_best(module, validated)
        self._log_line(epoch, took, values)

    def _keep_best(self, module: TrainingModule, validated: dict[str, float]) -> None:
        error = validated.get(self.columns.selects)
        if self.best is None or error is None or not math.isfinite(error):
            return
        if error >= self.best_error:
            return
        self.best_error = error
        facts = {self.columns.selects: repr(error)}
        save_weights(module.model.state_dict(), self.best, facts)

    def write(self, path: Path) -> None:
        """Write the rows of all epochs so far, whole or not at all."""
        with replacing(path) as temporary, temporary.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.columns.all)
            writer.writerows([row.get(name, "") for name in self.columns.all] for row in self.rows)

    def _log_line(self, epoch: int, took: float, values: Mapping[str, float | int]) -> None:
        left = timedelta(seconds=round(took * (self.epochs - epoch)))
        terms = " ".join(
            f"{name} {values[name]:.4g}" for name in self.columns.terms if name in values
        )
        errors = " ".join(
            f"{name[len('validation_') : -len('_mm')]} {value:.2f} mm"
            for name, value in values.items()
            if name.startswith("validation_")
        )
        log.info(
            "epoch %d/%d (%d this run): %s%s; %.1f s, %s left",
            epoch,
            self.epochs,
            epoch - self._first,
            terms,
            f"; validation {errors}" if errors else "",
            took,
            left,
        )


def _ours(module: lightning.LightningModule) -> TrainingModule:
    if not isinstance(module, TrainingModule):
        raise TypeError(f"the history of a {type(module).__name__} cannot be written")
    return module
