"""Precompute the warp of one anatomy: template and its particles in, a matrix out."""

import logging
from pathlib import Path

import numpy as np

from massm.config.reconstruct import ReconstructConfig
from massm.io import meshes, particles
from massm.io.documents import read_json
from massm.io.errors import DataError
from massm.reconstruct.from_particles import flaws_of, make_warp, save_warp
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(
    config: ReconstructConfig,
    *,
    anatomy: str,
    template: Path,
    record: Path,
    particles_file: Path,
    warp: Path,
) -> None:
    """Write the matrix that turns an anatomy's particles into vertices.

    Args:
        config: Smoothness of the warp.
        anatomy: Which anatomy.
        template: ``template/{anatomy}.vtp``.
        record: ``template/{anatomy}.json``, which names the subject.
        particles_file: ``correspond/{anatomy}.npz``.
        warp: ``.npz`` to write.
    """
    subject = read_json(record, "subject")["subject"]
    population = particles.load_set(particles_file)
    try:
        own = population.local[population.row(subject)]
        result = make_warp(meshes.read(template), own, regularization=config.regularization_mm)
    except (KeyError, ValueError) as error:
        raise DataError(f"{anatomy}: the template {subject} cannot be warped: {error}") from error
    save_warp(result, warp)

    surfaces = [result.surface(local) for local in population.of_split("train").local]
    flaws = [flaws_of(surface) for surface in surfaces]
    crossing = np.array([flaw.crossing for flaw in flaws])
    log.info(
        "%s: %d particles carry %d vertices; on training particles %d of %d surfaces cross "
        "themselves, %d triangles are folded in the worst",
        *(anatomy, result.weights.shape[1], len(result.weights)),
        *(int((crossing > 0).sum()), len(flaws), max((flaw.folded for flaw in flaws), default=0)),
    )


if __name__ == "__main__":
    stage_main(run)
