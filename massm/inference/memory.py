"""Scans and surfaces that are in memory: arrays, and what ITK, VTK, nibabel and trimesh hold.

Objects of other libraries are known by their methods, so that none of these has to be imported, or
even installed, for another's sake.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.io import images, meshes
from massm.io.errors import DataError, SeveralLabelsError

Triple = Sequence[float] | Sequence[int] | np.ndarray
"""Three numbers along x, y, z."""

_SCANS = (
    "a path, a NumPy array (z, y, x) with spacing, or an image of itk, SimpleITK, vtk or nibabel"
)
_SURFACES = "a path, a vtkPolyData, a pair (vertices, faces), or an object with both (trimesh)"
_UNITY = 1e-3  # axes this far from unit length and right angles are no rotation


def volume_of(
    scan: Any,
    *,
    spacing: Triple | None = None,
    origin: Triple | None = None,
    direction: Any = None,
) -> Volume:
    """Take a scan out of memory.

    Args:
        scan: NumPy array of axes z, y, x; an image of itk or SimpleITK, LPS as theirs are; a
            vtkImageData, whose frame is taken as LPS; an image of nibabel, RAS as theirs are.
        spacing: Voxel size along x, y, z, mm; of an array alone, which needs it.
        origin: LPS mm of the center of voxel (0, 0, 0); of an array alone, by default (0, 0, 0).
        direction: 3 x 3, its columns the directions of the x, y, z index axes in LPS; of an array
            alone, by default the identity.

    Raises:
        DataError: If it is something else, not 3D, or its place makes no sense.
    """
    if isinstance(scan, np.ndarray):
        return _of_array(scan, spacing, origin, direction)
    if spacing is not None or origin is not None or direction is not None:
        raise DataError(
            f"spacing, origin and direction belong to an array, {_kind(scan)} has its own; leave "
            "them out"
        )
    if isinstance(scan, Volume):
        return scan
    if hasattr(scan, "GetPointData") and hasattr(scan, "GetDirectionMatrix"):
        return _of_vtk(scan)
    if hasattr(scan, "GetDirection") and hasattr(scan, "GetSpacing"):
        return _of_itk(scan)
    if hasattr(scan, "dataobj") and hasattr(scan, "affine"):
        return _of_nibabel(scan)
    raise DataError(f"a scan of type {_kind(scan)} is not known; give {_SCANS}")


def segmentation_of(image: Volume, label: int | None) -> images.Segmentation:
    """Take an anatomy out of an image in memory, by the rules for files.

    Args:
        image: A mask (all voxels of one value), a label map, or a signed distance (mm).
        label: The anatomy's value in a label map; None for the others.

    Raises:
        SeveralLabelsError: If it is a label map and no label is given.
        DataError: If it is none of these; says what it holds.
    """
    with tempfile.TemporaryDirectory(prefix="massm-") as folder:
        path = Path(folder) / "image.mha"
        images.write_image(image.with_array(_storable(image.array)), path)
        try:
            return images.read_segmentation(path, label)
        except SeveralLabelsError as error:
            raise SeveralLabelsError(error.found.replace(str(path), "the image")) from error
        except DataError as error:
            raise DataError(str(error).replace(str(path), "the image")) from error


def mesh_of(shape: Any) -> Mesh:
    """Take a surface of triangles out of memory, LPS mm.

    Args:
        shape: A :class:`Mesh`, a vtkPolyData, a pair (vertices (V, 3), faces (F, 3)), or an object
            with such ``vertices`` and ``faces``, as trimesh's.

    Raises:
        DataError: If it is something else, or its arrays make no surface.
    """
    if isinstance(shape, Mesh):
        return shape
    if hasattr(shape, "GetPolys") and hasattr(shape, "GetPoints"):
        return _of_polydata(shape)
    if hasattr(shape, "vertices") and hasattr(shape, "faces"):
        shape = (shape.vertices, shape.faces)
    if isinstance(shape, tuple | list) and len(shape) == 2:
        return _of_arrays(np.asarray(shape[0]), np.asarray(shape[1]))
    raise DataError(f"a surface of type {_kind(shape)} is not known; give {_SURFACES}")


def is_surface(shape: Any) -> bool:
    """Tell whether an object in memory is a surface, not an image."""
    is_pair = isinstance(shape, tuple | list) and len(shape) == 2
    is_vtk = hasattr(shape, "GetPolys")
    return isinstance(shape, Mesh) or is_pair or is_vtk or hasattr(shape, "faces")


def _storable(array: np.ndarray) -> np.ndarray:
    """Give values a type that itk writes; none of them changes by more than single precision."""
    if array.dtype.name in ("bool", "uint8", "int16", "uint16", "int32", "float32", "float64"):
        return array
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    fits = np.iinfo(np.int32).min <= array.min() and array.max() <= np.iinfo(np.int32).max
    return array.astype(np.int32 if fits else np.float64)


def _kind(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _of_array(
    array: np.ndarray, spacing: Triple | None, origin: Triple | None, axes: Any
) -> Volume:
    if spacing is None:
        raise DataError("an array does not say its voxel size; give spacing=(x, y, z) in mm")
    place = np.zeros(3) if origin is None else _three(origin, "origin")
    matrix = np.eye(3) if axes is None else np.asarray(axes, float)
    return _placed(array, _three(spacing, "spacing"), place, matrix)


def _three(values: Triple, what: str) -> np.ndarray:
    found = np.asarray(values, float)
    if found.shape != (3,) or not np.isfinite(found).all():
        raise DataError(f"{what} is {values}, expected three numbers along x, y, z in mm")
    return found


def _placed(
    array: np.ndarray, spacing: np.ndarray, origin: np.ndarray, direction: np.ndarray
) -> Volume:
    """Put values on a grid that makes sense."""
    if array.ndim != 3 or array.size == 0:
        raise DataError(f"a scan of shape {array.shape}, expected three axes (z, y, x)")
    if array.dtype.kind not in "biuf":
        raise DataError(f"a scan of {array.dtype}, expected real numbers (Hounsfield units)")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DataError("a scan that holds what is no finite number; repair it")
    if not (spacing > 0).all():
        raise DataError(f"voxel size {spacing.tolist()}, expected three lengths above 0 in mm")
    if direction.shape != (3, 3):
        raise DataError(f"direction has shape {direction.shape}, expected 3 x 3")
    if not np.allclose(direction.T @ direction, np.eye(3), atol=_UNITY):
        raise DataError(
            f"direction {direction.tolist()} has axes that are not of unit length at right angles"
        )
    return Volume(array, spacing, origin, direction)


def _of_itk(image: Any) -> Volume:
    spacing = np.asarray(image.GetSpacing(), float)
    if len(spacing) != 3:
        raise DataError(f"{_kind(image)} of {len(spacing)} dimensions, expected 3")
    direction = np.asarray(image.GetDirection(), float).reshape(3, 3)
    origin = np.asarray(image.GetOrigin(), float)
    return _placed(_values_of(image), spacing, origin, direction)


def _values_of(image: Any) -> np.ndarray:
    """Copy the voxels of an image of itk or SimpleITK, axes z, y, x."""
    if type(image).__module__.split(".")[0] == "SimpleITK":
        import SimpleITK  # whoever has such an image has it

        return np.asarray(SimpleITK.GetArrayFromImage(image))
    import itk

    return np.asarray(itk.array_from_image(image))


def _of_vtk(image: Any) -> Volume:
    from vtkmodules.util.numpy_support import vtk_to_numpy

    scalars = image.GetPointData().GetScalars()
    if scalars is None or scalars.GetNumberOfComponents() != 1:
        raise DataError("a vtkImageData without scalars of one component; give the CT's values")
    array = vtk_to_numpy(scalars).reshape(image.GetDimensions()[::-1])
    matrix = image.GetDirectionMatrix()
    direction = np.array([[matrix.GetElement(i, j) for j in range(3)] for i in range(3)])
    first = np.array(image.GetExtent()[::2], float)  # index of the first voxel
    spacing, origin = np.array(image.GetSpacing()), np.array(image.GetOrigin())
    return _placed(array, spacing, origin + direction @ (spacing * first), direction)


def _of_nibabel(image: Any) -> Volume:
    """Read an image by way of a file, so that it is read as its file would be."""
    import nibabel

    with tempfile.TemporaryDirectory(prefix="massm-") as folder:
        path = Path(folder) / "image.nii"
        copy = nibabel.Nifti1Image.from_image(image)
        if copy.header.get_xyzt_units()[0] == "unknown":
            copy.header.set_xyzt_units("mm")
        copy.to_filename(path)
        try:
            return images.read_scan(path).volume
        except DataError as error:
            raise DataError(str(error).replace(str(path), "the image")) from error


def _of_polydata(data: Any) -> Mesh:
    try:
        return meshes.from_vtk(data)
    except ValueError as error:
        raise DataError(f"the vtkPolyData is no surface of triangles: {error}") from error


def _of_arrays(vertices: np.ndarray, faces: np.ndarray) -> Mesh:
    if vertices.ndim != 2 or vertices.shape[1] != 3 or not np.isfinite(vertices).all():
        raise DataError(f"vertices of shape {vertices.shape}, expected V x 3 finite numbers in mm")
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.dtype.kind not in "iu":
        raise DataError(
            f"faces of shape {faces.shape} and type {faces.dtype}, expected F x 3 whole numbers"
        )
    if faces.size == 0 or faces.min() < 0 or faces.max() >= len(vertices):
        raise DataError(f"faces name other vertices than the {len(vertices)} that there are")
    return Mesh(vertices.astype(float), faces.astype(np.int64))
