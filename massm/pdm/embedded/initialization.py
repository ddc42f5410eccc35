"""Initialization: particles from a registered template, or by splitting from one."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from massm.config.correspond import EntropyConfig, InitializationConfig
from massm.geometry.distance import SurfaceIndex
from massm.geometry.mesh import Mesh
from massm.geometry.sampling import spread_evenly
from massm.geometry.warp import warp_weights
from massm.pdm.embedded.density import density_of, normal_variation
from massm.pdm.embedded.entropy import sampling_energy
from massm.pdm.embedded.registration import Targets, TemplateMesh, register
from massm.pdm.embedded.tuning import TUNING
from massm.pdm.neighbors import find_neighbors
from massm.pdm.surfaces import OnSurface, SurfaceSet, barycentric


def even_particles(
    surface: SurfaceSet, count: int, seed: int, adaptivity: float = 0.0
) -> Float[np.ndarray, "M 3"]:
    """Spread particles evenly over a single surface: Lloyd's method, then the sampling energy.

    With ``adaptivity`` they lie closer where the surface bends.
    """
    points = spread_evenly(surface.meshes[0], count, np.random.default_rng(seed))
    particles = surface.project(torch.from_numpy(points)[None])
    spacing = surface.spacing(count)
    velocity = torch.zeros_like(particles.points)
    for iteration in range(TUNING.relaxation_iterations):
        if iteration % TUNING.relaxation_rebuild == 0:
            neighbors = find_neighbors(particles.points, TUNING.neighbors)
            density = density_of(normal_variation(particles, neighbors, spacing), adaptivity)
        _, gradient = sampling_energy(particles.points, neighbors, spacing, density)
        force = TUNING.relaxation_step * spacing[:, None, None].square() * gradient
        velocity = TUNING.relaxation_momentum * velocity - force
        normal_part = (velocity * particles.normals).sum(-1, keepdim=True)
        velocity = velocity - particles.normals * normal_part
        length = velocity.norm(dim=-1, keepdim=True).clamp(min=1e-12)
        longest = TUNING.relaxation_longest_move * spacing[:, None, None]
        velocity = velocity * (longest / length).clamp(max=1)
        particles = surface.project(particles.points + velocity, particles.normals)
    return particles.points[0].numpy()


def deform_template(
    template: TemplateMesh, surfaces: SurfaceSet, config: InitializationConfig, seed: int
) -> Float[Tensor, "N K 3"]:
    """Register the template to every surface.

    Each surface is registered on its own: the result for one does not depend on the others.

    Returns:
        The template's vertices on each, mm.
    """
    targets = Targets(*surfaces.sample(config.samples, seed))
    rest = template.vertices[None].repeat(len(surfaces), 1, 1)
    widths = np.geomspace(config.coarsest, config.finest, config.rounds)
    return register(template, surfaces, rest, [float(width) for width in widths], targets)


def transfer_particles(
    template: TemplateMesh,
    own: Float[np.ndarray, "M 3"],
    deformed: Float[Tensor, "N K 3"],
    surfaces: SurfaceSet,
) -> OnSurface:
    """Transfer the template's particles to every surface that it was registered to."""
    transferred = _on_template(template, own)
    return surfaces.project(transferred(deformed), transferred(template.normals(deformed)))


def densify(
    template: TemplateMesh,
    own: Float[np.ndarray, "M 3"],
    coarse: Float[np.ndarray, "L 3"],
    particles: OnSurface,
    surfaces: SurfaceSet,
) -> OnSurface:
    """Place more particles on all shapes where fewer, in correspondence, say they belong.

    The thin-plate spline through the few particles transfers the many from the template's surface
    to every other.

    Args:
        template: Its deformed normals tell the sides of thin walls apart.
        own: Many particles on the template's surface, mm.
        coarse: The few there, mm.
        particles: The few on all surfaces.
        surfaces: The surfaces.
    """
    few = particles.points
    deformed = torch.from_numpy(warp_weights(template.vertices.numpy(), coarse)) @ few
    normals = _on_template(template, own)(template.normals(deformed))
    return surfaces.project(torch.from_numpy(warp_weights(own, coarse)) @ few, normals)


def _on_template(
    template: TemplateMesh, points: Float[np.ndarray, "M 3"]
) -> Callable[[Float[Tensor, "N K 3"]], Float[Tensor, "N M 3"]]:
    """Return how values at the template's vertices become values at points of its surface."""
    mesh = Mesh(template.vertices.numpy(), template.faces.numpy())
    closest = SurfaceIndex(mesh).closest(points)
    corners = mesh.faces[closest.face]
    weights = torch.from_numpy(barycentric(mesh.vertices[corners], closest.point))
    index = torch.from_numpy(corners)
    return lambda values: (values[:, index] * weights[None, :, :, None]).sum(2)


def first_particle(surfaces: SurfaceSet) -> OnSurface:
    """Put one particle at an end of the population's longest axis, on every shape."""
    points, _ = surfaces.sample(TUNING.splitting_samples, seed=0)
    pooled = (points - points.mean(1, keepdims=True)).reshape(-1, 3)
    _, vectors = np.linalg.eigh(pooled.T @ pooled)
    axis = vectors[:, 2] * np.sign(vectors[np.abs(vectors[:, 2]).argmax(), 2])
    ends = np.stack(
        [mesh.vertices[(mesh.vertices @ axis).argmax()][None] for mesh in surfaces.meshes]
    )
    return surfaces.project(torch.from_numpy(ends))


def split(
    surfaces: SurfaceSet, particles: OnSurface, count: int, generator: np.random.Generator
) -> OnSurface:
    """Add particles until there are ``count``, at most one beside each.

    The old one and the new one go in opposite directions, random but the same on all shapes.
    Where fewer than all split, those that have most room on average do.
    """
    old = particles.points.shape[1]
    chosen = torch.arange(old)
    if count < 2 * old:  # never with a single particle
        room = _room(particles.points)
        chosen = room.argsort(descending=True, stable=True)[: count - old].sort().values
    direction = torch.from_numpy(generator.standard_normal((len(chosen), 3))).to(particles.points)
    direction = direction / direction.norm(dim=-1, keepdim=True)
    spacing = surfaces.spacing(count).to(particles.points)
    offset = TUNING.splitting_offset * spacing[:, None, None] * direction
    points = particles.points.clone()
    points[:, chosen] -= offset
    points = torch.cat([points, particles.points[:, chosen] + offset], 1)
    normals = torch.cat([particles.normals, particles.normals[:, chosen]], 1)
    return surfaces.project(points, normals)


def levels(count: int, config: EntropyConfig) -> list[tuple[int, int]]:
    """List the levels of splitting: particles and iterations."""
    sizes = [2]
    while sizes[-1] < count:
        sizes.append(min(2 * sizes[-1], count))
    return [
        (size, config.iterations if size == count else config.level_iterations) for size in sizes
    ]


def _room(points: Float[Tensor, "N M 3"]) -> Float[Tensor, " M"]:
    neighbors = find_neighbors(points, TUNING.splitting_neighbors)
    flat = neighbors.flatten(1)[..., None].expand(-1, -1, 3)
    near = points.gather(1, flat).unflatten(1, neighbors.shape[1:])
    distance: Tensor = (near - points[:, :, None]).norm(dim=-1)
    return distance.mean((0, 2))
