"""``tensors/manifest.json``: which subjects there are, and how their values are to be read."""

from dataclasses import asdict, dataclass
from pathlib import Path

from massm.io import documents
from massm.io.damage import named
from massm.tensors.sample import Intensity


@dataclass(frozen=True)
class Entry:
    """One subject: its split, its tensors' file, the file's SHA-256, the image's D, H, W."""

    subject: str
    split: str
    file: str
    sha256: str
    shape: tuple[int, int, int]


@dataclass(frozen=True)
class Manifest:
    """The cohort as a network sees it.

    Attributes:
        anatomies: Their order, K names.
        particles: M, per anatomy.
        spacing_mm: Voxel size of the network grid.
        fine_spacing_mm: Voxel size of the finer image; None if there is none.
        padding_hu: What lies outside an image, HU.
        intensity: Statistics of the training split.
        subjects: One entry each.
    """

    anatomies: tuple[str, ...]
    particles: int
    spacing_mm: float
    fine_spacing_mm: float | None
    padding_hu: float
    intensity: Intensity
    subjects: tuple[Entry, ...]

    def of_split(self, split: str) -> list[Entry]:
        """Return the entries of one split."""
        return [entry for entry in self.subjects if entry.split == split]


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write the manifest, whole or not at all."""
    documents.write_json(asdict(manifest), path)


def read_manifest(path: Path) -> Manifest:
    """Read the manifest.

    Raises:
        DataError: If it is damaged or of another version.
    """
    document = documents.read_json(path)
    with named(path, "not a manifest of this version", "run the tensors stage again"):
        return Manifest(
            anatomies=tuple(document["anatomies"]),
            particles=document["particles"],
            spacing_mm=document["spacing_mm"],
            fine_spacing_mm=document["fine_spacing_mm"],
            padding_hu=document["padding_hu"],
            intensity=Intensity(**document["intensity"]),
            subjects=tuple(
                Entry(**{**entry, "shape": tuple(entry["shape"])}) for entry in document["subjects"]
            ),
        )
