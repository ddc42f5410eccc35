"""How good a particle-based shape model is: evenness, compactness, generalization, specificity.

Compactness, generalization and specificity after Davies, "Learning shape: optimal models for
analysing natural variability", 2002, in the form of ShapeWorks' reports; all distances in mm.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from scipy.linalg import eigh
from scipy.spatial import cKDTree

from massm.pdm.shape_model import ShapeModel, fit_shape_model
from massm.pdm.surfaces import SurfaceSet

MODES = (1, 2, 3, 5, 10)
DRAWS = 1000


def spread_measures(
    surfaces: SurfaceSet, particles: Float[np.ndarray, "N M 3"]
) -> dict[str, float]:
    """Measure how close to the surfaces and how even the particles are.

    Returns:
        ``distance_mean``, ``distance_max`` (particle to surface); ``nearest_variation`` (standard
        deviation over mean of the nearest-neighbor distance within a shape, averaged);
        ``separation_ratio`` (separation distance, the least nearest-neighbor one, over the mean,
        worst shape);
        ``covering_radius`` (fill distance: largest one of a surface vertex to its nearest particle,
        averaged).
    """
    distance = surfaces.project(torch.from_numpy(particles)).distance.numpy()
    variation, separation, covering = [], [], []
    for shape, mesh in zip(particles, surfaces.meshes, strict=True):
        tree = cKDTree(shape)
        nearest = tree.query(shape, 2)[0][:, 1]
        variation.append(nearest.std() / nearest.mean())
        separation.append(nearest.min() / nearest.mean())
        covering.append(tree.query(mesh.vertices)[0].max())
    return {
        "distance_mean": float(distance.mean()),
        "distance_max": float(distance.max()),
        "nearest_variation": float(np.mean(variation)),
        "separation_ratio": float(np.min(separation)),
        "covering_radius": float(np.mean(covering)),
    }


def compactness_measures(model: ShapeModel) -> dict[str, float]:
    """Total variance per particle (mm^2), and modes that hold 95 % of it."""
    modes = int(np.searchsorted(model.compactness, 0.95) + 1)
    return {
        "total_variance": float(model.variances.sum() / len(model.mean)),
        "modes_95": float(min(modes, len(model.variances))),
    }


def leave_one_out_residuals(world: Float[np.ndarray, "N M 3"]) -> Float[np.ndarray, " N"]:
    """Distance of each shape from the span of all others, root mean square over particles, mm.

    With all modes of the others the residual follows from the inverse Gram matrix alone.
    With fewer than three shapes there is no such span: infinite.
    """
    shapes, particles = world.shape[:2]
    if shapes < 3:
        return np.full(shapes, np.inf)
    residuals = np.empty(shapes)
    for row in range(shapes):
        others = np.delete(world, row, 0).reshape(shapes - 1, -1)
        mean = others.mean(0)
        centered = others - mean
        offset = world[row].reshape(-1) - mean
        gram = centered @ centered.T
        gram += 1e-9 * max(np.trace(gram), 1e-300) / len(gram) * np.eye(len(gram))
        nearest = np.linalg.solve(gram, centered @ offset) @ centered
        residuals[row] = np.sqrt(np.square(offset - nearest).sum() / particles)
    return residuals


def leave_one_out_errors(world: Float[np.ndarray, "N M 3"], modes: int) -> Float[np.ndarray, "N M"]:
    """Rebuild each shape by the first modes of all others and measure each of its particles.

    What :func:`generalization` averages, particle by particle. The models of all others follow
    from one Gram matrix, without its row and column of the shape that is left out.

    Args:
        world: Aligned particles, mm.
        modes: Number of modes, at most two less than there are shapes.

    Returns:
        Distance of each particle of each shape from its rebuilt place, mm.

    Raises:
        ValueError: If the shapes that are left have fewer modes.
    """
    shapes, particles = world.shape[:2]
    if not 1 <= modes <= shapes - 2:
        raise ValueError(f"without one of {shapes} shapes there are no {modes} modes of the others")
    centered = (world - world.mean(0)).reshape(shapes, -1)
    gram = centered @ centered.T
    errors = np.empty((shapes, particles))
    for row in range(shapes):
        others = np.delete(np.arange(shapes), row)
        offset = centered[row] * shapes / (shapes - 1)  # from the mean of the others
        along = gram[others, row] * shapes / (shapes - 1)
        inner = gram[np.ix_(others, others)]
        inner = inner - inner.mean(0) - inner.mean(1, keepdims=True) + inner.mean()
        values, vectors = eigh(inner, subset_by_index=(shapes - 1 - modes, shapes - 2))
        real = values > 1e-12 * max(values[-1], 1e-300)
        values, vectors = values[real], vectors[:, real]
        share = vectors @ (vectors.T @ (along - along.mean()) / values)
        gap = (offset - share @ centered[others]).reshape(particles, 3)
        errors[row] = np.linalg.norm(gap, axis=1)
    return errors


def generalization(
    surfaces: SurfaceSet | None,
    world: Float[np.ndarray, "N M 3"],
    transforms: Float[np.ndarray, "N 4 4"],
    modes: tuple[int, ...] = MODES,
    groups: Sequence[str] | None = None,
) -> dict[str, dict[int, float]]:
    """Rebuild each shape by the first modes of all others (leave one out).

    Args:
        surfaces: To measure the rebuilt particles' distance to; None leaves it out.
        world: Aligned particles.
        transforms: From the surfaces' frame to the aligned frame.
        modes: Numbers of modes.
        groups: Who each shape is of; all of a group, as a subject's left and right anatomy, are
            left out together. None: each shape is of someone else.

    Returns:
        ``particles``: mean distance between particles and rebuilt particles; ``surface``: of the
        rebuilt particles to the surface; by number of modes, averaged over shapes.
    """
    group = np.arange(len(world)) if groups is None else np.unique(groups, return_inverse=True)[1]
    left = len(world) - np.bincount(group).max(initial=0)
    usable = [count for count in modes if count <= left - 1]
    by_particle: dict[int, list[float]] = {count: [] for count in usable}
    by_surface: dict[int, list[float]] = {count: [] for count in usable}
    most = max(usable, default=0)
    for row in range(len(world) if usable else 0):
        model = fit_shape_model(world[group != group[row]], most)
        back = np.linalg.inv(transforms[row])
        for count in usable:
            rebuilt = model.project(world[row], count)
            gap = np.linalg.norm(world[row] - rebuilt, axis=1)
            by_particle[count].append(float(gap.mean()))
            if surfaces is not None:
                local = rebuilt @ back[:3, :3].T + back[:3, 3]
                there = surfaces.take([row]).project(torch.from_numpy(local)[None])
                by_surface[count].append(float(there.distance.mean()))
    result = {"particles": {count: float(np.mean(by_particle[count])) for count in usable}}
    if surfaces is not None:
        result["surface"] = {count: float(np.mean(by_surface[count])) for count in usable}
    return result


def specificity(
    world: Float[np.ndarray, "N M 3"], modes: tuple[int, ...] = MODES, seed: int = 0
) -> dict[int, float]:
    """Draw shapes from the model and measure how near the nearest training shape is.

    The same standard normal numbers serve every number of modes. Distance: mean over particles.
    """
    model = fit_shape_model(world)
    noise = np.random.default_rng(seed).standard_normal((max(modes), DRAWS))
    result = {}
    for count in modes:
        if count > len(model.variances):
            continue
        drawn = model.shapes((noise[:count] * np.sqrt(model.variances[:count, None])).T)
        nearest = np.full(DRAWS, np.inf)
        for shape in world:
            nearest = np.minimum(nearest, np.linalg.norm(drawn - shape, axis=2).mean(1))
        result[count] = float(nearest.mean())
    return result


def material_error(
    particles: Float[np.ndarray, "N M 3"], truth: Float[np.ndarray, "N P 3"]
) -> Float[np.ndarray, "N M"]:
    """Measure the correspondence against material points whose places are known on every shape.

    Each particle is written as a weighted mean of its nearest true points (inverse square
    distance, four of them) and the small offset that remains; the same weights and offset give
    the particle's material place on every other shape. The error of a particle is its distance to
    the mean over all shapes of where they say that its material place lies on its own shape.

    Args:
        particles: Local particles, mm.
        truth: The same P material points on each shape, mm.

    Returns:
        Error of each particle on each shape, mm.
    """
    places = np.zeros_like(particles)
    for own, points in zip(particles, truth, strict=True):
        distance, nearest = cKDTree(points).query(own, 4)
        weight = 1 / np.maximum(distance, 1e-6) ** 2
        weight /= weight.sum(1, keepdims=True)
        offset = own - np.einsum("mk,mka->ma", weight, points[nearest])
        places += np.einsum("mk,nmka->nma", weight, truth[:, nearest]) + offset
    return np.asarray(np.linalg.norm(particles - places / len(particles), axis=-1))
