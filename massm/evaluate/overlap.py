"""Overlap of a predicted surface with a segmentation mask, voxel by voxel."""

import numpy as np
from jaxtyping import Bool, Int
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkImagingStencil import vtkImageStencilToImage, vtkPolyDataToImageStencil

from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.io.meshes import to_vtk


def voxelize(mesh: Mesh, grid: Volume) -> tuple[Bool[np.ndarray, "d h w"], Int[np.ndarray, "3"]]:
    """Find the voxels whose centers lie inside a closed surface.

    The surface is carried to index coordinates, so that the grid may be turned or mirrored, and
    scan-converted there; only the part of the grid around the surface is filled.

    Args:
        mesh: Closed surface, LPS mm.
        grid: Any volume; its values are not read.

    Returns:
        The filled part, axes z, y, x, and the (z, y, x) index of its first voxel in the grid.
        Nothing of the surface beyond the grid is in it; it is empty if all lies beyond.

    Raises:
        ValueError: If the surface is not closed, so that it has no inside.
    """
    if not mesh.is_closed:
        raise ValueError("a surface that is not closed has no inside to fill")
    index = grid.point_to_index(mesh.vertices)
    first = np.maximum(np.ceil(index.min(0)), 0).astype(int)
    last = np.minimum(np.floor(index.max(0)), np.array(grid.size) - 1).astype(int)
    if (last < first).any():
        return np.zeros((0, 0, 0), bool), first[::-1]
    stencil = vtkPolyDataToImageStencil()
    stencil.SetInputData(to_vtk(Mesh(index, mesh.faces)))
    stencil.SetOutputOrigin(0, 0, 0)
    stencil.SetOutputSpacing(1, 1, 1)
    stencil.SetOutputWholeExtent(*np.stack([first, last], 1).ravel().tolist())
    filled = vtkImageStencilToImage()
    filled.SetInputConnection(stencil.GetOutputPort())
    filled.SetInsideValue(1)
    filled.SetOutsideValue(0)
    filled.SetOutputScalarTypeToUnsignedChar()
    filled.Update()
    values = vtk_to_numpy(filled.GetOutput().GetPointData().GetScalars())
    return values.reshape((last - first + 1)[::-1]).astype(bool), first[::-1]


def mask_dice(mesh: Mesh, mask: Volume) -> float:
    """Measure the Dice overlap of a closed surface with a mask on the mask's own grid.

    Args:
        mesh: Predicted surface, LPS mm.
        mask: The segmentation as it was drawn, booleans.

    Raises:
        ValueError: If the mask is empty or the surface not closed.
    """
    true = int(np.count_nonzero(mask.array))
    if true == 0:
        raise ValueError("the mask is empty; Dice says nothing about it")
    inside, start = voxelize(mesh, mask)
    window = tuple(slice(a, a + n) for a, n in zip(start, inside.shape, strict=True))
    common = int(np.count_nonzero(inside & (mask.array[window] > 0)))
    return 2.0 * common / (true + int(np.count_nonzero(inside)))
