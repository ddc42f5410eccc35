"""Write a phantom cohort: TotalSegmentator v1's layout, and the truth beside it."""

import logging
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from massm.config.phantom import PhantomConfig
from massm.dataset.phantom.anatomies import ANATOMIES
from massm.dataset.phantom.modes import MODE_NAMES
from massm.dataset.phantom.render import render
from massm.dataset.phantom.subjects import Body, Plan, draw_body, draw_grid, plan_cohort
from massm.dataset.phantom.surroundings import SURROUNDINGS
from massm.dataset.phantom.tables import Table, tabulate
from massm.dataset.phantom.template import anatomy_surface
from massm.geometry.mesh import Mesh
from massm.io.images import write_image
from massm.io.particles import save_arrays
from massm.io.tables import write_table
from massm.machine.processes import in_processes

log = logging.getLogger(__name__)

STEP_OF_ANATOMIES = 0.8  # of the tables, in the finest voxel size asked for
STEP_OF_SURROUNDINGS = 1.0


@dataclass(frozen=True)
class Atlas:
    """What all subjects are made from: surfaces of the anatomies, tables of every solid."""

    surfaces: dict[str, Mesh]
    tables: dict[str, Table]


def build_atlas(config: PhantomConfig) -> Atlas:
    """Triangulate anatomies and tabulate all solids, as finely as the scans ask for (seconds)."""
    voxel = max(min(config.spacing_mm[0], config.slice_mm[0]), 1.5)
    surfaces = {
        name: anatomy_surface(solid, config.surface_points) for name, solid in ANATOMIES.items()
    }
    anatomies = tabulate(ANATOMIES, STEP_OF_ANATOMIES * voxel)
    return Atlas(surfaces, anatomies | tabulate(SURROUNDINGS, STEP_OF_SURROUNDINGS * voxel))


def write_cohort(config: PhantomConfig, workers: int) -> pd.DataFrame:
    """Make all subjects, in parallel, and write them below ``config.root``.

    A subject depends on the seed and its number alone, not on the workers or their order.

    Returns:
        The table that is also written as ``meta.csv``: one row per subject.

    Raises:
        OSError: If a file cannot be written.
    """
    start = time.monotonic()
    atlas = build_atlas(config)
    log.info("atlas of %d solids in %.0f s", len(atlas.tables), time.monotonic() - start)
    plans = plan_cohort(config)
    rows: list[dict[str, object]] = []
    make = partial(make_subject, atlas, config)
    for _, row in in_processes(make, plans, workers=workers, name=lambda plan: plan.name):
        rows.append(row)
        passed = time.monotonic() - start
        log.info("%d/%d %s, %.0f s", len(rows), len(plans), row["image_id"], passed)
    table = pd.DataFrame(rows).sort_values("image_id", ignore_index=True)
    write_table(table, config.root / "meta.csv")
    return table


def write_scan(config: PhantomConfig, path: Path) -> None:
    """Write the CT of one further subject, who is no part of the cohort; no anatomy of it is cut.

    Args:
        config: Section ``phantom``; its seed draws this subject, too.
        path: Image to write.
    """
    phase = max(config.phases, key=lambda name: (config.phases[name], name))
    plan = Plan(path.parent.name, (config.seed, 2, 0), phase, "whole", frozenset())
    atlas, random = build_atlas(config), np.random.default_rng(plan.seed)
    body = draw_body(config, atlas.surfaces, random)
    grid = draw_grid(config, plan, body, random)
    image, _ = render(config, plan, body, grid, atlas.tables, random)
    write_image(image, path)


def make_subject(atlas: Atlas, config: PhantomConfig, plan: Plan) -> dict[str, object]:
    """Draw one subject and write its CT, masks and truth.

    Returns:
        Its row of ``meta.csv``.
    """
    random = np.random.default_rng(plan.seed)
    body = draw_body(config, atlas.surfaces, random)
    grid = draw_grid(config, plan, body, random)
    image, masks = render(config, plan, body, grid, atlas.tables, random)
    folder = config.root / plan.name
    for name, mask in masks.items():
        write_image(mask, folder / "segmentations" / f"{name}.nii.gz")
        if name not in plan.absent:
            save_truth(body, name, config.root / "truth" / plan.name / f"{name}.npz")
    write_image(image, folder / "ct.nii.gz")  # last, so that a subject with a CT is whole
    return {
        "image_id": plan.name,
        "phase": plan.phase,
        "field_of_view": plan.field_of_view,
        "absent": " ".join(sorted(plan.absent)),
        "fat_mm": round(body.fat_mm, 1),
    }


def save_truth(body: Body, name: str, path: Path) -> None:
    """Write one anatomy's true surface: the same material points for every subject.

    ``points`` (P, 3) in LPS mm of the image and ``faces`` (F, 3); ``coefficients`` (K,) of the
    shape modes with their ``modes`` (K,) names; ``pose`` (4, 4) from the body to the image. Points
    beyond a field of view that ends early are there too.
    """
    mesh = body.surfaces[name]
    arrays = {
        "points": mesh.vertices,
        "faces": mesh.faces,
        "coefficients": body.coefficients,
        "modes": np.array(MODE_NAMES, dtype=np.str_),
        "pose": body.pose,
    }
    save_arrays(arrays, path)
