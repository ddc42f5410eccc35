"""Groom one anatomy: a mask or a mesh in, a clean closed surface out."""

import logging
from dataclasses import dataclass

import numpy as np

from massm.config.groom import SurfaceConfig
from massm.geometry.distance import SurfaceIndex
from massm.geometry.isosurface import isosurface, voxel_surface
from massm.geometry.mesh import Mesh
from massm.geometry.mesh_repair import repaired
from massm.geometry.topology import genus, largest_component
from massm.geometry.volume import Volume
from massm.groom.antialias import level_of_volume, smooth_field
from massm.groom.handles import remove_handles
from massm.groom.mask import clean_mask
from massm.groom.remesh import remesh, smooth, with_volume
from massm.io.errors import DataError

log = logging.getLogger(__name__)

_LOST = 0.05  # share of the volume that may fall off with thin bridges


@dataclass(frozen=True)
class Groomed:
    """A groomed surface and how well it keeps to what it was made from.

    Attributes:
        surface: Closed, one piece, faces outward, in the frame of the input (LPS mm).
        source_volume_ml: Volume of the input as it came, ml.
        error_mm: Mean distance between the surface and the outline of the input, mean of both
            directions, mm.
        error_p95_mm: 95th percentile of the same, the larger of both directions, mm.
        genus: Handles of the surface; 0 for a sphere.
    """

    surface: Mesh
    source_volume_ml: float
    error_mm: float
    error_p95_mm: float
    genus: int


def groom_mask(mask: Volume, config: SurfaceConfig) -> Groomed:
    """Turn a mask into a clean closed surface of the same volume.

    Largest piece, cavities filled, smooth field on an isotropic grid, level set of the mask's
    volume, windowed-sinc smoothing, even remeshing; every step that loses volume gives it back.

    Args:
        mask: Booleans in image space.
        config: Resolution and smoothness.

    Raises:
        DataError: If the mask is empty, too small or falls apart.
    """
    try:
        piece = clean_mask(mask)
        field = smooth_field(
            piece, spacing_mm=config.spacing_mm, iterations=config.antialias_iterations
        )
        volume_ml = float(piece.array.sum()) * piece.voxel_ml
        dense = _level_set(field, volume_ml, config.handle_mm)
        wavelength_mm = config.smoothing_voxels * float(piece.spacing.max())
        surface = finished(dense, volume_ml, wavelength_mm, config.faces)
    except ValueError as error:
        raise DataError(f"the mask cannot be groomed: {error}") from error
    errors = _distances(surface, voxel_surface(piece))
    return Groomed(surface, float(mask.array.sum()) * mask.voxel_ml, *errors, genus(surface))


def finished(dense: Mesh, volume_ml: float, wavelength_mm: float, faces: int) -> Mesh:
    """Smooth a dense closed surface and spread even triangles over it; its volume stays.

    Args:
        dense: One piece, mm.
        volume_ml: What it shall enclose, ml.
        wavelength_mm: Shorter waves are removed, mm; 0: none.
        faces: Triangles of the result.

    Raises:
        ValueError: If no such surface can be made.
    """
    smoothed = with_volume(smooth(dense, wavelength_mm), volume_ml)
    return with_volume(remesh(smoothed, faces), volume_ml)


def groom_mesh(mesh: Mesh, config: SurfaceConfig) -> Groomed:
    """Turn a given surface into a clean closed one: repaired, largest piece, even triangles.

    The shape is not smoothed: a mesh comes from someone who has done so.

    Args:
        mesh: Triangles in image space, LPS mm.
        config: Face count and the largest hole that is closed.

    Raises:
        DataError: If the surface stays open or an edge has three sides.
    """
    closed = _closed(mesh, config.hole_mm)
    try:
        surface = with_volume(remesh(closed, config.faces), closed.volume_ml)
    except ValueError as error:
        raise DataError(f"the mesh cannot be groomed: {error}") from error
    return Groomed(surface, closed.volume_ml, *_distances(surface, closed), genus(surface))


def _level_set(field: Volume, volume_ml: float, handle_mm: float) -> Mesh:
    level = level_of_volume(field, volume_ml)
    dense = _main_piece(isosurface(field, level))
    if handle_mm == 0 or genus(dense) == 0:
        return dense
    # At the same level: a new one for the new volume would move every other thin part too.
    simpler = _main_piece(isosurface(remove_handles(field, level, handle_mm), level))
    return simpler if genus(simpler) < genus(dense) else dense


def _main_piece(mesh: Mesh) -> Mesh:
    piece = largest_component(mesh)
    lost = 1 - piece.volume / mesh.volume
    if lost > _LOST:
        raise ValueError(
            f"it falls apart at bridges thinner than a voxel, {lost:.0%} of its volume would be "
            "lost; repair the mask, or exclude it"
        )
    return piece


def _closed(mesh: Mesh, hole_mm: float) -> Mesh:
    """Make a given mesh one closed piece with faces outward, or say why that cannot be."""
    found = repaired(mesh, hole_mm)
    if found.fault:
        raise DataError(
            f"{found.fault} (holes up to groom.surface.hole_mm = {hole_mm:g} mm across are closed "
            "by themselves)"
            if found.main.open_mm
            else found.fault
        )
    notes = [*found.notes, *([f"holes closed: {found.holes}"] if found.holes else [])]
    if notes:
        log.info("the mesh was repaired: %s", "; ".join(notes))
    return found.main.mesh


def _distances(surface: Mesh, outline: Mesh) -> tuple[float, float]:
    """Measure a surface's distance to another: mean of both directions, larger 95th percentile."""
    there = SurfaceIndex(outline).closest(surface.vertices).distance
    back = SurfaceIndex(surface).closest(_centers(outline)).distance
    areas = outline.face_areas
    mean = float(there.mean() + np.average(back, weights=areas)) / 2
    far = np.percentile(back, 95, weights=areas, method="inverted_cdf")
    return mean, float(max(np.percentile(there, 95), far))


def _centers(mesh: Mesh) -> np.ndarray:
    return np.asarray(mesh.vertices[mesh.faces].mean(1))
