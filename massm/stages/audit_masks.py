"""Rank the masks of the cohort by how little they fit."""

import logging
from pathlib import Path

from massm.audit.evidence import Key
from massm.audit.files import read_measures
from massm.audit.prediction import PredictedMask, predicted_mask
from massm.audit.ranking import rank
from massm.config.audit import RankingConfig
from massm.io import meshes
from massm.io.tables import read_table, write_table
from massm.stages._command import stage_main

log = logging.getLogger(__name__)

_MEASURE = "surface_mean"


def run(
    config: RankingConfig,
    *,
    measures: list[Path],
    predicted: list[Path],
    surfaces: list[Path],
    table: Path,
) -> None:
    """Write the list of masks, most suspicious first.

    Args:
        config: How masks are compared.
        measures: ``audit/measures/*.npz`` of all batches.
        predicted: Tables of measures of a model's predictions, those of ``evaluate`` or
            ``crossval``; what is measured of training subjects is not used. May be none.
        surfaces: Folders with ``{subject}/{anatomy}.vtp`` of the same predictions; the first that
            has one counts. May be none.
        table: CSV to write.
    """
    measured = [one for path in measures for one in read_measures(path)]
    distances = {key: mm for path in predicted for key, mm in _distances(path).items()}
    predictions = {key: _read(key, mm, surfaces) for key, mm in distances.items()}
    ranked = rank(measured, predictions, config.fewest)
    write_table(ranked, table)
    compared = int(ranked["rank"].notna().sum())
    log.info("%d masks ranked, %d not compared", compared, len(ranked) - compared)
    log.info("%d masks have a prediction that has not learned from them", len(distances))
    for row in ranked.head(min(compared, 10)).to_dict("records"):
        log.info("%(rank)d %(subject)s %(anatomy)s: %(reason)s", row)


def _read(key: Key, distance_mm: float, folders: list[Path]) -> PredictedMask:
    """Read the surface of a prediction, if it is there."""
    subject, anatomy = key
    files = (folder / subject / f"{anatomy}.vtp" for folder in folders)
    file = next((path for path in files if path.is_file()), None)
    return predicted_mask(distance_mm, None if file is None else meshes.read(file))


def _distances(path: Path) -> dict[Key, float]:
    """Read how far masks lie from their predictions, mm; of several heads the first counts."""
    table = read_table(path)
    rows = table[
        (table["measure"] == _MEASURE) & (table["split"] != "train") & (table["value"] > 0)
    ]
    rows = rows.drop_duplicates(["subject", "anatomy"])
    keys = zip(rows["subject"], rows["anatomy"], strict=True)
    return dict(zip(keys, map(float, rows["value"]), strict=True))


if __name__ == "__main__":
    stage_main(run)
