"""What the file of an anatomy holds, as the survey found it: nobody asks its name or values again.

A mask and a signed distance are images that only their values tell apart, and a label map is one
that holds other anatomies too; a surface is a mesh.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from massm.io.errors import DataError
from massm.io.images import Segmentation, read_segmentation

SourceKind = Literal["mask", "label_map", "distance", "surface"]


@dataclass(frozen=True)
class MaskFile:
    """An image that is 0 outside of the anatomy, or a DICOM segmentation of it alone."""

    path: Path


@dataclass(frozen=True)
class LabelMapFile:
    """An image, or a DICOM segmentation, in which the anatomy has a number."""

    path: Path
    label: int


@dataclass(frozen=True)
class DistanceFile:
    """An image of signed distances to the anatomy's surface, on a grid of its own."""

    path: Path


@dataclass(frozen=True)
class SurfaceFile:
    """A mesh."""

    path: Path


VoxelSource = MaskFile | LabelMapFile | DistanceFile
Source = VoxelSource | SurfaceFile


def source_of(kind: SourceKind, path: Path, label: int | None) -> Source:
    """Make the source of a kind.

    Raises:
        ValueError: If a label map comes without a label.
    """
    match kind:
        case "mask":
            return MaskFile(path)
        case "distance":
            return DistanceFile(path)
        case "surface":
            return SurfaceFile(path)
    if label is None:
        raise ValueError("a label map needs the label of the anatomy")
    return LabelMapFile(path, label)


def kind_of(found: Segmentation, label: int | None) -> SourceKind:
    """Name the kind of an image whose values were read.

    Args:
        found: As :func:`massm.io.images.read_segmentation` found it.
        label: The anatomy's number, if the data gives one.
    """
    if found.is_distance:
        return "distance"
    return "mask" if label is None else "label_map"


def read_voxels(source: VoxelSource) -> Segmentation:
    """Read a mask as booleans, a distance as mm with its inside positive.

    Raises:
        DataError: If the file is missing or damaged, or holds something else than the survey found.
    """
    label = source.label if isinstance(source, LabelMapFile) else None
    found = read_segmentation(source.path, label)
    if found.is_distance != isinstance(source, DistanceFile):
        words = ("a mask", "a signed distance")
        now, then = words[found.is_distance], words[not found.is_distance]
        raise DataError(
            f"{source.path}: holds {now}, but {then} when the cohort was surveyed; run the dataset "
            "stage again"
        )
    return found
