"""The objective of the particle optimizer, and its exact gradient.

For particles x of N shapes with spacings h (h0 their root mean square)::

    Q = 1/N sum_i (h_i / h0)^2 E_i(x_i)  +  w (r / h0^2) H(z; r)

E is the sampling energy (:mod:`massm.pdm.embedded.entropy`) with the coverage energy
(:mod:`massm.pdm.embedded.coverage`), H the ensemble entropy of the aligned particles z, r its
regularization (a fraction of the population's variance) and w the correspondence weight: see
:mod:`massm.pdm.embedded.schedule`. All of it is dimensionless.
"""

from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

from massm.pdm.embedded.coverage import Uncovered, coverage_energy
from massm.pdm.embedded.ensemble import Ensemble, EnsembleTerm
from massm.pdm.embedded.entropy import sampling_energy
from massm.pdm.frames import to_world
from massm.pdm.surfaces import OnSurface


class Terms(NamedTuple):
    """The objective, its two parts, and the force (the gradient times ``N M h0^2``, mm).

    ``ensemble_term`` is what the ensemble energy came from.
    """

    energy: float
    sampling: float
    ensemble: float
    force: Float[Tensor, "N M 3"]
    ensemble_term: EnsembleTerm


class Neighborhood(NamedTuple):
    """What is around the particles; made anew when they have moved.

    Attributes:
        neighbors: The nearest particles.
        uncovered: Surface samples that no particle covers.
        density: See :func:`massm.pdm.embedded.density.density_of`.
        drift: Distance that a particle may move unprojected, in spacings.
    """

    neighbors: Int[Tensor, "N M k"]
    uncovered: Uncovered
    density: Float[Tensor, " M"] | None
    drift: Float[Tensor, "N M"]


def measure(
    particles: OnSurface,
    neighborhood: Neighborhood,
    spacing: Float[Tensor, " N"],
    transforms: Float[Tensor, "N 4 4"],
    ensemble: Ensemble,
    *,
    weight: float,
    fraction: float,
) -> Terms:
    """Evaluate the objective and its gradient, in space (not yet along the surface)."""
    unit = spacing.square().mean()
    points = particles.points
    even, even_gradient = sampling_energy(
        points, neighborhood.neighbors, spacing, neighborhood.density
    )
    bare, bare_gradient = coverage_energy(points, neighborhood.uncovered, spacing)
    even, even_gradient = even + bare, even_gradient + bare_gradient
    world = to_world(points, transforms)
    term = ensemble.term(world, fraction)
    sampling = float((spacing.square() * even).mean() / unit)
    compact = float(weight * term.energy / unit)
    force = spacing[:, None, None].square() * even_gradient
    force = force + weight * term.gradient @ transforms[:, :3, :3]
    return Terms(sampling + compact, sampling, compact, force, term)
