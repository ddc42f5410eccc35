"""Torch dataset over exported subjects; each is read from disk when it is asked for."""

import zlib
from collections.abc import Sequence
from pathlib import Path

import torch
from torch.utils.data import Dataset

from massm.config.train import AugmentConfig
from massm.io import tensors
from massm.io.shapes import refuse_other_shapes
from massm.tensors.augment import augment
from massm.tensors.manifest import Entry, Manifest
from massm.tensors.sample import Batch, Sample, Template, collate

_SHAPES = {
    "image": "D H W",
    "origin": "3",
    "presence": "K",
    "center": "K 3",
    "radius": "K 3",
    "local": "K M 3",
    "world": "K M 3",
}


class SubjectDataset(Dataset[Sample]):
    """Subjects of one split, augmented or as they are.

    Nothing is kept in memory between two calls, so memory does not grow with the cohort.

    Args:
        folder: Where the manifest lies.
        manifest: The manifest.
        entries: The subjects.
        augmentation: Ranges of random changes; None for validation and prediction.
        template: Shape model that deformations are drawn from.
        seed: Of the run.
        epoch: Decides, with seed and subject, what is drawn.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        entries: Sequence[Entry],
        *,
        augmentation: AugmentConfig | None = None,
        template: Template | None = None,
        seed: int = 0,
        epoch: int = 0,
    ) -> None:
        if augmentation is not None and template is None:
            raise ValueError("augmentation draws from the shape model: pass a template")
        self.folder = folder
        self.manifest = manifest
        self.entries = list(entries)
        self.augmentation = augmentation
        self.template = template
        self.seed = seed
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> Sample:
        """Read, and maybe augment, one subject."""
        entry = self.entries[index]
        sample = load_sample(self.folder / entry.file, entry.subject)
        if self.augmentation is None or self.template is None:
            return sample
        return augment(
            sample,
            self.augmentation,
            self.template,
            self.manifest.intensity,
            self.manifest.spacing_mm,
            generator_for(self.seed, self.epoch, entry.subject),
        )

    def collate(self, samples: list[Sample], multiple: int) -> Batch:
        """Join samples to a batch, see ``massm.tensors.sample.collate``."""
        return collate(
            samples,
            intensity=self.manifest.intensity,
            spacing_mm=self.manifest.spacing_mm,
            fine_spacing_mm=self.manifest.fine_spacing_mm,
            padding_hu=self.manifest.padding_hu,
            multiple=multiple,
        )


def load_sample(path: Path, subject: str) -> Sample:
    """Read the tensors of one subject.

    Raises:
        DataError: If the file is damaged, lacks an array, or its arrays contradict each other.
    """
    held = tensors.load(path)
    refuse_other_shapes(held, _SHAPES, path, "run the tensors stage again")
    arrays = {name: torch.from_numpy(array) for name, array in held.items()}
    fine_origin = arrays.get("fine_origin")
    return Sample(
        subject=subject,
        image=arrays["image"],
        origin=arrays["origin"].float(),
        fine=arrays.get("fine"),
        fine_origin=fine_origin.float() if fine_origin is not None else None,
        presence=arrays["presence"].long(),
        center=arrays["center"].float(),
        radius=arrays["radius"].float(),
        local=arrays["local"].float(),
        world=arrays["world"].float(),
    )


def generator_for(seed: int, epoch: int, name: str) -> torch.Generator:
    """Return a generator that depends on run, epoch and a name, and on nothing else."""
    mixed = zlib.crc32(f"{seed}/{epoch}/{name}".encode())
    return torch.Generator().manual_seed(mixed)
