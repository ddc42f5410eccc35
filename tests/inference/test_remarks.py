"""What is said first of a scan's shapes."""

import re
from dataclasses import replace

import pytest

from massm.inference.label_map import LabelMap
from massm.inference.remarks import remarks_on
from massm.inference.shapes import Cut
from tests.inference.scan_shapes import LIVER, MISSING, SPLEEN, oblique_scan, scan_shapes, standing


@pytest.fixture
def shapes():
    return scan_shapes(oblique_scan())


def said_of(shapes, anatomy=LIVER, labels=None, notes=()):
    return [
        (each.kind, each.text)
        for each in remarks_on(shapes, labels, notes)
        if each.anatomy in (anatomy, None)
    ]


def test_nothing_is_said_of_a_usual_organ(shapes):
    assert said_of(shapes) == []


def test_a_missing_organ_is_named_with_its_score(shapes):
    ((kind, text),) = said_of(shapes, MISSING)
    assert (kind, text) == ("not_found", "Kidney was not found (score 0.12, needed 0.50).")


@pytest.mark.parametrize(
    ("share", "words"), [(0.256, "26 %"), (1.0, "100 %"), (0.001, "less than 1 %")]
)
def test_a_cut_organ_is_named_with_its_share(shapes, share, words):
    shapes.anatomies[LIVER] = replace(shapes[LIVER], cut=Cut(surface=share, particles=0.2))
    ((kind, text),) = said_of(shapes)
    assert kind == "cut"
    assert f": {words} of its surface lies outside" in text


def test_an_organ_that_the_others_place_outside_is_named(shapes):
    shapes.anatomies[LIVER] = replace(shapes[LIVER], cut=Cut(0.0, 0.0, expected=0.83))
    ((kind, text),) = said_of(shapes)
    assert kind == "elsewhere"
    assert "83 % of it would lie outside of the scan" in text


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"mahalanobis_percentile": 100.0}, "unlike_training", r"farther .* \(1.4 SD\) .* 40"),
        ({"volume_percentile": 0.0}, "size", "with 10.9 ml it is smaller than .* the 40 training"),
        ({"volume_percentile": 100.0}, "size", "larger"),
    ],
)
def test_a_shape_beyond_the_training_subjects_is_named(shapes, changes, kind, words):
    shapes.anatomies[LIVER] = replace(shapes[LIVER], standing=standing(**changes))
    ((found, text),) = said_of(shapes)
    assert found == kind
    assert re.search(words, text)


def test_of_a_handful_of_training_subjects_the_range_says_nothing(shapes):
    few = standing(subjects=19, volume_percentile=0.0, mahalanobis_percentile=100.0)
    shapes.anatomies[LIVER] = replace(shapes[LIVER], standing=few)
    assert said_of(shapes) == []


def test_overlaps_are_named_from_a_twentieth_of_the_smaller_organ_on(shapes):
    volume = shapes.grid.empty()
    voxels = {LIVER: 1000, SPLEEN: 100}
    assert said_of(shapes, labels=LabelMap(volume, voxels, {(LIVER, SPLEEN): 5})) == []
    ((kind, text),) = said_of(shapes, labels=LabelMap(volume, voxels, {(LIVER, SPLEEN): 6}))
    assert kind == "overlap"
    assert "Liver and left spleen overlap in 6 voxels" in text


def test_an_organ_without_a_voxel_is_named(shapes):
    labels = LabelMap(shapes.grid.empty(), {LIVER: 0, SPLEEN: 9}, {})
    assert [kind for kind, _ in said_of(shapes, labels=labels)] == ["no_voxels"]


def test_what_was_odd_about_the_scan_is_said_first(shapes):
    assert said_of(shapes, notes=("gantry tilted",)) == [("scan", "Scan: gantry tilted.")]
