"""``tensors/manifest.json``: which subjects there are, and how their values are to be read."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
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

    def rows_of(self, anatomies: Sequence[str] | None) -> tuple[int, ...] | None:
        """Find the rows of some anatomies in the tensors; None, for all, stays None.

        Raises:
            DataError: If one of them is not there.
        """
        if anatomies is None:
            return None
        unknown = [name for name in anatomies if name not in self.anatomies]
        if unknown:
            raise DataError(
                f"{', '.join(unknown)} is not among the anatomies of the tensors "
                f"({', '.join(self.anatomies)}); run the tensors stage again"
            )
        return tuple(self.anatomies.index(name) for name in anatomies)

    def take(self, rows: Sequence[int] | None) -> "Manifest":
        """Return the manifest of some of the anatomies; None: of all."""
        if rows is None:
            return self
        return replace(self, anatomies=tuple(self.anatomies[row] for row in rows))


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
