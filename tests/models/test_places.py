"""Where models of crops are told that anatomies lie."""

from dataclasses import replace

import numpy as np
import pytest

from massm.io.errors import DataError
from massm.models.places import found_places, true_places
from tests.models.deepssm.rows import found_boxes
from tests.toy_cohort import ANATOMIES, Cohort


@pytest.fixture(scope="module")
def cohort():
    return Cohort()


def test_true_places_are_those_of_the_particles(cohort):
    places = true_places("t3", ANATOMIES, cohort.particles)  # the dark one is absent
    assert places.present.tolist() == [True, False]
    assert places.score.tolist() == [1.0, 0.0]
    assert places.box_centers is None
    assert np.isnan(places.frames[1]).all()
    particles = cohort.particles["bright"]
    row = particles.row("t3")
    moved = particles.world[row] @ places.frames[0, :, :3].T + places.frames[0, :, 3]
    np.testing.assert_allclose(moved, particles.local[row], atol=1e-6)


def test_found_places_are_those_of_the_boxes(cohort):
    found = found_boxes(cohort, "t1", missed=("bright",))
    places = found_places(found, ("dark", "bright"), "massm")
    assert places.present.tolist() == [True, False]
    assert places.score.tolist() == [0.75, 0.25]
    assert places.frames is None
    np.testing.assert_array_equal(places.box_centers[0], found.boxes.center[1])
    assert np.isnan(places.box_centers[1]).all()
    with pytest.raises(DataError, match="deepssm_local has no boxes"):
        found_places(replace(found, boxes=None), ANATOMIES, "deepssm_local")
