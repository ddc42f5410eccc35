"""Find particles that are collapsed or swapped, and say where their neighbors expect them."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

from massm.geometry.rotation import nearest_rotations
from massm.pdm.neighbors import gather

COLLAPSED = 0.2
"""Two particles of the same side of the surface nearer than this fraction of a spacing are one."""


class Pattern(NamedTuple):
    """How particles lie around each other on the mean shape.

    Attributes:
        neighbors: Neighbors of each particle, of the same side of the surface.
        offset: From each particle to its neighbors, mm.
        normal: Unit normal of each particle.
        place: Where each particle is, mm.
    """

    neighbors: Int[Tensor, "M k"]
    offset: Float[Tensor, "M k 3"]
    normal: Float[Tensor, "M 3"]
    place: Float[Tensor, "M 3"]


class Findings(NamedTuple):
    """What is wrong, pair by pair: particle j and its k-th neighbor of the pattern.

    Attributes:
        swapped: The neighbor lies on the opposite side of where the pattern has it.
        collapsed: The two lie at the same place, on the same side of the surface.
        rotation: How the pattern is turned around each particle.
    """

    swapped: Bool[Tensor, "N M k"]
    collapsed: Bool[Tensor, "N M k"]
    rotation: Float[Tensor, "N M 3 3"]

    def pairs(self, kind: str) -> Int[Tensor, " N"]:
        """Count the pairs of each shape, each once whichever particle saw it."""
        seen: Tensor = getattr(self, kind)
        return (seen.sum((1, 2)) + 1) // 2

    def particles(self, index: Int[Tensor, "M k"]) -> Bool[Tensor, "N M"]:
        """Name the particles that belong to any bad pair."""
        return _members(self.swapped | self.collapsed, index)


def pattern_of(
    mean: Float[Tensor, "M 3"], normals: Float[Tensor, "M 3"], spacing: float, count: int = 8
) -> Pattern:
    """Read the pattern of the mean shape: each particle's nearest of position and normal."""
    count = min(count, len(mean) - 1)
    features = torch.cat([mean, spacing * normals], 1).cpu().numpy()
    index = torch.from_numpy(cKDTree(features).query(features, count + 1)[1][:, 1:])
    index = index.to(mean.device)
    return Pattern(index, mean[index] - mean[:, None], normals, mean)


def mean_pattern(world: Float[Tensor, "N M 3"], normals: Float[Tensor, "N M 3"]) -> Pattern:
    """Read the pattern of aligned shapes.

    Args:
        world: Aligned particles, mm.
        normals: Their unit normals, turned to the aligned frame.
    """
    mean, normal = world.mean(0), normals.mean(0)
    normal = normal / normal.norm(dim=-1, keepdim=True).clamp(min=1e-9)
    points = mean.cpu().numpy()
    nearest = cKDTree(points).query(points, min(7, len(points)))[0][:, 1:]
    return pattern_of(mean, normal, float(nearest.mean()))


def diagnose(
    points: Float[Tensor, "N M 3"],
    normals: Float[Tensor, "N M 3"],
    spacing: Float[Tensor, " N"],
    pattern: Pattern,
) -> Findings:
    """Compare the surroundings of every particle with the pattern of the mean shape.

    The pattern is turned to fit (rotation of least squares over neighbors and normal); a neighbor
    whose direction from the particle then differs by more than a right angle is swapped.
    """
    shapes = len(points)
    index = pattern.neighbors[None].expand(shapes, -1, -1)
    offset = gather(points, index) - points[:, :, None]
    length = pattern.offset.norm(dim=-1).mean()
    weight = pattern.neighbors.shape[1] / 2 * length**2
    covariance = torch.einsum("nmka,mkb->nmab", offset, pattern.offset)
    covariance = covariance + weight * torch.einsum("nma,mb->nmab", normals, pattern.normal)
    rotation = nearest_rotations(covariance.flatten(0, 1)).unflatten(0, (shapes, -1))
    expected = torch.einsum("nmab,mkb->nmka", rotation, pattern.offset)
    swapped = (offset * expected).sum(-1) < 0
    same_side = (normals[:, :, None] * gather(normals, index)).sum(-1) > 0
    near = offset.norm(dim=-1) < COLLAPSED * spacing[:, None, None]
    return Findings(swapped, near & same_side, rotation)


def grown(bad: Bool[Tensor, "N M"], pattern: Pattern) -> Bool[Tensor, "N M"]:
    """Add the neighbors of bad particles: a fold is wider than the pair that shows it."""
    result = bad.clone()
    shape, particle = bad.nonzero(as_tuple=True)
    result[shape[:, None], pattern.neighbors[particle]] = True
    return result


def expected_places(
    points: Float[Tensor, "N M 3"], findings: Findings, pattern: Pattern
) -> tuple[Float[Tensor, "N M 3"], Float[Tensor, "N M 3"]]:
    """Say where each particle's neighbors expect it, and which way the surface faces there.

    Each neighbor carries the pattern's offset, turned as the pattern is turned around it (the
    local step of Sorkine and Alexa, "As-rigid-as-possible surface modeling", SGP 2007).
    """
    index = pattern.neighbors[None].expand(len(points), -1, -1)
    turned = gather(findings.rotation.flatten(2), index).unflatten(-1, (3, 3))
    votes = gather(points, index) - torch.einsum("nmkab,mkb->nmka", turned, pattern.offset)
    normal = torch.einsum("nmkab,mb->nmka", turned, pattern.normal).sum(2)
    return votes.mean(2), normal / normal.norm(dim=-1, keepdim=True).clamp(min=1e-9)


def _members(pairs: Bool[Tensor, "N M k"], index: Int[Tensor, "M k"]) -> Bool[Tensor, "N M"]:
    named = pairs.any(-1)
    shape, particle, neighbor = pairs.nonzero(as_tuple=True)
    named[shape, index[particle, neighbor]] = True
    return named
