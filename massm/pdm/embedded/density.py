"""Where particles lie closer: where the normal varies more around them."""

from jaxtyping import Float, Int
from torch import Tensor

from massm.pdm.embedded.tuning import TUNING
from massm.pdm.neighbors import gather
from massm.pdm.surfaces import OnSurface


def normal_variation(
    particles: OnSurface, neighbors: Int[Tensor, "N M k"], spacing: Float[Tensor, " N"]
) -> Float[Tensor, "N M k"]:
    """Measure how much the unit normal changes towards each neighbor, per spacing.

    On a sphere of radius R with spacing h that is h / R, towards all. Across a thin wall it is
    large: the other side's normal is opposite.
    """
    distance = (gather(particles.points, neighbors) - particles.points[:, :, None]).norm(dim=-1)
    turned = (gather(particles.normals, neighbors) - particles.normals[:, :, None]).norm(dim=-1)
    variation: Tensor = turned * spacing[:, None, None] / distance.clamp(min=1e-9)
    return variation


def density_of(variation: Float[Tensor, "N M k"], adaptivity: float) -> Float[Tensor, " M"] | None:
    """Say by which factor each particle's neighbors shall lie nearer than on an even surface.

    One plus ``adaptivity`` times the variation of the normal there over its mean, the same on all
    shapes: corresponding particles have the same density, so that it costs no correspondence. The
    factors are scaled such that the areas the particles own still fill the surface. ShapeWorks'
    adaptivity does this for each shape on its own, which moves particles where curvature differs.

    Args:
        variation: From :func:`normal_variation`; the nearest neighbors first.
        adaptivity: 0: even.

    Returns:
        Factors; None for an even spread.
    """
    if adaptivity == 0:
        return None
    mean = variation[..., : TUNING.density_neighbors].mean(-1).mean(0)
    relative = (mean / mean.mean().clamp(min=1e-9)).clamp(max=TUNING.density_limit)
    factor = 1 + adaptivity * relative
    return factor * factor.pow(-2).mean().sqrt()
