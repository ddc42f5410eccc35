"""The tables of the cohort, typed: subjects, subjects x anatomies, and what grooming made of these.

The fields are the columns, in their order; nothing else knows the names of these columns.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from massm.io.errors import DataError
from massm.io.records import read_records, write_records
from massm.io.sources import Source, SourceKind, source_of

Status = Literal["used", "absent", "excluded"]
GroomStatus = Literal["groomed", "failed"]


@dataclass(frozen=True)
class SubjectRecord:
    """A row of ``dataset/subjects.tsv``: one subject.

    Attributes:
        subject: Its name.
        split: train, validation or test; empty if the data's split cannot be read.
        status: Whether it is used.
        reason: Why it is not; empty if it is.
        note: What was repaired or is odd and does not stop it; empty if nothing is.
        image: CT file or DICOM folder; None in a cohort of masks or meshes alone.
        size_x: Voxels of the image along x; None without an image that can be read.
        size_y: The same along y.
        size_z: The same along z.
        spacing_x: Voxel size along x, mm; None without an image that can be read.
        spacing_y: The same along y.
        spacing_z: The same along z.
    """

    subject: str
    split: str
    status: Literal["used", "excluded"]
    reason: str
    note: str = ""
    image: Path | None = None
    size_x: int | None = None
    size_y: int | None = None
    size_z: int | None = None
    spacing_x: float | None = None
    spacing_y: float | None = None
    spacing_z: float | None = None

    @property
    def is_used(self) -> bool:
        """Whether anything of it can be used."""
        return self.status == "used"


@dataclass(frozen=True)
class AnatomyRecord:
    """A row of ``dataset/cohort.tsv``: one anatomy of one subject.

    Attributes:
        subject: Name of the subject.
        anatomy: Name of the anatomy.
        split: train, validation or test; empty if the data's split cannot be read.
        status: What becomes of it: ``absent`` is known not to be in the image, of an ``excluded``
            one nothing is known.
        reason: Why it is not used; empty if it is.
        note: What was repaired or is odd and does not stop it; empty if nothing is.
        image: The subject's CT file or DICOM folder; None in a cohort of masks or meshes alone.
        mask: File of the anatomy, whatever it holds; None if there is none.
        label: The anatomy's number in a label map; None in all other files.
        volume_ml: Its volume; None where it could not be measured.
        source: What its file holds; None if that could not be found out, which excludes it.
    """

    subject: str
    anatomy: str
    split: str
    status: Status
    reason: str = ""
    note: str = ""
    image: Path | None = None
    mask: Path | None = None
    label: int | None = None
    volume_ml: float | None = None
    source: SourceKind | None = None

    @property
    def is_used(self) -> bool:
        """Whether it can be used."""
        return self.status == "used"

    @property
    def file(self) -> Source:
        """The file of an anatomy that is used.

        Raises:
            DataError: If the survey does not tell which one, or what it holds.
        """
        try:
            if self.mask is not None and self.source is not None:
                return source_of(self.source, self.mask, self.label)
            fault = f"mask {self.mask or 'none'}, source {self.source or 'unknown'}"
        except ValueError as error:
            fault = str(error)
        raise DataError(
            f"{self.subject} {self.anatomy}: no file to read ({fault}); run the dataset stage again"
        )


@dataclass(frozen=True)
class GroomRecord:
    """A row of ``groom/index/{batch}.tsv``: one anatomy of one subject that was to be groomed.

    Attributes:
        subject: Name of the subject.
        anatomy: Name of the anatomy.
        split: As in the cohort.
        status: Whether there is a surface.
        reason: Why there is none; empty if there is one.
        surface: The surface's file, from the results folder on; None if grooming failed.
        volume_ml: Volume of the surface.
        mask_volume_ml: Volume of what was groomed.
        faces: Triangles of the surface; 0 if grooming failed.
        surface_error_mm: Mean distance between the surface and what was groomed.
        surface_error_p95_mm: 95th percentile of it.
        genus: Handles of the surface.
        sha256: Hash of the surface's file; empty if grooming failed.
    """

    subject: str
    anatomy: str
    split: str
    status: GroomStatus
    reason: str = ""
    surface: Path | None = None
    volume_ml: float = float("nan")
    mask_volume_ml: float = float("nan")
    faces: int = 0
    surface_error_mm: float = float("nan")
    surface_error_p95_mm: float = float("nan")
    genus: int = 0
    sha256: str = ""

    def surface_in(self, results: Path) -> Path:
        """Say where the surface lies.

        Args:
            results: The results folder.

        Raises:
            DataError: If grooming failed.
        """
        if self.surface is None:
            raise DataError(f"{self.subject} {self.anatomy} has no groomed surface: {self.reason}")
        return results / self.surface


@dataclass(frozen=True)
class CountRecord:
    """A row of ``dataset/counts.tsv``: how many subjects' files of an anatomy can be used.

    Attributes:
        anatomy: Its name.
        train: Usable ones of the training split.
        validation: Usable ones of the validation split.
        test: Usable ones of the test split.
        absent: Known not to be in the image.
        excluded: Those that cannot be used.
    """

    anatomy: str
    train: int
    validation: int
    test: int
    absent: int
    excluded: int


def read_subject_table(path: Path) -> list[SubjectRecord]:
    """Read ``dataset/subjects.tsv``.

    Raises:
        DataError: See :func:`massm.io.records.read_records`.
    """
    return read_records(SubjectRecord, path)


def write_subject_table(records: Sequence[SubjectRecord], path: Path) -> None:
    """Write ``dataset/subjects.tsv``."""
    write_records(SubjectRecord, records, path)


def read_cohort(path: Path) -> list[AnatomyRecord]:
    """Read ``dataset/cohort.tsv``.

    Raises:
        DataError: See :func:`massm.io.records.read_records`; so is a table without the column
            ``source``, as older versions wrote it: what a file holds is not guessed a second time.
    """
    return read_records(AnatomyRecord, path)


def write_cohort(records: Sequence[AnatomyRecord], path: Path) -> None:
    """Write ``dataset/cohort.tsv``."""
    write_records(AnatomyRecord, records, path)


def read_groomed(paths: Iterable[Path]) -> list[GroomRecord]:
    """Read ``groom/index/*.tsv``, one after the other.

    Raises:
        DataError: See :func:`massm.io.records.read_records`.
    """
    return [record for path in paths for record in read_records(GroomRecord, path)]


def write_groomed(records: Sequence[GroomRecord], path: Path) -> None:
    """Write one batch's ``groom/index/{batch}.tsv``."""
    write_records(GroomRecord, records, path)


def write_counts(records: Sequence[CountRecord], path: Path) -> None:
    """Write ``dataset/counts.tsv``."""
    write_records(CountRecord, records, path)
