"""Particles of a population: groomed, aligned surfaces in, particles in correspondence out."""

import logging
from pathlib import Path

import numpy as np
from jaxtyping import Float

from massm.config.correspond import CorrespondConfig
from massm.geometry.particles import ParticleSet
from massm.io.documents import write_json
from massm.io.particles import load_arrays, save_arrays, save_set, write_texts
from massm.io.shapes import refuse_other_shapes
from massm.io.tables import write_table
from massm.pdm.groomed import Member, read_member
from massm.pdm.modeling import PopulationModel, model_population
from massm.pdm.population import Population
from massm.pdm.shapeworks.studio import write_studio_project
from massm.pdm.summary import truth_errors
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(  # noqa: PLR0913 - one option for each input of the rule
    config: CorrespondConfig,
    *,
    population: str,
    anatomies: list[str],
    index: list[Path],
    alignments: list[Path],
    results: Path,
    particles: list[Path],
    folders: list[Path],
    project: Path | None = None,
    truth: Path | None = None,
) -> None:
    """Optimize the training shapes of a population, then fit all others to the frozen model.

    Args:
        config: Engine and its settings.
        population: Its name; that of the anatomy if there is one alone.
        anatomies: Its members; alignment has made mirror images of each other alike.
        index: Tables of the groomed batches.
        alignments: ``groom/alignment/{anatomy}.json`` of each.
        results: Folder that the tables' paths start from.
        particles: The particle set to write, of each.
        folders: For text particles, the model, the tables of quality, and ``{anatomy}.swproj``, a
            project of ShapeWorks Studio that shows them all; of each. The model and its quality
            are the same in all.
        project: ShapeWorks project whose particles are taken, of backend ``project``.
        truth: Folder ``{subject}/{anatomy}.npz`` of known material points, of a phantom.
    """
    members = tuple(
        read_member(anatomy, index, alignment, results)
        for anatomy, alignment in zip(anatomies, alignments, strict=True)
    )
    shapes, checkpoint = Population(population, members), folders[0] / "checkpoint"
    made = model_population(config, shapes, project=project, checkpoint=checkpoint)
    for member, file, folder in zip(members, particles, folders, strict=True):
        _write(made, member, file, folder, truth)


def _write(
    made: PopulationModel, member: Member, particles: Path, folder: Path, truth: Path | None
) -> None:
    """Write all files of one anatomy: see :func:`run`."""
    anatomy, found = member.anatomy, made.particles(member)
    known = {} if truth is None else _read_truth(truth, anatomy, found)
    values = made.quality | truth_errors(found, known)
    log.info("%s: %s", anatomy, ", ".join(f"{k} {v:.4g}" for k, v in values.items()))
    files = member.training.files | member.others.files
    alignments = member.training.alignments | member.others.alignments
    project, texts = folder / f"{anatomy}.swproj", folder / "particles"
    write_texts(found, texts)
    write_studio_project(project, found, files, alignments, texts)
    save_arrays(made.model, folder / "model.npz")
    write_table(made.subjects(member), folder / "particles.csv")
    write_table(made.curves, folder / "curves.csv")
    write_json({"anatomy": anatomy, **values}, folder / "quality.json")
    save_set(found, particles)


def _read_truth(
    folder: Path, anatomy: str, particles: ParticleSet
) -> dict[str, Float[np.ndarray, "P 3"]]:
    """Read the material points of each subject that has some, image frame, mm."""
    points = {}
    for name in particles.subjects:
        path = folder / name / f"{anatomy}.npz"
        if not path.is_file():
            continue
        arrays = load_arrays(path)
        refuse_other_shapes(arrays, {"points": "P 3"}, path, "make the phantom cohort anew")
        points[name] = arrays["points"]
    if len(points) < len(particles.subjects):
        lacking = len(particles.subjects) - len(points)
        log.warning("%s: no truth for %d subjects", anatomy, lacking)
    return points


if __name__ == "__main__":
    stage_main(run)
