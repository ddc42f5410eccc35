"""The masks of one subject, from whatever its files hold, and their measures."""

from collections.abc import Sequence

import numpy as np

from massm.audit.files import MeasuredMask
from massm.audit.measures import measure_masks
from massm.evaluate.overlap import voxelize
from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.io import meshes
from massm.io.cohort import AnatomyRecord
from massm.io.errors import FAILURES, DataError
from massm.io.images import read_scan
from massm.io.sources import Source, SurfaceFile, read_voxels

_SPACING_MM = 2.0  # of the voxels that a mesh is filled with


def measure_subject(rows: Sequence[AnatomyRecord]) -> list[MeasuredMask]:
    """Read and measure the masks of one subject; one that cannot be read costs no other.

    Args:
        rows: Its anatomies that are used, in the cohort's table.
    """
    try:
        image = None if rows[0].image is None else read_scan(rows[0].image).volume
    except FAILURES as error:
        return [MeasuredMask(row.subject, row.anatomy, None, str(error)) for row in rows]
    masks, faults = {}, {}
    for row in rows:
        try:
            masks[row.anatomy] = read_mask(row.file)
        except FAILURES as error:
            faults[row.anatomy] = str(error)
    measures = measure_masks(image, masks)
    return [
        MeasuredMask(
            row.subject, row.anatomy, measures.get(row.anatomy), faults.get(row.anatomy, "")
        )
        for row in rows
    ]


def read_mask(source: Source) -> Volume:
    """Read an anatomy as booleans; a mesh is filled with voxels of 2 mm.

    Raises:
        DataError: If it cannot be read or is empty.
    """
    if isinstance(source, SurfaceFile):
        mask = _filled(meshes.read(source.path))
    else:
        found = read_voxels(source).inside
        mask = found.with_array(found.array.astype(bool, copy=False))
    if not mask.array.any():
        raise DataError(f"{source.path}: the mask is empty")
    return mask


def _filled(mesh: Mesh) -> Volume:
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    size = np.ceil((high - low) / _SPACING_MM).astype(int)
    first = low + _SPACING_MM / 2  # centers lie on no face of a box
    grid = Volume(np.zeros(size[::-1], bool), np.full(3, _SPACING_MM), first)
    inside, start = voxelize(mesh, grid)
    window = tuple(slice(a, a + n) for a, n in zip(start, inside.shape, strict=True))
    grid.array[window] = inside
    return grid
