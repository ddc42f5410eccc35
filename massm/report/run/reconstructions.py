"""True and predicted reconstructions of the subjects that were measured, in either frame."""

from functools import cache
from pathlib import Path

from massm.evaluate.rows import LOCAL
from massm.geometry.mesh import Mesh
from massm.geometry.particles import ParticleSet
from massm.io import meshes
from massm.io.particles import load_set
from massm.reconstruct.parts import surface_name
from massm.report.naming import Method


class Reconstructions:
    """Reads the surfaces below ``reconstruct/``; what is not asked for need not be there."""

    def __init__(self, results: Path) -> None:
        """Remember where things are.

        Args:
            results: The results folder.
        """
        self._results = results
        self._population = cache(self._read_population)

    def true(self, subject: str, anatomy: str, head: str) -> Mesh:
        """Read the surface from true particles, in the frame of a head.

        Args:
            subject: Its name.
            anatomy: One that has true particles.
            head: Local: the image frame; else the population's.
        """
        folder = self._results / "reconstruct" / "reference" / subject
        mesh = meshes.read(folder / surface_name(anatomy, LOCAL))
        if head == LOCAL:
            return mesh
        population = self._population(anatomy)
        return mesh.transformed(population.transforms[population.row(subject)])

    def predicted(self, method: Method, subject: str, anatomy: str) -> Mesh:
        """Read the surface that a method gave of an anatomy that it found, in its head's frame."""
        model, head = method
        folder = self._results / "reconstruct" / model / subject
        return meshes.read(folder / surface_name(anatomy, head))

    def _read_population(self, anatomy: str) -> ParticleSet:
        return load_set(self._results / "correspond" / f"{anatomy}.npz")
