"""Export what is known of training subjects in a mirror, for networks that see them so too."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from massm.config.correspond import CorrespondConfig
from massm.config.groom import AlignmentConfig
from massm.config.tensors import MirrorConfig
from massm.fitting.of_run import read_fit_model
from massm.fitting.placing import Fitter, Placed
from massm.geometry.frames import MIRROR
from massm.geometry.particles import ParticleSet
from massm.io import meshes, tables, tensors
from massm.io.cohort import GroomRecord, Status, read_cohort, read_groomed
from massm.io.fingerprint import digest
from massm.stages._command import stage_main
from massm.tensors.export import shape_arrays
from massm.tensors.mirroring import mirrored_file, partners

log = logging.getLogger(__name__)


def run(  # noqa: PLR0913 - one option for each input of the rule
    config: MirrorConfig,
    *,
    alignment: AlignmentConfig,
    engine: CorrespondConfig,
    anatomies: list[str],
    subjects: list[str],
    cohort: Path,
    groomed: list[Path],
    results: Path,
    output: Path,
    done: Path,
) -> None:
    """Write ``mirrored/{subject}.safetensors`` for each subject.

    The mirrored surface of the anatomy on the other side is fitted to each anatomy's frozen shape
    model, as a new subject's is. One that cannot be fitted is unknown in the mirror.

    Args:
        config: Which anatomies are each other's mirror image.
        alignment: How shapes are aligned.
        engine: How particles are placed on them.
        anatomies: Their order.
        subjects: Training subjects of this job.
        cohort: ``dataset/cohort.tsv``.
        groomed: ``groom/index/*.tsv``.
        results: Folder that the groomed surfaces' paths start from; the shape models lie in it.
        output: Folder ``tensors``.
        done: Table of the batch: the hash of each subject's file.
    """
    status: dict[tuple[str, str], Status] = {
        (row.subject, row.anatomy): row.status for row in read_cohort(cohort)
    }
    surfaces = {
        (row.subject, row.anatomy): row for row in read_groomed(groomed) if row.surface is not None
    }
    partner = partners(anatomies, config.mirror_pairs)
    vertices = engine.entropy.initialization.template_vertices
    placed: dict[str, ParticleSet] = {}
    for anatomy, row in zip(anatomies, partner, strict=True):
        model = read_fit_model(results, anatomy, alignment, vertices)
        fitter = Fitter(model, alignment, engine)
        other = anatomies[row]
        found = {name: surfaces[name, other] for name in subjects if (name, other) in surfaces}
        placed[anatomy] = _place(fitter, anatomy, found, results)
    hashes = {}
    for subject in subjects:
        seen = {
            anatomy: status[subject, anatomies[row]]
            for anatomy, row in zip(anatomies, partner, strict=True)
            if (subject, anatomies[row]) in status
        }
        arrays = shape_arrays(subject, placed, seen, anatomies)
        path = mirrored_file(output, subject)
        tensors.save(arrays | {"partner": np.array(partner)}, path)
        hashes[subject] = digest(path)
    tables.write_table(pd.DataFrame(hashes.items(), columns=["subject", "sha256"]), done)


def _place(
    fitter: Fitter, anatomy: str, records: Mapping[str, GroomRecord], results: Path
) -> ParticleSet:
    """Fit the mirrored surfaces of the other side's anatomy; warn of those that do not fit."""
    shapes = {
        name: meshes.read(record.surface_in(results)).transformed(MIRROR)
        for name, record in records.items()
    }
    placed, failed = fitter.place_all(shapes)
    for name, reason in failed.items():
        log.warning("%s: %s has no particles in a mirror: %s", anatomy, name, reason)
    distance = [one.distance_mm for one in placed.values()]
    if distance:
        log.info("%s: %d mirrored, %.2f mm off on average", anatomy, len(placed), np.mean(distance))
    return _as_set(placed, fitter.particles)


def _as_set(placed: Mapping[str, Placed], particles: int) -> ParticleSet:
    rows = list(placed.values())
    return ParticleSet(
        tuple(placed),
        ("train",) * len(placed),
        np.array([one.local for one in rows]).reshape(-1, particles, 3),
        np.array([one.world for one in rows]).reshape(-1, particles, 3),
        np.array([one.transform for one in rows]).reshape(-1, 4, 4),
    )


if __name__ == "__main__":
    stage_main(run)
