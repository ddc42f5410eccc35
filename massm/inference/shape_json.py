"""``shape.json``: all that is known of a scan's anatomies, for programs.

``docs/shape.schema.json`` describes it, ``docs/predict.md`` explains it. Numbers that are not
known are null; no time and no random number is in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from massm import __version__
from massm.geometry.boxes import Box
from massm.inference.bundle import Bundle
from massm.inference.label_map import LabelMap
from massm.inference.remarks import Remark
from massm.inference.shapes import AnatomyShape, ScanGrid, ScanShapes, Standing
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
        },
        "massm": {"version": __version__, **_program()},
        "remarks": [
            {"kind": each.kind, "anatomy": each.anatomy, "text": each.text} for each in remarks
        ],
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
        },
        "population": None if shape.standing is None else _standing(shape.standing),
    }


def _box(box: Box) -> dict[str, Any]:
    return {"center_mm": _numbers(box.center), "radius_mm": _numbers(box.radius)}


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
