"""Torch dataset over exported subjects; each is read from disk when it is asked for."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import Dataset

from massm.config.train import AugmentConfig
from massm.io import tensors
from massm.io.shapes import refuse_other_shapes
from massm.tensors.augment import augment
from massm.tensors.images import Images, Scan
from massm.tensors.labels import Labels
from massm.tensors.manifest import Entry, Manifest
from massm.tensors.mirroring import mirrored_file, mirrored_labels, mirrored_scan
from massm.tensors.preprocessing import Preprocessing, images_of, stored_scan
from massm.tensors.sample import Batch, Sample, Template, Truth, collate

_SCAN = {"image": "D H W", "origin": "3"}
_TRUTH = {
    "presence": "K",
    "center": "K 3",
    "radius": "K 3",
    "local": "K M 3",
    "world": "K M 3",
}
_SAMPLE = _SCAN | _TRUTH
_MIRRORED = _TRUTH | {"partner": "K"}
_OPTIONAL = {"fine": "Df Hf Wf", "fine_origin": "3"}
_LABELS = {"labels": "D H W", "origin": "3", "known": "K"}
_ADVICE = "run the tensors stage again"


class SubjectDataset(Dataset[Sample]):
    """Subjects of one split, augmented or as they are.

    Nothing is kept in memory between two calls, so memory does not grow with the cohort.

    Args:
        folder: Where the manifest lies.
        manifest: The manifest. If its preprocessing is without a finer image, samples are so too.
        entries: The subjects.
        rows: Of the anatomies in the files, those that there are; None: all.
        augmentation: Ranges of random changes; None for validation and prediction.
        template: Shape model that deformations are drawn from.
        seed: Of the run.
        epoch: Decides, with seed and subject, what is drawn.
        labels: Folder of ``{subject}.safetensors`` with the labels; None: they are not read.
    """

    def __init__(  # noqa: PLR0913 - what is read of a subject, and what is drawn
        self,
        folder: Path,
        manifest: Manifest,
        entries: Sequence[Entry],
        *,
        rows: Sequence[int] | None = None,
        augmentation: AugmentConfig | None = None,
        template: Template | None = None,
        seed: int = 0,
        epoch: int = 0,
        labels: Path | None = None,
    ) -> None:
        if augmentation is not None and template is None:
            raise ValueError("augmentation draws from the shape model: pass a template")
        self.folder = folder
        self.manifest = manifest
        self.entries = list(entries)
        self.rows = rows
        self.augmentation = augmentation
        self.template = template
        self.seed = seed
        self.epoch = epoch
        self.labels = labels

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> Sample:
        """Read, and maybe augment, one subject."""
        entry = self.entries[index]
        if self.augmentation is None or self.template is None:
            return self._sample(entry).take(self.rows)
        generator = generator_for(self.seed, self.epoch, entry.subject)
        often = self.augmentation.mirror_probability
        mirrored = often > 0 and bool(torch.rand((), generator=generator) < often)
        sample = self._mirrored(entry) if mirrored else self._sample(entry)
        return augment(
            sample.take(self.rows),
            self.augmentation,
            self.template,
            self.manifest.preprocessing.intensity,
            self.manifest.preprocessing.spacing_mm,
            generator,
            self.manifest.preprocessing.fine_spacing_mm,
        )

    def truth(self, index: int) -> Truth:
        """Read what is known of one subject, as it is; labels and images are not touched."""
        path = self.folder / self.entries[index].file
        held = tensors.load(path, list(_TRUTH))
        refuse_other_shapes(held, _TRUTH, path, _ADVICE)
        return _truth_of(held).take(self.rows)

    def middle(self, index: int) -> Float[Tensor, "3"]:
        """Return the middle of one subject's image, mm, image frame; the image is not read."""
        entry = self.entries[index]
        held = tensors.load(self.folder / entry.file, ["origin"])
        last = torch.tensor(entry.shape[::-1]) - 1
        origin = torch.from_numpy(held["origin"]).float()
        return origin + last * self.manifest.preprocessing.spacing_mm / 2

    def scan(self, index: int) -> Scan:
        """Read the images of one subject, as they are."""
        entry = self.entries[index]
        return load_scan(self.folder / entry.file, entry.subject)

    def images(
        self, preprocessing: Preprocessing, *, multiple: int, batch_size: int
    ) -> Iterator[Images]:
        """Yield the subjects' images in batches, in order; what is known of them is not used.

        Args:
            preprocessing: That of the model which is to see them, whatever the manifest's is.
            multiple: Every axis of the network grid becomes a multiple of this.
            batch_size: Subjects read at a time.
        """
        for start in range(0, len(self), batch_size):
            rows = range(start, min(start + batch_size, len(self)))
            yield images_of([self.scan(row) for row in rows], preprocessing, multiple)

    def _sample(self, entry: Entry) -> Sample:
        """Read a subject with all anatomies, as it is stored."""
        read = load_sample(self.folder / entry.file, entry.subject)
        scan, truth = read.scan, read.truth
        if self.manifest.preprocessing.fine_spacing_mm is None:
            scan = replace(scan, fine=None, fine_origin=None)
        if self.labels is not None:
            truth = replace(truth, labels=(self._labels(self.labels, entry),))
        return Sample(scan, truth)

    def _mirrored(self, entry: Entry) -> Sample:
        """Read a subject as it is in a mirror, where its left anatomies are on the right."""
        read, path = self._sample(entry), mirrored_file(self.folder, entry.subject)
        held = tensors.load(path, list(_MIRRORED))
        refuse_other_shapes(held, _MIRRORED, path, _ADVICE)
        partner = held["partner"].tolist()
        used = self.manifest.preprocessing
        labels = tuple(mirrored_labels(one, partner) for one in read.truth.labels)
        return Sample(
            mirrored_scan(read.scan, used.spacing_mm, used.fine_spacing_mm),
            replace(_truth_of(held), labels=labels),
        )

    def _labels(self, folder: Path, entry: Entry) -> Labels:
        spacing_mm = self.manifest.preprocessing.finest_spacing_mm
        return load_labels(label_file(folder, entry.subject), spacing_mm)

    def collate(self, samples: list[Sample], multiple: int) -> Batch:
        """Join samples to a batch, see ``massm.tensors.sample.collate``."""
        return collate(samples, self.manifest.preprocessing, multiple)


