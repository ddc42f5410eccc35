"""Align one anatomy: groomed surfaces in, one rigid transform for each subject out."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from massm.config.groom import AlignmentConfig
from massm.groom.align import align_all, points_needed
from massm.groom.cloud import Cloud, cloud_of
from massm.io import meshes
from massm.io.cohort import GroomRecord, read_groomed
from massm.io.documents import write_json
from massm.io.errors import DataError
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(
    config: AlignmentConfig,
    *,
    anatomy: str,
    index: list[Path],
    results: Path,
    alignment: Path,
    contralateral: str | None = None,
) -> None:
    """Choose the reference from the training split and align every surface to it.

    Args:
        config: How to align.
        anatomy: Which one.
        index: Tables of the groomed batches.
        results: Folder that the tables' paths start from.
        alignment: The JSON document to write.
        contralateral: The anatomy of the other side that this one is pooled with: both are aligned
            to one reference.
    """
    records = read_groomed(index)
    own = [row for row in records if row.anatomy == anatomy]
    groomed = [row for row in own if row.status == "groomed"]
    training = {row.subject for row in groomed if row.split == "train"}
    if not training:
        raise DataError(
            f"{anatomy}: no training subject has a groomed surface ({_failures(own)}); "
            "see the tables in groom/index"
        )
    clouds, failed = _clouds(groomed, results, points_needed(config))
    others = [row for row in records if row.anatomy == contralateral and row.split == "train"]
    others = [row for row in others if row.status == "groomed"]
    opposite, _ = _clouds(others, results, points_needed(config))
    result = align_all(
        *(clouds, training, config), reflect=anatomy in config.reflect, contralateral=opposite
    )

    residuals = np.array(list(result.residuals.values()))
    log.info(
        "%s: %d surfaces aligned to %s, %.2f mm apart on average, %.2f at most",
        *(anatomy, len(clouds), result.reference, residuals.mean(), residuals.max()),
    )
    write_json(
        {
            "anatomy": anatomy,
            "reference": result.reference,
            "reference_anatomy": contralateral if result.by_contralateral else anatomy,
            "reflected": result.reflected,
            "transforms": {name: m.ravel().tolist() for name, m in result.transforms.items()},
            "residuals_mm": {name: round(value, 4) for name, value in result.residuals.items()},
            "failed": failed,
        },
        alignment,
    )


def _clouds(
    rows: Sequence[GroomRecord], results: Path, points: int
) -> tuple[dict[str, Cloud], dict[str, str]]:
    """Read surfaces as points; name those that cannot be used, with the reason."""
    clouds: dict[str, Cloud] = {}
    failed: dict[str, str] = {}
    for row in rows:
        cloud = cloud_of(meshes.read(row.surface_in(results)), points)
        if np.isfinite(cloud.points).all():
            clouds[row.subject] = cloud
        else:
            failed[row.subject] = "the surface has no finite area"
    return clouds, failed


def _failures(rows: Sequence[GroomRecord]) -> str:
    reasons = [row.reason for row in rows if row.status == "failed"]
    return f"{len(reasons)} failed, the first: {reasons[0]}" if reasons else "none was groomed"


if __name__ == "__main__":
    stage_main(run)
