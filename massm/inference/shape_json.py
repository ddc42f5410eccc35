"""``shape.json``: all that is known of a scan's anatomies, for programs.

``docs/shape.schema.json`` describes it, ``docs/predict.md`` explains it. Numbers that are not
known are null; no time and no random number is in it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np

from massm import __version__
from massm.geometry.boxes import Box
from massm.inference.bundle import Bundle
from massm.inference.label_map import LabelMap
from massm.inference.remarks import Remark
from massm.inference.shapes import AnatomyShape, Band, ScanGrid, ScanShapes, Standing, Trust
from massm.inference.sources import Source
from massm.machine.versions import commit, package_versions

SCHEMA = 1
_FRAMES = {
    "image": "LPS millimeters of the scan: x to the patient's left, y to the back, z to the head",
    "world": "millimeters of the training population's aligned frame of one anatomy",
}


@dataclass(frozen=True)
class Files:
    """What was written for a scan, named relative to its folder.

    Attributes:
        scan: Files of the whole scan.
        anatomies: Those of each anatomy that was found.
    """

    scan: list[str]
    anatomies: dict[str, list[str]]


def shape_document(
    shapes: ScanShapes,
    source: Source,
    bundle: Bundle,
    labels: LabelMap | None,
    remarks: Sequence[Remark],
    files: Files,
) -> dict[str, Any]:
    """Write down a scan's shapes as JSON takes it.

    Args:
        shapes: What was found.
        source: The scan.
        bundle: The model that found it.
        labels: The label map, if one was made.
        remarks: What is noteworthy.
        files: What was written.
    """
    return {
        "schema": SCHEMA,
        "name": shapes.name,
        "frames": _FRAMES,
        "scan": {
            "file": source.given,
            "kind": source.kind,
            "sha256": source.sha256(),
            "shear_mm": source.shear_mm,
            "notes": list(source.notes),
            "grid": _grid(shapes.grid),
        },
        "model": {
            "anatomies": list(bundle.description.anatomies),
            "commit": bundle.commit,
            "versions": bundle.versions,
            "sha256": bundle.files,
            "intervals": _intervals(bundle),
            "trust": _tables(bundle),
        },
        "massm": {"version": __version__, **_program()},
        "remarks": [
            {"kind": each.kind, "anatomy": each.anatomy, "text": each.text} for each in remarks
        ],
        "trust": None if shapes.trust is None else _trust(shapes.trust),
        "untold": shapes.untold or None,
        "label_map": _labels(labels),
        "files": files.scan,
        "anatomies": {
            name: _anatomy(shape, labels) | {"files": files.anatomies.get(name, [])}
            for name, shape in shapes.anatomies.items()
        },
    }


@cache
def _program() -> dict[str, Any]:
    """Say what runs here; asked once for all scans."""
    return {"commit": commit(), "versions": package_versions()}


def _grid(grid: ScanGrid) -> dict[str, Any]:
    return {
        "size": list(grid.size),
        "spacing_mm": _numbers(grid.spacing),
        "origin_mm": _numbers(grid.origin),
        "direction": [_numbers(row) for row in grid.direction],
    }


def _labels(labels: LabelMap | None) -> dict[str, Any] | None:
    if labels is None:
        return None
    pairs = labels.overlaps.items()
    return {
        "voxel_ml": labels.volume.voxel_ml,
        "overlaps": [{"anatomies": list(pair), "voxels": count} for pair, count in pairs],
    }


def _anatomy(shape: AnatomyShape, labels: LabelMap | None) -> dict[str, Any]:
    voxels = labels.voxels.get(shape.anatomy) if labels is not None else None
    return {
        "label": shape.label,
        "present": shape.present,
        "score": shape.score,
        "threshold": shape.threshold,
        "volume_ml": shape.volume_ml,
        "area_mm2": shape.area_mm2,
        "voxels": voxels,
        "box": None if shape.box is None else _box(shape.box),
        "outside": None
        if shape.cut is None
        else {
            "is_cut": shape.cut.is_cut,
            "surface_share": shape.cut.surface,
            "particle_share": shape.cut.particles,
            "expected_share": shape.cut.expected,
        },
        "within": None if shape.band is None else _band(shape.band),
        "unsure": shape.unsure or None,
        "trust": None if shape.trust is None else _trust(shape.trust),
        "population": None if shape.standing is None else _standing(shape.standing),
    }


def _box(box: Box) -> dict[str, Any]:
    return {"center_mm": _numbers(box.center), "radius_mm": _numbers(box.radius)}


def _intervals(bundle: Bundle) -> dict[str, Any] | None:
    if bundle.intervals is None:
        return None
    return {"level": bundle.intervals.level, "calibration": bundle.intervals.calibration}


def _tables(bundle: Bundle) -> dict[str, Any] | None:
    if bundle.trust is None:
        return None
    return {
        "false_alarms": bundle.trust.false_alarms,
        "subjects": bundle.trust.subjects,
        "calibration": bundle.trust.calibration,
    }


def _trust(trust: Trust) -> dict[str, Any]:
    return {
        "light": trust.light,
        "reason": trust.reason or None,
        "strangeness": trust.strangeness,
        "amber": trust.amber,
        "red": trust.red,
        "findings": [asdict(finding) for finding in trust.findings],
    }


def _band(band: Band) -> dict[str, Any]:
    return {
        "level": band.level,
        "share": _radii(band.share_mm),
        "whole": _radii(band.whole_mm),
        "calibration_subjects": band.subjects,
        "pooled": band.pooled,
    }


def _radii(radius: np.ndarray | None) -> dict[str, Any] | None:
    if radius is None:
        return None
    return {"mean_mm": float(radius.mean()), "particles_mm": _numbers(radius)}


def _standing(standing: Standing) -> dict[str, Any]:
    modes = zip(standing.scores, standing.score_percentiles, strict=True)
    return {
        "training_subjects": standing.subjects,
        "volume_percentile": standing.volume_percentile,
        "area_percentile": standing.area_percentile,
        "world_head": standing.head,
        "mahalanobis": standing.mahalanobis,
        "mahalanobis_percentile": standing.mahalanobis_percentile,
        "modes": [
            {"score": float(score), "percentile": float(percentile)} for score, percentile in modes
        ],
    }


def _numbers(values: np.ndarray) -> list[float]:
    return [float(value) for value in values]
