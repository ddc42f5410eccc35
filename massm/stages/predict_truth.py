"""Upper bound ``truth``: the true particles, through the same reconstruction as all others."""

import logging
from pathlib import Path

from massm.config.predict import PredictedConfig
from massm.io import predictions
from massm.io.particles import load_set
from massm.stages._command import stage_main
from massm.tensors.manifest import read_manifest
from massm.tensors.reference_models import informed_prediction, truth_of

log = logging.getLogger(__name__)


def run(
    config: PredictedConfig,
    *,
    anatomies: list[str],
    correspond: list[Path],
    manifest: Path,
    output: Path,
) -> None:
    """Write ``{subject}.npz`` for every subject of the configured splits.

    Args:
        config: Splits.
        anatomies: Their order.
        correspond: ``correspond/{anatomy}.npz`` in the same order.
        manifest: ``tensors/manifest.json``, which lists the subjects.
        output: Folder ``predict/truth``.
    """
    sets = dict(zip(anatomies, map(load_set, correspond), strict=True))
    listed = read_manifest(manifest)
    entries = [entry for split in config.splits for entry in listed.of_split(split)]
    for entry in entries:
        prediction = informed_prediction(entry.subject, sets, truth_of, "truth")
        predictions.write(prediction, output / f"{entry.subject}.npz")
    log.info("true particles of %d subjects", len(entries))


if __name__ == "__main__":
    stage_main(run)
