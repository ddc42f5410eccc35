"""Find particles that are collapsed or swapped, and say where they belong."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

from massm.pdm.entropy import gather

COLLAPSED = 0.2
"""Two particles of the same side of the surface nearer than this fraction of a spacing are one."""


class Pattern(NamedTuple):
    """How particles lie around each other on the mean shape.

    Attributes:
        neighbors: Neighbors of each particle, of the same side of the surface.
        offset: From each particle to its neighbors, mm.
        normal: Unit normal of each particle.
    """

    neighbors: Int[Tensor, "M k"]
    offset: Float[Tensor, "M k 3"]
    normal: Float[Tensor, "M 3"]


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
        return (getattr(self, kind).sum((1, 2)) + 1) // 2

    def particles(self, index: Int[Tensor, "M k"]) -> Bool[Tensor, "N M"]:
        """Name the particles that belong to any bad pair."""
        bad = self.swapped | self.collapsed
        named = bad.any(-1)
        shape, particle, neighbor = bad.nonzero(as_tuple=True)
        named[shape, index[particle, neighbor]] = True
        return named


def pattern_of(
    mean: Float[Tensor, "M 3"], normals: Float[Tensor, "M 3"], spacing: float, count: int = 8
) -> Pattern:
    """Read the pattern of the mean shape: each particle's nearest of position and normal."""
    count = min(count, len(mean) - 1)
    features = torch.cat([mean, spacing * normals], 1).cpu().numpy()
    index = torch.from_numpy(cKDTree(features).query(features, count + 1)[1][:, 1:])
    index = index.to(mean.device)
    return Pattern(index, mean[index] - mean[:, None], normals)


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
    u, _, v_transposed = torch.linalg.svd(covariance)
    sign = torch.ones_like(u[..., 0])
    sign[..., 2] = torch.det(u @ v_transposed).sign()
    rotation = u * sign[..., None, :] @ v_transposed
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


def conditional_mean(
    mean: Float[Tensor, " c"],
    modes: Float[Tensor, "k c"],
    variances: Float[Tensor, " k"],
    shape: Float[Tensor, " c"],
    sound: Bool[Tensor, " c"],
) -> Float[Tensor, " c"]:
    """Expect a shape from those of its coordinates that are sound, by a Gaussian shape model.

    Bishop, "Pattern recognition and machine learning", 2006, Eq. 3.53-3.54, with the model's
    modes as basis and its variances as prior; what the modes leave is noise of 2 % of the variance.

    Args:
        mean: Mean shape, all coordinates in one row, mm.
        modes: Orthonormal rows.
        variances: Of the scores, mm^2.
        shape: Coordinates, of which some are wrong.
        sound: Which are not.
    """
    noise = 0.02 * variances.sum() / len(mean)
    basis = modes[:, sound]
    system = basis @ basis.T + torch.diag(noise / variances.clamp(min=1e-12))
    scores = torch.linalg.solve(system, basis @ (shape - mean)[sound])
    return mean + scores @ modes
