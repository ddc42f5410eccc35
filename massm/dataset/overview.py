"""A look at a cohort by its names alone, in seconds: what would be found, and what is odd."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from massm.dataset.cohort import FoundAnatomy, FoundSubject
from massm.dataset.layouts import LAYOUTS
from massm.io.errors import DataError
from massm.io.rows import SEPARATORS
from massm.io.suffixes import IMAGES
from massm.io.tables import read_texts

_MASKS = (*IMAGES, ".vtp", ".ply", ".stl", ".vtk", ".obj", ".dcm")


@dataclass(frozen=True)
class Overview:
    """What a cohort looks like.

    Attributes:
        layout: How it is laid out.
        subjects: Number of subjects.
        with_image: How many have a CT.
        splits: Subjects by the split that the data gives; empty without any.
        masks: Number of masks or meshes of each anatomy.
        formats: Number of files by ending; a DICOM folder is ``folder``.
        odd: One sentence for each thing that would not be used, or is not there.
    """

    layout: str
    subjects: int
    with_image: int
    splits: dict[str, int]
    masks: dict[str, int]
    formats: dict[str, int]
    odd: tuple[str, ...]


def look_at(root: Path, layout: str | None = None, anatomies: Sequence[str] = ()) -> Overview:
    """Look at a cohort; no image is opened and nothing is written.

    Args:
        root: Folder or table.
        layout: One of ``LAYOUTS``; by default a file is a table and a folder TotalSegmentator's.
        anatomies: Which to look for; by default all that the data names.

    Raises:
        DataError: If there is no cohort, or the layout is not known.
    """
    if not root.exists():
        raise DataError(f"{root}: no such folder or table; name where the cohort lies")
    if layout is not None and layout not in LAYOUTS:
        raise DataError(f"dataset.layout is {layout}, expected one of {', '.join(LAYOUTS)}")
    layout = layout or ("table" if root.is_file() else "totalsegmentator")
    wanted = list(anatomies) or _named(root)
    if not wanted:
        raise DataError(f"{root}: no mask of any anatomy; expected s0000/segmentations/NAME.nii.gz")
    subjects = LAYOUTS[layout](root, wanted)
    found = [anatomy for subject in subjects for anatomy in subject.anatomies]
    files = [subject.image for subject in subjects] + [anatomy.mask for anatomy in found]
    there = [path for path in files if path is not None]
    return Overview(
        layout=layout,
        subjects=len(subjects),
        with_image=sum(subject.image is not None for subject in subjects),
        splits=dict(Counter(subject.split for subject in subjects if subject.split)),
        masks={
            name: sum(anatomy.name == name and _is_there(anatomy) for anatomy in found)
            for name in wanted
        },
        formats=dict(Counter(_ending(path) for path in there).most_common()),
        odd=tuple(_oddities(root, subjects)),
    )


def _named(root: Path) -> list[str]:
    """Name the anatomies that the data has, the most frequent first."""
    if root.is_file():
        table = read_texts(root)
        names = Counter(table["anatomy"]) if "anatomy" in table else Counter()
        return [name for name, _ in names.most_common() if name] or [""]
    files = root.glob("*/segmentations/*")
    names = Counter(path.name.partition(".")[0] for path in files if not _is_hidden(path))
    return sorted(names, key=lambda name: (-names[name], name))


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".")


def _is_there(anatomy: FoundAnatomy) -> bool:
    return anatomy.mask is not None and anatomy.mask.exists()


def _ending(path: Path) -> str:
    if path.is_dir():
        return "folder"
    name = path.name.lower()
    return next((ending for ending in _MASKS if name.endswith(ending)), path.suffix or "none")


def _oddities(root: Path, subjects: Sequence[FoundSubject]) -> Iterator[str]:
    for subject in subjects:
        if subject.fault:
            yield f"{subject.name}: {subject.fault}"
        if subject.image is not None and not subject.image.exists():
            yield f"{subject.name}: no file {subject.image}"
        for anatomy in subject.anatomies:
            if anatomy.fault and not subject.fault:
                yield f"{subject.name}, {anatomy.name}: {anatomy.fault}"
            elif anatomy.mask is not None and not anatomy.mask.exists():
                yield f"{subject.name}, {anatomy.name}: no file {anatomy.mask}"
    if root.is_dir():
        yield from _strangers(root, {subject.name for subject in subjects})


def _strangers(root: Path, known: set[str]) -> Iterator[str]:
    """Name what lies beside the subjects and is not read."""
    for path in sorted(root.iterdir()):
        is_meta = path.stem.lower() == "meta" and path.suffix.lower() in SEPARATORS
        if path.name not in known and not is_meta and not _is_hidden(path):
            what = "a folder without CT and segmentations" if path.is_dir() else "a file"
            yield f"{path.name}: {what}, not read"
