"""What a level leaves behind, however short it was."""

import pytest

from massm.pdm.gaps import LEAST
from massm.pdm.optimizer import optimize
from massm.pdm.population import Ensemble
from massm.pdm.quality import spread_measures
from massm.pdm.registration import make_template
from massm.pdm.start import carry_particles, deform_template, even_particles
from massm.pdm.surfaces import SurfaceSet
from tests.pdm.shapes import engine_settings

CONFIG = engine_settings().entropy


@pytest.fixture(scope="module")
def surfaces(ellipsoids, names):
    return SurfaceSet(ellipsoids, names)


def test_pairs_that_are_too_near_part_at_the_end(surfaces, ellipsoids):
    template = make_template(ellipsoids[0], 150)
    deformed = deform_template(template, surfaces, CONFIG.start, 0)
    own = even_particles(surfaces.take([0]), 60, seed=0)
    start = carry_particles(template, own, deformed, surfaces)
    points = start.points.clone()
    near = (points[2] - points[2, 0]).norm(dim=1).argsort()[1]
    points[:, near] = points[:, 0] + 0.4 * (points[:, near] - points[:, 0])
    start = surfaces.project(points, start.normals)
    assert spread_measures(surfaces, start.points.numpy())["least_gap"] < 0.5
    ended = optimize(surfaces, start, Ensemble(scale=False), CONFIG, iterations=1, level=None)
    spread = spread_measures(surfaces, ended.particles.points.numpy())
    assert spread["least_gap"] > 0.97 * LEAST
    assert spread["distance_max"] < 1e-9
