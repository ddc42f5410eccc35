"""Surfaces from particles: the template's mesh, warped."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from massm.geometry.intersections import folded_faces, self_intersections
from massm.geometry.mesh import Mesh
from massm.geometry.warp import warp_weights
from massm.io import meshes
from massm.io.errors import DataError
from massm.io.particles import load_arrays, save_arrays
from massm.io.shapes import refuse_other_shapes


@dataclass(frozen=True)
class Warp:
    """The precomputed way from an anatomy's particles to its surface.

    Attributes:
        weights: ``vertices = weights @ particles``.
        faces: Triangles of the template.
    """

    weights: Float[np.ndarray, "V M"]
    faces: Int[np.ndarray, "F 3"]

    def surface(self, particles: Float[np.ndarray, "M 3"]) -> Mesh:
        """Build the surface through particles, in their frame; faces turn outward.

        Raises:
            ValueError: If the number of particles is not the template's, or one is not finite.
        """
        expected = (self.weights.shape[1], 3)
        if particles.shape != expected:
            raise ValueError(
                f"the template has {expected[0]} particles, found an array {particles.shape}"
            )
        if not np.isfinite(particles).all():
            raise ValueError("a particle is not a finite number")
        # Weights sum to 1: taking out the mean loses nothing and saves digits far from the origin.
        mean = particles.mean(0)
        mesh = Mesh(self.weights @ (particles - mean) + mean, self.faces)
        if mesh.volume < 0:  # the world frame of a mirrored anatomy
            mesh = Mesh(mesh.vertices, self.faces[:, ::-1].copy())
        return mesh


@dataclass(frozen=True)
class Flaws:
    """Where a warped surface is not a proper one.

    Attributes:
        folded: Triangles that turn against their neighbors.
        crossing: Pairs of triangles that pass through each other.
    """

    folded: int
    crossing: int

    def __bool__(self) -> bool:
        """Tell whether there is any flaw."""
        return bool(self.folded or self.crossing)


def make_warp(
    template: Mesh, particles: Float[np.ndarray, "M 3"], *, regularization: float = 0.0
) -> Warp:
    """Precompute the warp of a template.

    Args:
        template: Closed surface, mm.
        particles: Its particles, same frame, mm.
        regularization: See :func:`massm.geometry.warp.warp_weights`.
    """
    weights = warp_weights(template.vertices, particles, regularization=regularization)
    return Warp(weights, template.faces)


def flaws_of(surface: Mesh) -> Flaws:
    """Count folds and crossings of a surface."""
    return Flaws(len(folded_faces(surface)), len(self_intersections(surface)))


def write_surface(
    warp: Warp, particles: Float[np.ndarray, "M 3"], path: Path, described: str
) -> dict[str, int]:
    """Build the surface through particles, write it and count its flaws.

    Args:
        warp: Of the anatomy.
        particles: In any frame, mm.
        path: The ``.vtp`` to write.
        described: Subject, anatomy and head, for the message.

    Raises:
        DataError: If the particles do not fit the warp.
    """
    try:
        surface = warp.surface(particles.astype(np.float64))
    except ValueError as error:
        raise DataError(f"{described}: {error}; make the particles and the warp anew") from error
    flaws = flaws_of(surface)
    meshes.write(surface, path)
    return {"folded": flaws.folded, "crossing": flaws.crossing}


def save_warp(warp: Warp, path: Path) -> None:
    """Write a warp, whole or not at all."""
    save_arrays({"weights": warp.weights, "faces": warp.faces}, path)


def load_warp(path: Path) -> Warp:
    """Read a warp.

    Raises:
        DataError: If the file is damaged or something else.
    """
    arrays = load_arrays(path)
    shapes = {"weights": "V M", "faces": "F 3"}
    refuse_other_shapes(arrays, shapes, path, "it is no warp: run reconstruct again")
    return Warp(arrays["weights"], arrays["faces"])
