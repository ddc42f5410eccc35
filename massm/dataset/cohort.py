"""What a layout finds and what the checks make of it."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from massm.config.names import subject_fault
from massm.io.cohort import Status
from massm.io.sources import SourceKind


@dataclass(frozen=True)
class FoundAnatomy:
    """One anatomy of one subject, as found.

    Attributes:
        name: Of the anatomy.
        mask: Mask, label map, signed distance or mesh; None if there is no file.
        label: Its value in a label map; None for a mask or a mesh.
        fault: Why it cannot be used whatever its file holds; empty if nothing is known yet.
        note: What is odd about how the data names it; empty if nothing is.
    """

    name: str
    mask: Path | None
    label: int | None = None
    fault: str = ""
    note: str = ""


@dataclass(frozen=True)
class FoundSubject:
    """One subject, as found.

    Attributes:
        name: Its name.
        image: CT file or DICOM folder; None for a cohort of meshes or masks alone.
        split: As the data gives it, not checked; empty if the data gives none.
        anatomies: One for each that was asked for.
        fault: Why it cannot be used whatever its files hold; empty if nothing is known yet.
    """

    name: str
    image: Path | None
    split: str
    anatomies: tuple[FoundAnatomy, ...]
    fault: str = ""


@dataclass(frozen=True)
class CheckedAnatomy:
    """One anatomy of one subject after its mask was looked at.

    Attributes:
        found: As the layout found it.
        status: What becomes of it.
        reason: Why it is not used; empty if it is.
        volume_ml: Its volume; None where it could not be measured.
        note: What was repaired or is odd and does not stop it; empty if nothing is.
        source: What its file holds; None if it was not read.
    """

    found: FoundAnatomy
    status: Status
    reason: str = ""
    volume_ml: float | None = None
    note: str = ""
    source: SourceKind | None = None


@dataclass(frozen=True)
class CheckedSubject:
    """One subject after its files were looked at.

    Attributes:
        subject: As found.
        fault: Why it cannot be used; empty if it can.
        size: Voxels of the image along x, y, z; None without an image.
        spacing: Of the image, mm.
        anatomies: One for each that was asked for.
        note: What was repaired or is odd and does not stop it; empty if nothing is.
    """

    subject: FoundSubject
    fault: str = ""
    size: tuple[int, ...] | None = None
    spacing: tuple[float, ...] | None = None
    anatomies: tuple[CheckedAnatomy, ...] = field(default_factory=tuple)
    note: str = ""


Layout = Callable[[Path, Sequence[str]], list[FoundSubject]]


def mark_names(subjects: Sequence[FoundSubject]) -> list[FoundSubject]:
    """Mark subjects whose names cannot be names of files of their own.

    These are names that some file system does not take, and several that a disk may take for one:
    s0001 and S0001, or an accented letter written in two ways.
    """
    spellings: dict[str, set[str]] = {}
    for subject in subjects:
        spellings.setdefault(_as_on_disk(subject.name), set()).add(subject.name)
    return [_marked(subject, spellings[_as_on_disk(subject.name)]) for subject in subjects]


def _as_on_disk(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _marked(subject: FoundSubject, names: set[str]) -> FoundSubject:
    if subject.fault:
        return subject
    if len(names) > 1:
        fault = f"two subjects of one name: {', '.join(sorted(names))}; rename one"
        return replace(subject, fault=fault)
    return replace(subject, fault=subject_fault(subject.name))
