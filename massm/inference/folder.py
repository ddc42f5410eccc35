"""What a model folder says of itself, without weights and shapes: read without loading torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from massm.inference.facts import Facts
from massm.inference.trust.kinds import OF_ANATOMY, OF_SCAN
from massm.io import documents
from massm.io.damage import named
from massm.io.errors import DataError
from massm.io.fingerprint import digest
from massm.io.intervals import Intervals, read_intervals
from massm.io.text import read_text
from massm.io.trust import TrustTables, read_trust
from massm.models.files import DESCRIPTION, VERSION, WEIGHTS

SHAPES, FITS, CARD = "shapes.safetensors", "fit.safetensors", "card.md"
INTERVALS, TRUST = "intervals.npz", "trust.npz"  # of folders that have some
SCHEMA = 2
ADVICE = "take the whole folder from where it came, or make it anew (snakemake bundle)"


@dataclass(frozen=True)
class ModelFolder:
    """A model folder whose files are those that it names; weights and shapes unread.

    Attributes:
        folder: Where it lies.
        description: What is said of the trained model: anatomies, particles, thresholds,
            preprocessing, as :func:`massm.models.saved.document_of` lays it out.
        facts: How it predicts, and what it was made of.
        card: The model card, Markdown.
        regularization_mm: Smoothing of the warp of each anatomy.
        training_shapes: How many training subjects are behind the statistics of each.
        versions: Versions of the packages that the folder was made with.
        commit: Commit of the code that made it; None if that is not known.
        files: SHA-256 of each file but ``model.json``.
        intervals: How far off particles may be; None: it says nothing of that.
        trust: What is usual of its predictions; None: it says nothing of that.
    """

    folder: Path
    description: Mapping[str, Any]
    facts: Facts
    card: str
    regularization_mm: dict[str, float]
    training_shapes: dict[str, int]
    versions: dict[str, str]
    commit: str | None
    files: dict[str, str]
    intervals: Intervals | None
    trust: TrustTables | None

    @property
    def anatomies(self) -> tuple[str, ...]:
        """The anatomies that it finds."""
        return tuple(self.description["anatomies"])

    @property
    def bytes(self) -> int:
        """How large it is."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def read_folder(folder: Path) -> ModelFolder:
    """Read what a model folder says of itself, and check that its files are the ones it names.

    Raises:
        DataError: If it is no model folder, a file is missing or does not fit its hash, or a newer
            version has made it.
    """
    path = folder / DESCRIPTION
    if not path.is_file():
        raise DataError(f"{folder} is no model folder: it lacks {DESCRIPTION}; {ADVICE}")
    document = documents.read_json(path)
    own = document.get("bundle")
    if not isinstance(own, dict):
        raise DataError(
            f"{path} describes a trained model without its shapes; {ADVICE}, or name that folder"
        )
    _refuse_other_version(own.get("schema"), SCHEMA, path, "schema")
    _refuse_other_version(document.get("version"), VERSION, path, "version")
    with named(path, "not the description of a model folder", ADVICE):
        files = {str(name): str(mark) for name, mark in own["files"].items()}
        refuse_changed(folder, {name: files[name] for name in (WEIGHTS, SHAPES, CARD)} | files)
        found = ModelFolder(
            folder=folder,
            description=_described(document),
            facts=Facts.of_document(own),
            card=read_text(folder / CARD),
            regularization_mm={str(k): float(mm) for k, mm in own["regularization_mm"].items()},
            training_shapes={str(k): int(count) for k, count in own["training_shapes"].items()},
            versions=dict(own["versions"]),
            commit=own["commit"],
            files=files,
            intervals=read_intervals(folder / INTERVALS) if INTERVALS in files else None,
            trust=read_trust(folder / TRUST) if TRUST in files else None,
        )
    if found.intervals is not None:
        refuse_other_intervals(found.intervals, found.description, folder / INTERVALS)
    if found.trust is not None:
        refuse_other_trust(found.trust, found.description, folder / TRUST)
    for anatomy in found.anatomies:
        if anatomy not in found.regularization_mm or anatomy not in found.training_shapes:
            raise DataError(f"{path} does not say how {anatomy} is warped; {ADVICE}")
    return found


def refuse_other_intervals(
    intervals: Intervals, description: Mapping[str, Any], path: Path
) -> None:
    """Refuse intervals of another model.

    Args:
        intervals: Read from ``path``.
        description: Anatomies and number of particles of the model.
        path: Their file.

    Raises:
        DataError: If an anatomy or a particle is missing.
    """
    for anatomy in description["anatomies"]:
        own = intervals.anatomies.get(anatomy)
        if own is None:
            raise DataError(f"{path} says nothing of {anatomy}; {ADVICE}")
        found, expected = len(own.spread_mm), description["particles"]
        if found != expected:
            raise DataError(
                f"{path}: {anatomy} has {found} particles, expected {expected}; {ADVICE}"
            )


def refuse_other_trust(tables: TrustTables, description: Mapping[str, Any], path: Path) -> None:
    """Refuse tables of another model, or of another version's evidence.

    Args:
        tables: Read from ``path``.
        description: Anatomies of the model.
        path: Their file.

    Raises:
        DataError: If anatomies or evidence are not those that are expected.
    """
    for what, found, expected in (
        ("anatomies", sorted(tables.anatomies), sorted(description["anatomies"])),
        ("evidence", list(tables.evidence), list(OF_ANATOMY)),
        ("evidence of scans", list(tables.scan_evidence), list(OF_SCAN)),
    ):
        if found != expected:
            raise DataError(
                f"{path}: {what} are {', '.join(found)}, expected {', '.join(expected)}; {ADVICE}"
            )


def refuse_changed(folder: Path, hashes: Mapping[str, str]) -> None:
    """Refuse files that are not those whose SHA-256 was written down.

    Raises:
        DataError: Naming the file, with both hashes.
    """
    for name, expected in hashes.items():
        if Path(name).name != name or not (folder / name).is_file():
            raise DataError(f"{folder} lacks {name}; {ADVICE}")
        found = digest(folder / name)
        if found != expected:
            raise DataError(
                f"{folder / name} is not the file that belongs to {DESCRIPTION}: its SHA-256 is "
                f"{found}, expected {expected}; {ADVICE}"
            )


def _described(document: Mapping[str, Any]) -> dict[str, Any]:
    """Take the description of the trained model; all that is shown of it has to be there."""
    for name in ("anatomies", "particles", "thresholds", "preprocessing"):
        document[name]
    return {name: value for name, value in document.items() if name != "bundle"}


def _refuse_other_version(found: Any, known: int, path: Path, what: str) -> None:
    if not isinstance(found, int):
        raise DataError(f"{path}: {what} {found}, expected {known}; {ADVICE}")
    if found > known:
        raise DataError(
            f"{path}: {what} {found} is newer than this massm, which reads {known}; update massm"
        )
    if found < known:
        raise DataError(f"{path}: {what} {found} is older than what is read, {known}; {ADVICE}")
