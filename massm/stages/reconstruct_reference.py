"""Reconstruct the reference: surfaces from the true particles of the subjects that are measured."""

import logging
from pathlib import Path

import pandas as pd

from massm.config.evaluate import MeasuredConfig
from massm.io import particles
from massm.io.errors import DataError
from massm.io.tables import write_table
from massm.reconstruct.from_particles import load_warp, write_surface
from massm.stages._command import stage_main

log = logging.getLogger(__name__)

_COLUMNS = ["model", "subject", "anatomy", "head", "surface", "folded", "crossing"]


def run(
    config: MeasuredConfig,
    *,
    particles_files: list[Path],
    warps: list[Path],
    results: Path,
    index: Path,
) -> None:
    """Write the surface through the true local particles of the subjects that are measured.

    Args:
        config: Splits that are measured.
        particles_files: ``correspond/{anatomy}.npz``, one for each anatomy.
        warps: ``reconstruct/warp/{anatomy}.npz``.
        results: Results folder; surfaces go to ``reconstruct/reference/{subject}/{anatomy}.vtp``.
        index: Table of the surfaces.
    """
    library = {path.stem: load_warp(path) for path in warps}
    records: list[dict[str, object]] = []
    for path in particles_files:
        anatomy = path.stem
        if anatomy not in library:
            raise DataError(f"{anatomy} has particles but no warp; run reconstruct_warp for it")
        population = particles.load_set(path)
        measured = [i for i, split in enumerate(population.splits) if split in config.splits]
        crossing = 0
        for row in measured:
            subject = population.subjects[row]
            target = results / "reconstruct" / "reference" / subject / f"{anatomy}.vtp"
            described = f"{subject} {anatomy}"
            flaws = write_surface(library[anatomy], population.local[row], target, described)
            crossing += bool(flaws["crossing"])
            names = {"model": "reference", "subject": subject, "anatomy": anatomy, "head": "local"}
            records.append({**names, "surface": str(target.relative_to(results)), **flaws})
        log.info("%s: %d reference surfaces, %d cross themselves", anatomy, len(measured), crossing)
    records.sort(key=lambda record: (record["subject"], record["anatomy"]))
    write_table(pd.DataFrame(records, columns=_COLUMNS), index)


if __name__ == "__main__":
    stage_main(run)
