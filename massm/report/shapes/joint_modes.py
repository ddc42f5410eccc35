"""Modes of several anatomies as one surface that moves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from massm.geometry.mesh import Mesh
from massm.pdm.joint.model import JointModel
from massm.reconstruct.from_particles import Warp
from massm.report.shapes.modes import ShapeModes, surface_modes

_GAP = 0.08  # between anatomies that stand beside each other, over the length of all


@dataclass(frozen=True)
class JointModes:
    """All anatomies of a joint model as one surface.

    Attributes:
        modes: How it moves.
        owner: Which anatomy each vertex is of, by number.
    """

    modes: ShapeModes
    owner: np.ndarray


def joint_modes(
    model: JointModel, warps: Mapping[str, Warp], *, modes: int, faces: int
) -> list[ShapeModes]:
    """Make the leading modes of a joint model, one light surface for each of its anatomies.

    Args:
        model: Of them.
        warps: From particles to surface, by anatomy.
        modes: How many, at most.
        faces: Triangles of each surface.
    """
    spread = np.diag(np.sqrt(model.variances))[:modes]
    steps = model.shapes(spread) - model.mean
    shares = np.diff(model.compactness, prepend=0)[:modes]
    ends = np.cumsum(model.particles)[:-1]
    parts = zip(
        model.anatomies,
        np.split(model.mean, ends),
        np.split(steps, ends, axis=1),
        strict=True,
    )
    return [surface_modes(mean, own, shares, warps[name], faces=faces) for name, mean, own in parts]


def side_by_side(
    parts: Sequence[ShapeModes], along: Float[np.ndarray, " 3"], deviations: float
) -> list[ShapeModes]:
    """Set anatomies beside each other, so that they do not touch at either end of any mode.

    Args:
        parts: In the order of the row.
        along: Unit direction of the row.
        deviations: Ends of the modes, standard deviations.
    """
    middles = [(p.mean.vertices.min(0) + p.mean.vertices.max(0)) / 2 for p in parts]
    centered = [
        replace(part, mean=Mesh(part.mean.vertices - middle, part.mean.faces))
        for part, middle in zip(parts, middles, strict=True)
    ]
    ranges = [_range(part, along, deviations) for part in centered]
    gap = _GAP * sum(high - low for low, high in ranges)
    placed, end = [], 0.0
    for part, (low, high) in zip(centered, ranges, strict=True):
        vertices = part.mean.vertices + (end - low) * along
        placed.append(replace(part, mean=Mesh(vertices, part.mean.faces)))
        end += high - low + gap
    return placed


def _range(
    part: ShapeModes, along: Float[np.ndarray, " 3"], deviations: float
) -> tuple[float, float]:
    places = part.mean.vertices @ along
    reach = deviations * np.abs(part.displacements @ along).max(0)
    return float((places - reach).min()), float((places + reach).max())


def joined(parts: Sequence[ShapeModes]) -> JointModes:
    """Make one surface of several that move in the same modes."""
    counts = [len(part.mean.vertices) for part in parts]
    starts = np.cumsum([0, *counts[:-1]])
    faces = [part.mean.faces + start for part, start in zip(parts, starts, strict=True)]
    mean = Mesh(np.concatenate([part.mean.vertices for part in parts]), np.concatenate(faces))
    moves = np.concatenate([part.displacements for part in parts], 1)
    owner = np.repeat(np.arange(len(parts)), counts)
    return JointModes(ShapeModes(mean, moves, parts[0].shares), owner)
