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
from torch import Tensor

from massm.pdm.embedded.tuning import TUNING

LATTICE = math.sqrt(2 / math.sqrt(3))
"""Distance of neighbors in a hexagonal lattice whose particles own a unit of area each."""

LATTICE_POTENTIAL = 6 * math.exp(-(LATTICE**2) / 2 / TUNING.sampling_bandwidth**2)
"""Sum of the kernel over a particle's neighbors there."""


def sampling_energy(
    points: Float[Tensor, "N M 3"],
    neighbors: Int[Tensor, "N M k"],
    spacing: Float[Tensor, " N"],
    density: Float[Tensor, " M"] | None = None,
) -> tuple[Float[Tensor, " N"], Float[Tensor, "N M 3"]]:
    """Measure how crowded the particles of each shape are.

    The information potential: its negative logarithm is the quadratic Renyi entropy of the Parzen
    estimate of the particles' density (Principe, "Information theoretic learning", 2010, Eq. 2.13),
    plus a narrow kernel that keeps pairs apart. A perfect hexagonal lattice has about 1. Cates et
    al. use Shannon's entropy (a logarithm for each particle); measured here, that leaves less even
    lattices and lets pairs collapse at thin edges. Exact for fixed neighbor lists.

    Args:
        points: Particles, mm.
        neighbors: Lists; who is not listed does not count.
        spacing: Side of the square that a particle has to itself, mm.
        density: Factor by which each particle's neighbors shall lie nearer; None: one for all.

    Returns:
        The energy of each shape, and its gradient *times the number of particles* (so that the
        force on one particle does not depend on how many there are), 1/mm.
    """
    bandwidth, core, share = TUNING.sampling_bandwidth, TUNING.core_bandwidth, TUNING.core_share
    flat, count = neighbors.flatten(1), points.shape[1]
    scaled = (points - points.mean(1, keepdim=True)) / spacing[:, None, None]
    axes = []  # one plane for each, changed in place: half of the time goes into moving memory
    squared = torch.zeros(neighbors.shape).to(points)
    for axis in scaled.unbind(-1):
        plane = axis.contiguous()
        offset = plane.gather(1, flat).view(neighbors.shape).sub_(plane[..., None])
        squared.addcmul_(offset, offset)
        axes.append(offset)
    tighter = None if density is None else ((density[:, None] + density[neighbors]) / 2).square()
    if tighter is not None:
        squared.mul_(tighter)
    wide = (squared / (-2 * bandwidth**2)).exp_()
    narrow = squared.div_(-2 * core**2).exp_()
    energy = (wide.sum((1, 2)) + share * narrow.sum((1, 2))) / (LATTICE_POTENTIAL * count)
    stiffness = wide.div_(bandwidth**2).add_(narrow, alpha=share / core**2)
    stiffness.div_(LATTICE_POTENTIAL)
    if tighter is not None:
        stiffness.mul_(tighter)
    gradient = []
    for offset in axes:
        force = offset.mul_(stiffness)
        gradient.append(force.sum(2).scatter_add_(1, flat, force.flatten(1).neg_()))
    return energy, torch.stack(gradient, -1) / spacing[:, None, None]


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
