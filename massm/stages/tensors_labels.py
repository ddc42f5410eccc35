"""Export which anatomy each voxel belongs to, for networks that are trained on masks."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from massm.config.tensors import ExportConfig
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.io import meshes, tables, tensors
from massm.io.cohort import AnatomyRecord, read_cohort
from massm.io.errors import DataError
from massm.io.fingerprint import digest
from massm.io.images import Segmentation
from massm.io.sources import SurfaceFile, read_voxels
from massm.stages._command import stage_main
from massm.tensors.dataset import label_file, load_scan
from massm.tensors.images import Scan
from massm.tensors.label_export import MOST, label_map

log = logging.getLogger(__name__)

_LEARNED_FROM = ("train", "validation")


def run(
    config: ExportConfig,
    *,
    anatomies: list[str],
    subjects: list[str],
    cohort: Path,
    tensors_folder: Path,
    output: Path,
    done: Path,
) -> None:
    """Write ``{subject}.safetensors`` with the labels of each subject on its finest grid.

    Of an anatomy that is excluded nothing is known: it is in no voxel and not among the known ones.

    Args:
        config: Says how fine the finest image is.
        anatomies: Their order.
        subjects: Subjects of this job, of the training and validation split.
        cohort: ``dataset/cohort.tsv``.
        tensors_folder: Holds ``{subject}.safetensors`` with the images.
        output: Folder ``tensors/labels``.
        done: Table of the batch: the hash of each subject's file.

    Raises:
        DataError: If a subject is of the test split, or there are more anatomies than a byte
            counts.
    """
    if len(anatomies) > MOST:
        raise DataError(f"labels are bytes: found {len(anatomies)} anatomies, expected {MOST}")
    records = {(row.subject, row.anatomy): row for row in read_cohort(cohort)}
    hashes = {}
    for count, subject in enumerate(subjects, start=1):
        rows = [records.get((subject, name)) for name in anatomies]
        scan = load_scan(tensors_folder / f"{subject}.safetensors", subject)
        arrays = _labels_of(rows, scan, config.finest_spacing_mm)
        path = label_file(output, subject)
        tensors.save(arrays, path)
        hashes[subject] = digest(path)
        voxels = np.bincount(arrays["labels"].ravel(), minlength=len(anatomies) + 1)[1:]
        told = ", ".join(f"{name} {n}" for name, n in zip(anatomies, voxels, strict=True))
        log.info("%d/%d %s: voxels of %s", count, len(subjects), subject, told)
    tables.write_table(pd.DataFrame(hashes.items(), columns=["subject", "sha256"]), done)


def _labels_of(
    rows: list[AnatomyRecord | None], scan: Scan, spacing_mm: float
) -> dict[str, np.ndarray]:
    other = next((row for row in rows if row and row.split not in _LEARNED_FROM), None)
    if other is not None:
        raise DataError(
            f"{other.subject} is of the split {other.split}: labels are exported of "
            f"{' and '.join(_LEARNED_FROM)} alone"
        )
    grid = _grid_of(scan, spacing_mm)
    drawn = {number: _drawn(row) for number, row in enumerate(rows, start=1) if row and row.is_used}
    return {
        "labels": label_map(grid, drawn),
        "origin": grid.origin,
        "known": np.array([row is not None and row.status != "excluded" for row in rows], np.uint8),
    }


def _grid_of(scan: Scan, spacing_mm: float) -> Volume:
    """Return the grid of the finest image of a subject."""
    image, origin = (scan.image, scan.origin)
    if scan.fine is not None and scan.fine_origin is not None:
        image, origin = scan.fine, scan.fine_origin
    return Volume(image.numpy(), np.full(3, spacing_mm), origin.double().numpy())


def _drawn(row: AnatomyRecord) -> Segmentation | Mesh:
    source = row.file
    return meshes.read(source.path) if isinstance(source, SurfaceFile) else read_voxels(source)


if __name__ == "__main__":
    stage_main(run)
