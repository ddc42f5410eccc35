"""Align one anatomy: groomed surfaces in, one rigid transform for each subject out."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from massm.config.groom import AlignmentConfig
from massm.groom.align import align_all, points_needed
from massm.groom.cloud import Cloud, cloud_of
from massm.io import meshes
from massm.io.documents import write_json
from massm.io.errors import DataError
from massm.io.tables import read_table
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(
    config: AlignmentConfig,
    *,
    anatomy: str,
    index: list[Path],
    results: Path,
    alignment: Path,
    twin: str | None = None,
) -> None:
    """Choose the reference from the training split and align every surface to it.

    Args:
        config: How to align.
        anatomy: Which organ.
        index: Tables of the groomed batches.
        results: Folder that the tables' paths start from.
        alignment: The JSON document to write.
        twin: The anatomy that this one is pooled with: both are aligned to one reference.
    """
    table = pd.concat([read_table(path) for path in index], ignore_index=True)
    rows = table[(table.anatomy == anatomy) & (table.status == "groomed")]
    training = set(rows.subject[rows.split == "train"])
    if not training:
        raise DataError(
            f"{anatomy}: no training subject has a groomed surface ({_failures(table, anatomy)}); "
            "see the tables in groom/index"
        )
    clouds, failed = _clouds(rows, results, points_needed(config))
    others = table[(table.anatomy == twin) & (table.status == "groomed") & (table.split == "train")]
    twins, _ = _clouds(others, results, points_needed(config))
    result = align_all(clouds, training, config, reflect=anatomy in config.reflect, twins=twins)

    residuals = np.array(list(result.residuals.values()))
    log.info(
        "%s: %d surfaces aligned to %s, %.2f mm apart on average, %.2f at most",
        *(anatomy, len(clouds), result.reference, residuals.mean(), residuals.max()),
    )
    write_json(
        {
            "anatomy": anatomy,
            "reference": result.reference,
            "reference_anatomy": twin if result.by_twin else anatomy,
            "reflected": result.reflected,
            "transforms": {name: m.ravel().tolist() for name, m in result.transforms.items()},
            "residuals_mm": {name: round(value, 4) for name, value in result.residuals.items()},
            "failed": failed,
        },
        alignment,
    )


def _clouds(
    rows: pd.DataFrame, results: Path, points: int
) -> tuple[dict[str, Cloud], dict[str, str]]:
    """Read surfaces as points; name those that cannot be used, with the reason."""
    clouds: dict[str, Cloud] = {}
    failed: dict[str, str] = {}
    for row in rows.to_dict("records"):
        cloud = cloud_of(meshes.read(results / row["surface"]), points)
        if np.isfinite(cloud.points).all():
            clouds[row["subject"]] = cloud
        else:
            failed[row["subject"]] = "the surface has no finite area"
    return clouds, failed


def _failures(table: pd.DataFrame, anatomy: str) -> str:
    rows = table[(table.anatomy == anatomy) & (table.status == "failed")]
    if rows.empty:
        return "none was groomed"
    return f"{len(rows)} failed, the first: {rows.reason.iloc[0]}"


if __name__ == "__main__":
    stage_main(run)
