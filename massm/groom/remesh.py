"""Smooth a surface and spread its triangles evenly, without losing volume."""

import warnings
from collections.abc import Callable

import fast_simplification
import numpy as np
import pyacvd
import pyvista
from pyvista.core.errors import PyVistaDeprecationWarning
from scipy.sparse import coo_matrix
from vtkmodules.vtkFiltersCore import vtkWindowedSincPolyDataFilter

from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.geometry.topology import (
    compacted,
    largest_component,
    nonmanifold_vertex_count,
    undirected_edges,
)
from massm.io import meshes

_SHARPNESS = 5.6  # degree of the smoothing filter times the root of its pass band
_RELAXATIONS = 5


def smooth(mesh: Mesh, wavelength_mm: float) -> Mesh:
    """Remove waves of the surface that are shorter than a given length.

    Taubin, Zhang and Golub, "Optimal surface smoothing as filter design", ECCV 1996 (vtk's
    windowed sinc): no shrinking at low frequencies, though thin parts still lose volume. On a
    mesh with sides of length e a wave of length l has the frequency (pi e / l)^2 of their
    umbrella operator (second order, six neighbors), which gives the pass band; the filter's
    degree grows as the band narrows, or its edge would blur.

    Args:
        mesh: Closed surface of even triangles.
        wavelength_mm: Shortest wave that stays, mm; 0 returns the mesh as it is.
    """
    if wavelength_mm == 0:
        return mesh
    corners = mesh.vertices[mesh.faces]
    side = float(np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).mean())
    passband = min((np.pi * side / wavelength_mm) ** 2, 2.0)
    iterations = int(np.clip(_SHARPNESS / np.sqrt(passband), 10, 200))
    sinc = vtkWindowedSincPolyDataFilter()
    sinc.SetInputData(meshes.to_vtk(mesh))
    sinc.SetNumberOfIterations(iterations)
    sinc.SetPassBand(passband)
    sinc.NormalizeCoordinatesOn()
    sinc.BoundarySmoothingOff()
    sinc.FeatureEdgeSmoothingOff()
    sinc.NonManifoldSmoothingOn()
    sinc.Update()
    moved = meshes.from_vtk(sinc.GetOutput())
    return Mesh(moved.vertices, mesh.faces)


def with_volume(mesh: Mesh, volume_ml: float, *, steps: int = 4) -> Mesh:
    """Move a closed surface along its normals until it encloses a given volume.

    Args:
        mesh: Closed surface, faces outward.
        volume_ml: Volume to reach, ml.
        steps: Newton steps; the rest after the last is far below a thousandth.
    """
    for _ in range(steps):
        missing = 1000.0 * volume_ml - mesh.volume
        if abs(missing) <= 1e-6 * abs(mesh.volume):
            break
        mesh = Mesh(mesh.vertices + mesh.vertex_normals * (missing / mesh.area), mesh.faces)
    return mesh


def remesh(mesh: Mesh, faces: int) -> Mesh:
    """Spread about ``faces`` triangles of even size over a closed surface.

    Valette and Chassery, "Approximated centroidal Voronoi diagrams for uniform polygonal mesh
    coarsening", Computer Graphics Forum 23(3), 2004 (pyacvd). Its clusters can pinch where the
    surface is thin: then they are made of more and smaller parts, and if that does not help either,
    quadric decimation takes over. The new vertices are put back onto the old surface.

    Args:
        mesh: Closed connected surface, faces outward.
        faces: Wanted number of triangles.

    Raises:
        ValueError: If no way gives a closed manifold.
    """
    even = _relaxed(mesh)
    ways: tuple[Callable[[], Mesh], ...] = (
        lambda: _clustered(even, faces, density=4),
        lambda: _clustered(even, faces, density=16),
        lambda: _relaxed(_decimated(even, faces)),
    )
    for way in ways:
        result = largest_component(way())
        if result.volume < 0:
            result = Mesh(result.vertices, result.faces[:, ::-1].copy())
        if result.is_closed and nonmanifold_vertex_count(result) == 0:
            return Mesh(SurfaceIndex(mesh).closest(result.vertices).point, result.faces)
    raise ValueError(
        f"remeshing to {faces} faces leaves the surface open or pinched; raise "
        "groom.surface.faces or lower groom.surface.spacing_mm"
    )


def _relaxed(mesh: Mesh) -> Mesh:
    """Slide vertices along the surface towards the middle of their neighbors.

    Marching cubes leaves slivers, and clusters that start in one stay as small as it is.
    """
    codes = np.unique(undirected_edges(mesh))
    start, end = np.divmod(codes, len(mesh.vertices))
    count = len(mesh.vertices)
    links = coo_matrix((np.ones(2 * len(start)), (np.r_[start, end], np.r_[end, start])))
    neighbors = links.tocsr()
    degree = np.maximum(np.bincount(start, minlength=count) + np.bincount(end, minlength=count), 1)
    vertices, normals = mesh.vertices, mesh.vertex_normals
    for _ in range(_RELAXATIONS):
        move = neighbors @ vertices / degree[:, None] - vertices
        vertices = vertices + 0.5 * (move - (move * normals).sum(1, keepdims=True) * normals)
    return Mesh(vertices, mesh.faces)


def _clustered(mesh: Mesh, faces: int, *, density: int) -> Mesh:
    count = faces // 2 + 2
    while len(mesh.vertices) < density * count:  # parts that a cluster needs to be round
        mesh = subdivided(mesh)
    with warnings.catch_warnings():
        # pyacvd asks pyvista for the triangles by an old name.
        warnings.simplefilter("ignore", PyVistaDeprecationWarning)
        clustering = pyacvd.Clustering(pyvista.PolyData(meshes.to_vtk(mesh)))
    labels = clustering.cluster(count)
    # The dual of the clusters, with the old orientation: pyacvd's own create_mesh() traces rays to
    # the surface, which takes fifty times as long as the clustering.
    weight = np.bincount(labels, clustering.area)
    centers = [np.bincount(labels, clustering.area * axis) / weight for axis in mesh.vertices.T]
    corners = labels[mesh.faces].astype(np.int64)
    distinct = np.diff(np.sort(corners, axis=1), axis=1).all(axis=1)
    corners = corners[distinct]
    low, middle, high = np.sort(corners, axis=1).T
    _, first = np.unique((low * count + middle) * count + high, return_index=True)
    return compacted(Mesh(np.stack(centers, axis=1), corners[np.sort(first)]))


def _decimated(mesh: Mesh, faces: int) -> Mesh:
    while len(mesh.faces) < faces:
        mesh = subdivided(mesh)
    vertices, triangles = fast_simplification.simplify(
        mesh.vertices.astype(np.float32), mesh.faces, target_count=faces
    )
    return compacted(Mesh(vertices.astype(np.float64), triangles.astype(np.int64)))


def subdivided(mesh: Mesh) -> Mesh:
    """Cut every triangle into four at the middles of its edges."""
    codes, numbers = np.unique(undirected_edges(mesh), return_inverse=True)
    edges = np.stack(np.divmod(codes, len(mesh.vertices)), axis=1)
    middle = numbers.reshape(-1, 3) + len(mesh.vertices)
    a, b, c = mesh.faces.T
    ab, bc, ca = middle.T
    parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    faces = np.concatenate([np.stack(part, axis=1) for part in parts])
    return Mesh(np.concatenate([mesh.vertices, mesh.vertices[edges].mean(1)]), faces)