def load_scan(path: Path, subject: str) -> Scan:
    """Read the images of one subject.

    Raises:
        DataError: If the file is damaged or lacks an array.
    """
    return stored_scan(subject, _load(path, _SCAN))


def load_sample(path: Path, subject: str) -> Sample:
    """Read the tensors of one subject.

    Raises:
        DataError: If the file is damaged, lacks an array, or its arrays contradict each other.
    """
    held = _load(path, _SAMPLE)
    return Sample(stored_scan(subject, held), _truth_of(held))


def _truth_of(held: Mapping[str, np.ndarray]) -> Truth:
    arrays = {name: torch.from_numpy(array) for name, array in held.items()}
    return Truth(
        presence=arrays["presence"].long(),
        center=arrays["center"].float(),
        radius=arrays["radius"].float(),
        local=arrays["local"].float(),
        world=arrays["world"].float(),
    )


def label_file(folder: Path, subject: str) -> Path:
    """Name the file of a subject's labels."""
    return folder / f"{subject}.safetensors"


def load_labels(path: Path, spacing_mm: float) -> Labels:
    """Read the labels of one subject.

    Raises:
        DataError: If the file is damaged, lacks an array, or its arrays contradict each other.
    """
    held = tensors.load(path)
    refuse_other_shapes(held, _LABELS, path, _ADVICE)
    return Labels(
        values=torch.from_numpy(held["labels"]),
        origin=torch.from_numpy(held["origin"]).float(),
        spacing_mm=spacing_mm,
        known=torch.from_numpy(held["known"]).bool(),
    )


def _load(path: Path, shapes: Mapping[str, str]) -> dict[str, np.ndarray]:
    held = tensors.load(path)
    optional = {name: shape for name, shape in _OPTIONAL.items() if name in held}
    refuse_other_shapes(held, {**shapes, **optional}, path, _ADVICE)
    return held


def generator_for(seed: int, epoch: int, name: str) -> torch.Generator:
    """Return a generator that depends on run, epoch and a name, and on nothing else."""
    mixed = zlib.crc32(f"{seed}/{epoch}/{name}".encode())
    return torch.Generator().manual_seed(mixed)
