"""From particles that another program placed to what an engine hands back."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from massm.pdm.correspondence import Correspondence, Diagnostics
from massm.pdm.diagnostics import Pattern, diagnose, mean_pattern
from massm.pdm.frames import normals_in_world
from massm.pdm.surfaces import SurfaceSet


class FoundParticles(NamedTuple):
    """Particles of N shapes as they were found.

    Attributes:
        local: In the aligned frame of the surfaces, mm.
        world: The same after Procrustes alignment, mm.
        procrustes: Matrices from the aligned frame to world.
    """

    local: Float[np.ndarray, "N M 3"]
    world: Float[np.ndarray, "N M 3"]
    procrustes: Float[np.ndarray, "N 4 4"]


def correspondence_of(
    surfaces: SurfaceSet,
    failed: dict[str, str],
    placed: FoundParticles,
    residual: Float[np.ndarray, " N"],
    limit: float,
    seconds: float,
    pattern: Pattern | None = None,
) -> Correspondence:
    """Judge particles as those of the embedded engine are judged.

    Args:
        surfaces: Surfaces of the shapes, aligned frame, with their subjects' names.
        failed: Reason for each subject that has no particles.
        placed: The particles.
        residual: Distance of each shape from the span of the model, mm.
        limit: Residual above which a shape lies outside, mm.
        seconds: Time spent on all shapes.
        pattern: Arrangement that swapped particles are judged by; that of these shapes' mean if
            none is given.
    """
    on_surface = surfaces.project(torch.from_numpy(placed.local))
    normals = normals_in_world(on_surface.normals, torch.from_numpy(placed.procrustes))
    moved = torch.from_numpy(placed.world)
    spacing = surfaces.spacing(placed.local.shape[1])
    findings = diagnose(moved, normals, spacing, pattern or mean_pattern(moved, normals))
    distance = on_surface.distance.numpy()
    diagnostics = Diagnostics(
        distance_mean=distance.mean(1),
        distance_max=distance.max(1),
        swapped=findings.pairs("swapped").numpy(),
        collapsed=findings.pairs("collapsed").numpy(),
        residual=residual,
        outside_span=residual > limit,
        seconds=np.full(len(residual), seconds / len(residual)),
    )
    return Correspondence(
        tuple(surfaces.names), failed, placed.local, placed.world, placed.procrustes, diagnostics
    )
