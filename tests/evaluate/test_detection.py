import numpy as np
import pytest

from massm.evaluate.detection import auroc, box_measures, presence_measures
from massm.geometry.boxes import Box

TRUE = Box(np.zeros(3), np.full(3, 10.0))


def measure(found):
    return box_measures(found, TRUE, within_mm=(5.0, 15.0))


def test_a_shifted_box_has_the_error_and_overlap_by_hand():
    found = measure(Box(np.array([10.0, 0, 0]), np.full(3, 10.0)))
    assert found["center_error"] == 10
    assert found["box_iou"] == pytest.approx(1 / 3)
    assert (found["center_within_5mm"], found["center_within_15mm"]) == (0, 1)


def test_a_missed_organ_has_no_center_but_counts():
    assert measure(None) == {"center_within_5mm": 0, "center_within_15mm": 0}


def test_an_absent_organ_is_false_only_if_found():
    assert presence_measures(found=True, present=False) == {"presence": 0, "false_positive": 1}
    assert presence_measures(found=False, present=False) == {"presence": 0, "false_positive": 0}


def test_a_present_organ_is_missed_or_not():
    assert presence_measures(found=True, present=True) == {"presence": 1, "missed": 0}
    assert presence_measures(found=False, present=True) == {"presence": 1, "missed": 1}


def test_auroc_counts_pairs_in_order_and_ties_half():
    score = np.array([0.9, 0.5, 0.5, 0.1])
    present = np.array([True, True, False, False])
    assert auroc(score, present) == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert auroc(-score, present) == pytest.approx(0.5 / 4)


def test_auroc_of_one_class_is_nan():
    assert np.isnan(auroc(np.array([0.2, 0.4]), np.array([True, True])))
