"""The two entropies of a particle-based shape model, and their exact gradients.

Cates, Fletcher, Styner, Shenton, Whitaker, "Shape modeling and analysis with entropy-based
particle systems", IPMI 2007: particles should be spread evenly over each shape (high sampling
entropy) while the population of shapes stays compact (low ensemble entropy). Both terms are made
dimensionless here: lengths in units of the particle spacing, variances in units of a
regularization, so that the same weights serve every unit, size and number of particles.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

LATTICE = math.sqrt(2 / math.sqrt(3))
"""Distance of neighbors in a hexagonal lattice whose particles own a unit of area each."""

BANDWIDTH = 0.5
"""Width of the kernel in particle spacings: measured to give the most even lattices."""


def find_neighbors(points: Float[Tensor, "N M 3"], count: int) -> Int[Tensor, "N M k"]:
    """List the nearest particles on the same shape, nearest first."""
    count = min(count, points.shape[1] - 1)
    shapes = points.detach().cpu().numpy()
    rows = [cKDTree(shape).query(shape, count + 1)[1][:, 1:] for shape in shapes]
    return torch.stack([torch.from_numpy(row) for row in rows]).to(points.device)


def gather(values: Float[Tensor, "N M c"], index: Int[Tensor, "N M k"]) -> Float[Tensor, "N M k c"]:
    """Take the values of neighbors."""
    flat = index.flatten(1)[..., None].expand(-1, -1, values.shape[-1])
    return values.gather(1, flat).unflatten(1, index.shape[1:])


def sampling_energy(
    points: Float[Tensor, "N M 3"],
    neighbors: Int[Tensor, "N M k"],
    spacing: Float[Tensor, " N"],
) -> tuple[Float[Tensor, " N"], Float[Tensor, "N M 3"]]:
    """Measure how crowded the particles of each shape are.

    The information potential: its negative logarithm is the quadratic Renyi entropy of the Parzen
    estimate of the particles' density (Principe, "Information theoretic learning", 2010, Eq. 2.13).
    It is scaled such that a perfect hexagonal lattice has about 1. Cates et al. use Shannon's
    entropy (a logarithm for each particle); measured here, that leaves less even lattices and lets
    pairs collapse at thin edges. Exact for fixed neighbor lists.

    Args:
        points: Particles, mm.
        neighbors: Lists; who is not listed does not count.
        spacing: Side of the square that a particle has to itself, mm.

    Returns:
        The energy of each shape, and its gradient *times the number of particles* (so that the
        force on one particle does not depend on how many there are), 1/mm.
    """
    variance = (BANDWIDTH * spacing[:, None, None]).square()
    difference = points[:, :, None] - gather(points, neighbors)
    lattice = 6 * math.exp(-(LATTICE**2) / 2 / BANDWIDTH**2)
    kernel = (difference.square().sum(-1) / (-2 * variance)).exp() / lattice
    force = (kernel / variance)[..., None] * difference
    flat = neighbors.flatten(1)[..., None].expand(-1, -1, 3)
    gradient = (-force.sum(2)).scatter_add(1, flat, force.flatten(1, 2))
    return kernel.sum(-1).mean(-1), gradient


class EnsembleEnergy(NamedTuple):
    """The ensemble entropy of a population.

    Attributes:
        energy: H.
        gradient: *Times N M*, 1/mm.
        gram: Inner products of the shapes' deviations from their mean, over N M, mm^2.
    """

    energy: Float[Tensor, ""]
    gradient: Float[Tensor, "N M 3"]
    gram: Float[Tensor, "N N"]


def ensemble_energy(world: Float[Tensor, "N M 3"], regularization: float) -> EnsembleEnergy:
    """Measure how far the population is from compact: the regularized ensemble entropy.

    With the eigenvalues l_k of the covariance of the shapes (mm^2 per particle, divided by N)
    and the regularization r::

        H = 1/2 sum_k log(1 + l_k / r)

    Large r: H is the total variance over 2 r (a pull to the mean shape). Small r: each mode costs
    about the same, however long it is, and few modes are preferred. Only an N x N matrix is
    decomposed.

    Args:
        world: Particles in the aligned frame, mm.
        regularization: Variance r below which a mode counts as noise, mm^2 per particle.
    """
    shapes, particles = world.shape[:2]
    centered = (world - world.mean(0)).reshape(shapes, -1)
    gram = centered @ centered.T / (shapes * particles)
    identity = torch.eye(shapes).to(gram)
    energy = torch.linalg.slogdet(identity + gram / regularization).logabsdet / 2
    gradient = torch.linalg.solve(gram + regularization * identity, centered)
    return EnsembleEnergy(energy, gradient.reshape(world.shape), gram)
