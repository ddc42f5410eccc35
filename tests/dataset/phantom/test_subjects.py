"""What is decided about each subject, and its scan's grid."""

import numpy as np
import pytest
from pydantic import ValidationError

from massm.dataset.phantom.subjects import draw_body, draw_grid, plan_cohort
from tests.dataset.phantom.small import phantom_config


def test_shares_are_met_exactly():
    plans = plan_cohort(phantom_config(subjects=40, cut_fraction=0.15))
    views = [plan.field_of_view for plan in plans]
    assert views.count("whole") == 34
    assert {views.count(view) for view in ("abdomen", "chest", "upper chest")} == {2}
    assert sum("spleen" in plan.absent for plan in plans) == 8
    phases = [plan.phase for plan in plans]
    assert [phases.count(name) for name in ("native", "arterial", "venous")] == [8, 12, 20]
    assert all(plan.field_of_view == "whole" for plan in plans if plan.absent)


def test_the_seed_decides_the_cohort():
    assert plan_cohort(phantom_config()) == plan_cohort(phantom_config())
    assert plan_cohort(phantom_config(seed=8)) != plan_cohort(phantom_config())


def test_a_whole_scan_holds_every_organ(atlas):
    config = phantom_config(cut_fraction=0.0)
    for plan in plan_cohort(config):
        random = np.random.default_rng(plan.seed)
        body = draw_body(config, atlas.surfaces, random)
        grid = draw_grid(config, plan, body, random)
        affine = grid.direction * grid.spacing
        for mesh in body.surfaces.values():
            index = (mesh.vertices - grid.origin) @ np.linalg.inv(affine).T
            assert index.min() > 0.5
            assert (index < np.array(grid.size) - 1.5).all()


def test_points_are_the_same_material_in_every_subject(atlas):
    """With the pose taken off, all shapes lie in the span of the modes."""
    config = phantom_config()
    spleen = {"spleen": atlas.surfaces["spleen"]}
    bodies = [draw_body(config, spleen, np.random.default_rng(i)) for i in range(60)]
    rows = []
    for body in bodies:
        back = np.linalg.inv(body.pose)
        points = body.surfaces["spleen"].vertices @ back[:3, :3].T + back[:3, 3]
        rows.append((points - spleen["spleen"].vertices).ravel())
    coefficients = np.array([body.coefficients for body in bodies])
    fit, *_ = np.linalg.lstsq(coefficients, np.array(rows), rcond=None)
    assert np.abs(coefficients @ fit - rows).max() < 1e-6


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"phases": {"native": 0.5}}, "phases must sum to 1"),
        ({"spacing_mm": [4.0, 3.0]}, "spacing_mm must be"),
        ({"absent": {"heart_ventricle_left": 0.1}}, "absent"),
    ],
)
def test_impossible_values_are_refused(changes, words):
    with pytest.raises(ValidationError, match=words):
        phantom_config(**changes)
