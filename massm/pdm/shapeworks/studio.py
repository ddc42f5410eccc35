"""A finished shape model as a project that ShapeWorks Studio opens."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from massm.geometry.alignment import invert_transform
from massm.geometry.particles import ParticleSet
from massm.io.particles import text_file
from massm.io.shapeworks import (
    DOMAIN,
    ShapeWorksProject,
    relative_to_project,
    transform_text,
    write_project,
)


def write_studio_project(
    path: Path,
    population: ParticleSet,
    surfaces: Mapping[str, Path],
    alignments: Mapping[str, Float[np.ndarray, "4 4"]],
    particles: Path,
) -> None:
    """Write a project that opens a finished shape model in ShapeWorks Studio.

    Meshes and local particles stay in the image frame, LPS mm, as ShapeWorks' own grooming leaves
    them; ``alignment`` and then ``procrustes`` carry them to world. Studio shows the project in its
    analysis view; all subjects take part there, and the group ``split`` tells them apart. Where a
    subject has a ``name``, Studio shows that (ShapeWorks' ``Shape::update_annotations``), not the
    file name of its mesh, which all subjects share.

    Args:
        path: Ends in ``.swproj``; all files are named relative to it.
        population: Particles of the subjects.
        surfaces: Groomed surface of each subject, image frame.
        alignments: Matrix from image to aligned frame of each subject.
        particles: Folder that holds the particles as text (:func:`massm.io.particles.text_file`).
    """
    subjects = []
    for row, name in enumerate(population.subjects):
        surface = relative_to_project(surfaces[name], path)
        procrustes = population.transforms[row] @ invert_transform(alignments[name])
        files = {
            f"{kind}_particles_{DOMAIN}": relative_to_project(
                text_file(particles, name, kind), path
            )
            for kind in ("local", "world")
        }
        subjects.append(
            {
                "name": name,
                f"shape_{DOMAIN}": surface,
                f"groomed_{DOMAIN}": surface,
                **files,
                f"alignment_{DOMAIN}": transform_text(alignments[name]),
                f"procrustes_{DOMAIN}": transform_text(procrustes),
                "group_split": population.splits[row],
            }
        )
    write_project(ShapeWorksProject(tuple(subjects), {"studio": {"tool_state": "analysis"}}), path)
