"""Swapped and collapsed particles are brought back to where their neighbors expect them."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from massm.geometry.warp import warp_weights
from massm.pdm.diagnostics import Pattern, diagnose, expected_places, grown
from massm.pdm.embedded.tuning import TUNING
from massm.pdm.surfaces import OnSurface, SurfaceSet


def region_of(bad: Bool[Tensor, "N M"], pattern: Pattern, rings: int) -> Bool[Tensor, "N M"]:
    """Add so many rings of neighbors to the bad particles: a fold is wider than what shows it."""
    for _ in range(rings):
        bad = grown(bad, pattern)
    return bad


def untangled(
    surfaces: SurfaceSet,
    particles: OnSurface,
    spacing: Float[Tensor, " N"],
    pattern: Pattern,
    region: Bool[Tensor, "N M"],
) -> OnSurface:
    """Move the particles of a region where their neighbors expect them, again and again.

    All others stay: as rigid as possible, like the mean shape.

    Args:
        surfaces: One for each shape.
        particles: On them, mm.
        spacing: Side of the square that a particle has to itself, mm.
        pattern: How particles lie around each other on the mean shape.
        region: Which particles move.
    """
    moving = region[..., None]
    for _ in range(TUNING.repair_rounds):
        findings = diagnose(particles.points, particles.normals, spacing, pattern)
        place, normal = expected_places(particles.points, findings, pattern)
        place = torch.where(moving, (place + particles.points) / 2, particles.points)
        there = OnSurface(place, torch.where(moving, normal, particles.normals), particles.distance)
        particles = surfaces.project_some(there, region)
    return particles


def transferred(
    surfaces: SurfaceSet,
    particles: OnSurface,
    transforms: Float[Tensor, "N 4 4"],
    pattern: Pattern,
    region: Bool[Tensor, "N M"],
) -> OnSurface:
    """Move the particles of a region to where all others of their shape transfer them.

    The thin-plate spline from the mean shape through the others says where that is: no fold is left
    to untangle. Shapes with too few others stay as they are.

    Args:
        surfaces: One for each shape.
        particles: On them, mm.
        transforms: From the surfaces' frame to world.
        pattern: Places (world frame, mm) and normals of the mean shape.
        region: Which particles move.
    """
    mean = pattern.place.cpu().numpy()
    points, normals = particles.points.clone(), particles.normals.clone()
    chosen = torch.zeros_like(region)
    for row, inside in enumerate(region):
        sources = ~inside
        if not inside.any() or sources.sum() < TUNING.transfer_sources:
            continue
        weights = warp_weights(mean[inside.cpu().numpy()], mean[sources.cpu().numpy()])
        points[row, inside] = torch.from_numpy(weights).to(points) @ points[row, sources]
        normals[row, inside] = (pattern.normal @ transforms[row, :3, :3])[inside]
        chosen[row] = inside
    return surfaces.project_some(OnSurface(points, normals, particles.distance), chosen)
