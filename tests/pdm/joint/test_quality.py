from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from massm.pdm.joint.frames import BodyFrame, WorldFrames
from massm.pdm.joint.quality import (
    choose_evidence,
    fit_framed_model,
    hidden_errors,
    left_out_errors,
    summarize,
)


def own_frames(_):
    return WorldFrames()


def test_what_follows_the_others_is_predicted(gaps):
    found = summarize(left_out_errors(gaps, 3, own_frames, (1.0,)))
    for values in found.values():
        assert values["predicted_mm"] < 0.1 * values["mean_shape_mm"]
        assert values["better"] == 1


def test_what_does_not_follow_is_left_at_the_mean_shape(complete, rng):
    """Spleens of other subjects: evidence is chosen so that little harm is done."""
    points = complete.points.copy()
    order = rng.permutation(len(points))
    for anatomy in ("liver", "spleen"):
        order = rng.permutation(order)
        points[:, complete.slices[anatomy]] = points[order][:, complete.slices[anatomy]]
    errors = left_out_errors(replace(complete, points=points), 9, own_frames)
    chosen = choose_evidence(errors)
    naive, best = (summarize(errors[errors.evidence == value]) for value in (1.0, chosen))
    assert chosen < 1
    for anatomy, values in best.items():
        assert values["predicted_mm"] < naive[anatomy]["predicted_mm"]
        assert values["predicted_mm"] < 1.05 * values["mean_shape_mm"]


def test_a_hidden_anatomy_has_no_part_in_its_frame(complete):
    """Its own pose cannot help: a subject whose spleen is far away is as far from expectation."""
    placed = fit_framed_model(complete, 3, BodyFrame)
    points = complete.points[:1].copy()
    points[:, complete.slices["spleen"]] += [30.0, 0, 0]
    errors = hidden_errors(placed, replace(complete.take([0]), points=points))
    row = errors.set_index("anatomy").loc["spleen"]
    assert row.predicted_mm == pytest.approx(30, abs=2)


def test_what_is_expected_of_a_missing_anatomy_steadies_the_frame(complete):
    placed = fit_framed_model(complete, 3, BodyFrame)
    whole = complete.moved(placed.place(complete)).points
    seen = complete.hide("kidney")
    first = complete.moved(placed.frame.place(seen)).points
    refined = complete.moved(placed.place(seen)).points
    assert np.abs(refined - whole).mean() < 0.1 * np.abs(first - whole).mean()


def test_world_frames_stay(gaps):
    placed = fit_framed_model(gaps, 3, own_frames)
    np.testing.assert_array_equal(placed.place(gaps), np.tile(np.eye(4), (40, 1, 1)))


def test_subjects_with_a_single_anatomy_are_passed_over(complete):
    placed = fit_framed_model(complete, 3, own_frames)
    alone = complete.take([0, 1]).hide("liver").hide("spleen")
    assert hidden_errors(placed, alone).empty


def test_the_best_evidence_counts_every_anatomy_alike():
    table = pd.DataFrame(
        {
            "anatomy": ["large", "small"] * 2,
            "evidence": [1.0, 1.0, 0.25, 0.25],
            "predicted_mm": [9.0, 2.0, 10.0, 0.5],
            "mean_shape_mm": [10.0, 1.0, 10.0, 1.0],
        }
    )
    assert choose_evidence(table) == 0.25


def test_three_subjects_are_too_few_to_leave_one_out(complete):
    points = complete.points.copy()
    points[3:, complete.slices["spleen"]] = np.nan
    with pytest.raises(ValueError, match="spleen: 3 training subjects .* at least 4"):
        left_out_errors(replace(complete, points=points), 2, own_frames)
