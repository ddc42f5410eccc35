"""Shape modes of an anatomy as surfaces that a slider moves."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from massm.geometry.mesh import Mesh
from massm.reconstruct.from_particles import Warp
from massm.report.shapes.decimation import carried, decimated


@dataclass(frozen=True)
class ShapeModes:
    """A mean surface and how each mode moves it.

    Attributes:
        mean: The mean shape's surface, decimated, population frame.
        displacements: Movement of each vertex for one standard deviation of each mode, mm.
        shares: Share of the variance that each mode explains.
    """

    mean: Mesh
    displacements: Float[np.ndarray, "modes V 3"]
    shares: Float[np.ndarray, " modes"]

    def shape(self, mode: int, deviations: float) -> Mesh:
        """Return the surface of one mode at some standard deviations from the mean."""
        moved = self.mean.vertices + deviations * self.displacements[mode]
        return Mesh(moved, self.mean.faces)

    def outward(self, mode: int) -> Float[np.ndarray, " V"]:
        """Measure how far one standard deviation moves the surface outward, mm."""
        return np.asarray(np.einsum("ij,ij->i", self.displacements[mode], self.mean.vertex_normals))


def shape_modes(
    world: Float[np.ndarray, "N M 3"],
    warp: Warp,
    *,
    modes: int,
    faces: int,
) -> ShapeModes:
    """Make the leading modes of the training shapes, on a light surface.

    Principal components of the world particles; the surface follows its particles linearly, so a
    mode of the particles is one of the surface.

    Args:
        world: World particles of the training split, mm.
        warp: From particles to surface.
        modes: How many, at most.
        faces: Triangles of the light surface.
    """
    mean = world.mean(0)
    flat = (world - mean).reshape(len(world), -1)
    _, singular, directions = np.linalg.svd(flat, full_matrices=False)
    variance = np.square(singular) / max(1, len(world) - 1)
    count = int(min(modes, (variance > 1e-9 * max(variance.sum(), 1e-12)).sum()))
    steps = np.sqrt(variance[:count, None]) * directions[:count]
    steps *= np.where(steps.sum(1, keepdims=True) < 0, -1, 1)  # the same sign on every machine
    shares = variance[:count] / max(variance.sum(), 1e-12)
    return surface_modes(mean, steps.reshape(count, *mean.shape), shares, warp, faces=faces)


def surface_modes(
    mean: Float[np.ndarray, "M 3"],
    steps: Float[np.ndarray, "modes M 3"],
    shares: Float[np.ndarray, " modes"],
    warp: Warp,
    *,
    faces: int,
) -> ShapeModes:
    """Carry modes of particles to a light surface.

    Args:
        mean: Particles of the mean shape, mm.
        steps: Their movement for one standard deviation of each mode, mm.
        shares: Share of the variance that each mode explains.
        warp: From particles to surface.
        faces: Triangles of the light surface.
    """
    surface = warp.surface(mean)
    moves = np.einsum("vm,kmc->vkc", warp.weights, steps)
    light = decimated(surface, faces)
    on_light = carried(moves.reshape(len(moves), -1), surface, light.vertices)
    displacements = on_light.reshape(len(light.vertices), len(steps), 3).transpose(1, 0, 2)
    return ShapeModes(light, displacements, shares)
