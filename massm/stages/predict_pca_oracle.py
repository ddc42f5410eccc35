"""Bound ``pca_oracle``: the nearest shapes to the true ones that some modes can make."""

import logging
from functools import partial
from pathlib import Path

from massm.config.model import LocalConfig
from massm.config.predict import OracleConfig, projected_modes
from massm.io import predictions
from massm.io.particles import load_set
from massm.stages._command import stage_main
from massm.tensors.manifest import read_manifest
from massm.tensors.reference_models import informed_prediction, oracle_of

log = logging.getLogger(__name__)


def run(
    config: OracleConfig,
    *,
    local: LocalConfig,
    anatomies: list[str],
    correspond: list[Path],
    manifest: Path,
    output: Path,
) -> None:
    """Write ``{subject}.npz`` for every subject of the configured splits.

    Args:
        config: Splits and number of modes.
        local: The network's head, whose number of modes is taken where none is given.
        anatomies: Their order.
        correspond: ``correspond/{anatomy}.npz`` in the same order.
        manifest: ``tensors/manifest.json``, which lists the subjects.
        output: Folder ``predict/pca_oracle``.
    """
    sets = dict(zip(anatomies, map(load_set, correspond), strict=True))
    listed = read_manifest(manifest)
    entries = [entry for split in config.splits for entry in listed.of_split(split)]
    modes = projected_modes(config, local)
    make = partial(oracle_of, modes=modes)
    for entry in entries:
        prediction = informed_prediction(entry.subject, sets, make, "pca")
        predictions.write(prediction, output / f"{entry.subject}.npz")
    log.info("%d subjects projected on %s modes", len(entries), modes or "all")


if __name__ == "__main__":
    stage_main(run)
