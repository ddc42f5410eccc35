"""What is in memory comes out at its place, whoever holds it; what makes no sense is refused."""

from types import SimpleNamespace

import itk
import nibabel
import numpy as np
import pytest
import SimpleITK
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkCommonMath import vtkMatrix3x3

from massm.inference.memory import is_surface, mesh_of, volume_of
from massm.io import meshes
from massm.io.errors import DataError


def as_simpleitk(volume):
    image = SimpleITK.GetImageFromArray(volume.array)
    image.SetSpacing(volume.spacing.tolist())
    image.SetOrigin(volume.origin.tolist())
    image.SetDirection(volume.direction.ravel().tolist())
    return image


def as_itk(volume):
    image = itk.image_from_array(volume.array)
    image.SetSpacing(volume.spacing.tolist())
    image.SetOrigin(volume.origin.tolist())
    image.SetDirection(volume.direction)
    return image


def as_nibabel(volume):
    turn = np.diag([-1.0, -1, 1, 1])
    return nibabel.Nifti1Image(volume.array.T, turn @ volume.affine)


def as_vtk(volume):
    image, matrix = vtkImageData(), vtkMatrix3x3()
    for i in range(3):
        for j in range(3):
            matrix.SetElement(i, j, volume.direction[i, j])
    image.SetDimensions(*volume.size)
    image.SetSpacing(*volume.spacing)
    image.SetOrigin(*volume.origin)
    image.SetDirectionMatrix(matrix)
    image.GetPointData().SetScalars(numpy_to_vtk(volume.array.ravel(), deep=True))
    return image


@pytest.mark.parametrize("hold", [as_simpleitk, as_itk, as_nibabel, as_vtk])
def test_images_of_other_libraries_keep_values_and_place(hold, volume):
    found = volume_of(hold(volume))
    np.testing.assert_allclose(found.affine, volume.affine, atol=1e-4)
    np.testing.assert_array_equal(found.array, volume.array)


def test_an_array_needs_its_voxel_size(volume):
    place = {"spacing": volume.spacing, "origin": list(volume.origin)}
    found = volume_of(volume.array, **place, direction=volume.direction)
    np.testing.assert_allclose(found.affine, volume.affine)
    assert volume_of(volume.array, spacing=(1, 2, 3)).affine.tolist()[2] == [0, 0, 3, 0]
    with pytest.raises(DataError, match=r"give spacing=\(x, y, z\)"):
        volume_of(volume.array)


@pytest.mark.parametrize(
    ("scan", "place", "message"),
    [
        (np.zeros((2, 3)), {"spacing": (1, 1, 1)}, r"shape \(2, 3\), expected three axes"),
        (np.zeros((2, 3, 4), complex), {"spacing": (1, 1, 1)}, "complex128, expected real"),
        (np.full((2, 3, 4), np.nan), {"spacing": (1, 1, 1)}, "no finite number"),
        (np.zeros((2, 3, 4)), {"spacing": (1, 0, 1)}, "three lengths above 0"),
        (np.zeros((2, 3, 4)), {"spacing": (1, 1)}, "three numbers along x, y, z"),
        (
            np.zeros((2, 3, 4)),
            {"spacing": (1, 1, 1), "direction": np.ones((3, 3))},
            "unit length at right angles",
        ),
        ("x".join, {}, r"builtin_function_or_method is not known; give a path"),
        (SimpleNamespace(), {"spacing": (1, 1, 1)}, "belong to an array"),
    ],
)
def test_what_is_no_scan_is_refused_with_what_was_found(scan, place, message):
    with pytest.raises(DataError, match=message):
        volume_of(scan, **place)


def test_surfaces_are_known_by_what_they_have(cube):
    trimesh_like = SimpleNamespace(vertices=cube.vertices, faces=cube.faces)
    for shape in (cube, meshes.to_vtk(cube), (cube.vertices, cube.faces), trimesh_like):
        assert is_surface(shape)
        found = mesh_of(shape)
        np.testing.assert_allclose(found.vertices, cube.vertices)
        np.testing.assert_array_equal(found.faces, cube.faces)
    assert not is_surface(np.zeros((3, 3, 3)))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((np.zeros((4, 2)), np.zeros((1, 3), int)), r"shape \(4, 2\), expected V x 3"),
        ((np.zeros((4, 3)), np.zeros((1, 3))), "float64, expected F x 3 whole numbers"),
        ((np.zeros((4, 3)), np.array([[0, 1, 4]])), "other vertices than the 4"),
        (3, "builtins.int is not known; give a path, a vtkPolyData"),
    ],
)
def test_what_is_no_surface_is_refused(shape, message):
    with pytest.raises(DataError, match=message):
        mesh_of(shape)
