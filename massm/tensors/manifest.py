"""``tensors/manifest.json``: which subjects there are, and how their values are to be read."""

from dataclasses import asdict, dataclass
from pathlib import Path

from massm.io import documents
from massm.io.damage import named
from massm.io.errors import DataError
from massm.tensors.preprocessing import Preprocessing

VERSION = 2


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
        preprocessing: What the images went through, and how they are normalized.
        subjects: One entry each.
    """

    anatomies: tuple[str, ...]
    particles: int
    preprocessing: Preprocessing
    subjects: tuple[Entry, ...]

    def of_split(self, split: str) -> list[Entry]:
        """Return the entries of one split."""
        return [entry for entry in self.subjects if entry.split == split]


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write the manifest, whole or not at all."""
    preprocessing = manifest.preprocessing.model_dump(mode="json")
    document = {**asdict(manifest), "version": VERSION, "preprocessing": preprocessing}
    documents.write_json(document, path)


def read_manifest(path: Path) -> Manifest:
    """Read the manifest.

    Raises:
        DataError: If it is damaged or of another version.
    """
    document = documents.read_json(path)
    found = document.get("version", "none")
    if found != VERSION:
        raise DataError(f"{path}: version {found}, expected {VERSION}; run the tensors stage again")
    with named(path, "not a manifest", "run the tensors stage again"):
        return Manifest(
            anatomies=tuple(document["anatomies"]),
            particles=document["particles"],
            preprocessing=Preprocessing.model_validate(document["preprocessing"]),
            subjects=tuple(
                Entry(**{**entry, "shape": tuple(entry["shape"])}) for entry in document["subjects"]
            ),
        )
