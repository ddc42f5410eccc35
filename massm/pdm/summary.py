"""The tables that a shape model is judged by."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from massm.geometry.mesh import Mesh
from massm.geometry.particles import ParticleSet
from massm.pdm import quality
from massm.pdm.correspondence import Correspondence
from massm.pdm.shape_model import fit_shape_model
from massm.pdm.surfaces import SurfaceSet

CURVE_MODES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20)


def training_quality(
    fit: Correspondence, surfaces: Sequence[Mesh], groups: Sequence[str] | None = None
) -> tuple[dict[str, float | int], pd.DataFrame]:
    """Measure the model of the training subjects.

    Args:
        fit: Their particles.
        surfaces: Their surfaces, in the frame of ``fit.particles``, in the order of ``fit.names``.
        groups: Shapes that are left out together (:func:`massm.pdm.quality.generalization`).

    Returns:
        Measures by name (lengths in mm), and a table ``measure, modes, value``: compactness,
        generalization (particles and to the surface), specificity.
    """
    ready = SurfaceSet(surfaces, fit.names)
    model = fit_shape_model(fit.world)
    generalization = quality.generalization(ready, fit.world, fit.procrustes, CURVE_MODES, groups)
    specificity = quality.specificity(fit.world, CURVE_MODES)
    values = {
        "subjects": len(fit.names),
        "particles": fit.world.shape[1],
        **quality.spread_measures(ready, fit.particles),
        "swapped_pairs": int(fit.diagnostics.swapped.sum()),
        "collapsed_pairs": int(fit.diagnostics.collapsed.sum()),
        **quality.compactness_measures(model),
    }
    for kind, curve in (
        ("generalization", generalization["particles"]),
        ("generalization_surface", generalization["surface"]),
        ("specificity", specificity),
    ):
        values |= {f"{kind}_{modes}": curve[modes] for modes in (1, 3, 10) if modes in curve}
    rows = [
        ("compactness", modes, float(value))
        for modes, value in enumerate(model.compactness, start=1)
    ]
    rows += [("generalization", *item) for item in generalization["particles"].items()]
    rows += [("generalization_surface", *item) for item in generalization["surface"].items()]
    rows += [("specificity", *item) for item in specificity.items()]
    return values, pd.DataFrame(rows, columns=["measure", "modes", "value"])


def fixed_quality(
    training: Correspondence, fit: Correspondence, surfaces: Sequence[Mesh]
) -> dict[str, float | int]:
    """Measure fits of new subjects; empty without any.

    ``residual_10``: mean distance of particles to their projection on ten modes, averaged.
    """
    if not fit.names:
        return {}
    model = fit_shape_model(training.world)
    nearest = model.project(fit.world, 10)
    residual = np.linalg.norm(fit.world - nearest, axis=2).mean(1)
    spread = quality.spread_measures(SurfaceSet(surfaces, fit.names), fit.particles)
    return {
        "fixed_subjects": len(fit.names),
        **{f"fixed_{name}": value for name, value in spread.items()},
        "fixed_residual_10": float(residual.mean()),
        "fixed_residual_10_median": float(np.median(residual)),
        "fixed_swapped_pairs": int(fit.diagnostics.swapped.sum()),
        "fixed_collapsed_pairs": int(fit.diagnostics.collapsed.sum()),
        "fixed_outside_span": int(fit.diagnostics.outside_span.sum()),
    }


def subject_rows(fit: Correspondence, splits: Sequence[str]) -> pd.DataFrame:
    """One row for each subject: what was found, or why it was left out."""
    found = fit.diagnostics
    table = pd.DataFrame(
        {
            "subject": list(fit.names),
            "split": list(splits),
            "status": "fitted",
            "reason": "",
            "distance_mean_mm": found.distance_mean,
            "distance_max_mm": found.distance_max,
            "swapped_pairs": found.swapped,
            "collapsed_pairs": found.collapsed,
            "residual_mm": found.residual,
            "outside_span": found.outside_span,
        }
    )
    left_out = pd.DataFrame(
        [
            {"subject": name, "split": "", "status": "failed", "reason": reason}
            for name, reason in fit.failed.items()
        ]
    )
    return table if left_out.empty else pd.concat([table, left_out], ignore_index=True)


def truth_errors(
    particles: ParticleSet, points: Mapping[str, Float[np.ndarray, "P 3"]]
) -> dict[str, float]:
    """Measure the correspondence against known material points; empty without any.

    Args:
        particles: Of all subjects.
        points: Material points of the subjects where they are known, image frame, mm.

    Returns:
        ``truth_error_mean`` and ``truth_error_95`` of the training subjects, with ``fixed_`` of
        all others, mm (:func:`massm.pdm.quality.material_error`).
    """
    known = [row for row, name in enumerate(particles.subjects) if name in points]
    if not known:
        return {}
    part = particles.take(known)
    truth = np.stack([points[name] for name in part.subjects])
    error = quality.material_error(part.local, truth)
    is_training = np.array([split == "train" for split in part.splits])
    values = {}
    for prefix, rows in (("", is_training), ("fixed_", ~is_training)):
        if rows.any():
            values[f"{prefix}truth_error_mean"] = float(error[rows].mean())
            values[f"{prefix}truth_error_95"] = float(np.percentile(error[rows], 95))
    return values
