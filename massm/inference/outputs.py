"""The folder of one scan: everything that ``massm predict`` writes, whole or not at all."""

from dataclasses import dataclass
from pathlib import Path

from massm.inference.bundle import Bundle
from massm.inference.shapes import ScanShapes
from massm.inference.sources import Source

MESH_FORMATS = (".vtp", ".stl", ".ply", ".obj", ".glb")


@dataclass(frozen=True)
class OutputOptions:
    """What is written beside particles, ``.vtp`` surfaces and ``shape.json``.

    Attributes:
        mesh_formats: Further endings of :data:`MESH_FORMATS`; ``.glb`` is one scene of all.
        label_map: ``segmentation.nii.gz`` and ``segmentation.seg.nrrd``, on the scan's grid.
        page: ``index.html``.
        dicom_seg: ``segmentation.dcm``, for a scan that is DICOM.
        replace: Put the results in the place of those that are there; else refuse.
    """

    mesh_formats: tuple[str, ...] = ()
    label_map: bool = True
    page: bool = True
    dicom_seg: bool = False
    replace: bool = False


@dataclass(frozen=True)
class Written:
    """What became of a scan.

    Attributes:
        folder: Where its results are.
        page: Its page; None if none was asked for.
        notes: What the user should know, as that DICOM SEG could not be written, and why.
    """

    folder: Path
    page: Path | None
    notes: tuple[str, ...]


def write_scan(
    shapes: ScanShapes, source: Source, bundle: Bundle, folder: Path, options: OutputOptions
) -> Written:
    """Write the results of one scan, whole or not at all.

    Args:
        shapes: From :func:`massm.inference.describe.describe_scan`.
        source: The scan.
        bundle: The model that made them.
        folder: ``OUT/NAME``.
        options: What to write.

    Raises:
        DataError: If the folder is there already and is not to be replaced, or for an unknown
            mesh format.
        OSError: If it cannot be written.
    """
    raise NotImplementedError
