"""Ceiling ``pca_oracle``: true particles projected on the shape model's leading modes."""

import logging
from pathlib import Path

import numpy as np

from massm.config.predict import OracleConfig
from massm.geometry.boxes import box_of
from massm.io.particles import load_set, save_arrays
from massm.stages._command import stage_main
from massm.tensors.manifest import read_manifest
from massm.tensors.reference_models import oracle_of

log = logging.getLogger(__name__)


def run(
    config: OracleConfig,
    *,
    anatomies: list[str],
    correspond: list[Path],
    manifest: Path,
    output: Path,
) -> None:
    """Write ``{subject}.npz`` for every subject of the configured splits.

    Present is what the correspondence holds: the oracle knows the truth, and its score is 1 or 0.

    Args:
        config: Splits and number of modes.
        anatomies: Their order.
        correspond: ``correspond/{anatomy}.npz`` in the same order.
        manifest: ``tensors/manifest.json``, which lists the subjects.
        output: Folder ``predict/pca_oracle``.
    """
    sets = [load_set(path) for path in correspond]
    listed = read_manifest(manifest)
    entries = [entry for split in config.splits for entry in listed.of_split(split)]
    for entry in entries:
        present = np.array([entry.subject in particles.subjects for particles in sets])
        local, world = (np.full((len(sets), listed.particles, 3), np.nan) for _ in range(2))
        for k in np.flatnonzero(present):
            local[k], world[k] = oracle_of(entry.subject, sets[k], config.oracle_modes)
        center, radius = box_of(local)
        save_arrays(
            {
                "anatomies": np.array(anatomies),
                "score": present.astype(float),
                "present": present,
                "center": center,
                "radius": radius,
                "local": local,
                "world_pca": world,
            },
            output / f"{entry.subject}.npz",
        )
    log.info("%d subjects projected on %d modes", len(entries), config.oracle_modes)


if __name__ == "__main__":
    stage_main(run)
