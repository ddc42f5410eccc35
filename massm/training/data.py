"""Lightning's data module over exported tensors: same batches whenever, and wherever, resumed."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import lightning
import torch
from torch.utils.data import DataLoader, Sampler

from massm.config.train import TrainConfig
from massm.io.errors import DataError
from massm.models.interface import TrainingParticles
from massm.tensors.dataset import SubjectDataset, generator_for
from massm.tensors.kernel_density import bandwidths
from massm.tensors.manifest import Manifest
from massm.tensors.sample import Batch, Sample, Template

log = logging.getLogger(__name__)


class EpochSampler(Sampler[int]):
    """Shuffle by seed and epoch alone, so that a resumed run sees the order it would have seen."""

    def __init__(self, count: int, seed: int, epoch: int) -> None:
        self.count = count
        self.seed = seed
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        """Yield every index once."""
        generator = generator_for(self.seed, self.epoch, "order")
        return iter(torch.randperm(self.count, generator=generator).tolist())


class CohortData(lightning.LightningDataModule):
    """Training and validation batches.

    Lightning must be told to reload the loaders every epoch: the epoch decides order and
    augmentation.

    Args:
        config: Batch size, augmentation, seed, workers.
        folder: Where the manifest lies.
        manifest: The manifest.
        template: Shape model for augmentation.
        multiple: Every axis of the network grid becomes a multiple of this.
        rows: Of the anatomies, those that the network is for; None: all. The attributes
            ``manifest`` and ``template`` are of these alone.
        labels: Folder of the subjects' labels; None: the network learns from shapes alone.
    """

    def __init__(
        self,
        config: TrainConfig,
        folder: Path,
        manifest: Manifest,
        template: Template,
        multiple: int,
        rows: Sequence[int] | None = None,
        labels: Path | None = None,
    ) -> None:
        super().__init__()
        if not manifest.of_split("train"):
            raise DataError(
                f"{folder}: no training subject in the manifest; see dataset/cohort.tsv"
            )
        self.config = config
        self.folder = folder
        self.rows = rows
        self.labels = labels
        self.manifest = manifest.take(rows)
        self.template = template.take(rows)
        self.multiple = multiple

    def train_dataloader(self) -> DataLoader[Sample]:
        """Return the augmented, shuffled training batches of the present epoch."""
        epoch = self.trainer.current_epoch if self.trainer is not None else 0
        dataset = SubjectDataset(
            self.folder,
            self.manifest,
            self.manifest.of_split("train"),
            rows=self.rows,
            augmentation=self.config.augment,
            template=self.drawn_from,
            seed=self.config.seed,
            epoch=epoch,
            labels=self.labels,
        )
        return self._loader(dataset, EpochSampler(len(dataset), self.config.seed, epoch))

    def val_dataloader(self) -> DataLoader[Sample] | list[DataLoader[Sample]]:
        """Return the validation batches, or nothing where the split is empty."""
        dataset = self.dataset("validation")
        return self._loader(dataset, None) if len(dataset) else []

    def dataset(self, split: str) -> SubjectDataset:
        """Return the subjects of a split, not augmented."""
        entries = self.manifest.of_split(split)
        return SubjectDataset(
            self.folder, self.manifest, entries, rows=self.rows, labels=self.labels
        )

    def batches(self, split: str) -> Iterator[Batch]:
        """Yield a split's subjects in batches, not augmented, in order."""
        dataset = self.dataset(split)
        return iter(self._loader(dataset, None)) if len(dataset) else iter(())

    @cached_property
    def drawn_from(self) -> Template:
        """Shape model of the deformations, its modes as far as they are drawn."""
        augment = self.config.augment
        if augment.shape_draw == "gaussian":
            return self.template
        given, modes = self.particles(), self.template.modes_world[:, : augment.shape_modes]
        spread = bandwidths(given.world, given.present, modes)
        log.info("bandwidths: %s standard deviations", [round(b, 2) for b in spread.tolist()])
        return replace(self.template, modes_world=modes * spread[:, None, None, None])

    def particles(self) -> TrainingParticles:
        """Read the particles of the training split."""
        dataset = self.dataset("train")
        anatomies, count = len(self.manifest.anatomies), self.manifest.particles
        local, world = (torch.empty(len(dataset), anatomies, count, 3) for _ in range(2))
        present = torch.empty(len(dataset), anatomies, dtype=torch.bool)
        middle = torch.empty(len(dataset), 3)
        for row in range(len(dataset)):
            truth = dataset.truth(row)
            local[row], world[row], present[row] = truth.local, truth.world, truth.presence.eq(1)
            middle[row] = dataset.middle(row)
        return TrainingParticles(local, world, present, middle)

    def _loader(self, dataset: SubjectDataset, sampler: EpochSampler | None) -> DataLoader[Sample]:
        return DataLoader(
            dataset,
            batch_size=self.config.batch_size,
            sampler=sampler,
            num_workers=self.config.workers,
            collate_fn=partial(dataset.collate, multiple=self.multiple),
        )
