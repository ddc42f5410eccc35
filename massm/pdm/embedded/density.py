"""Where particles lie closer: how much their surfaces bend."""

from jaxtyping import Float, Int
from torch import Tensor

from massm.pdm.neighbors import gather
from massm.pdm.surfaces import OnSurface

NEAREST = 6
STRONGEST = 4.0


def bending(
    particles: OnSurface, neighbors: Int[Tensor, "N M k"], spacing: Float[Tensor, " N"]
) -> Float[Tensor, "N M k"]:
    """Measure how much the unit normal changes towards each neighbor, per spacing.

    On a sphere of radius R with spacing h that is h / R, towards all. Across a thin wall it is
    large: the other side's normal is opposite.
    """
    distance = (gather(particles.points, neighbors) - particles.points[:, :, None]).norm(dim=-1)
    turned = (gather(particles.normals, neighbors) - particles.normals[:, :, None]).norm(dim=-1)
    bend: Tensor = turned * spacing[:, None, None] / distance.clamp(min=1e-9)
    return bend


def density_of(bend: Float[Tensor, "N M k"], adaptivity: float) -> Float[Tensor, " M"] | None:
    """Say by which factor each particle's neighbors shall lie nearer than on an even surface.

    One plus ``adaptivity`` times the bending there over the mean bending, the same on all shapes:
    corresponding particles have the same density, so that it costs no correspondence. The factors
    are scaled such that the areas the particles own still fill the surface. ShapeWorks' adaptivity
    does this for each shape on its own, which moves particles where curvature differs.

    Args:
        bend: From :func:`bending`; the nearest neighbors first.
        adaptivity: 0: even.

    Returns:
        Factors; None for an even spread.
    """
    if adaptivity == 0:
        return None
    mean = bend[..., :NEAREST].mean(-1).mean(0)
    relative = (mean / mean.mean().clamp(min=1e-9)).clamp(max=STRONGEST)
    factor = 1 + adaptivity * relative
    return factor * factor.pow(-2).mean().sqrt()
