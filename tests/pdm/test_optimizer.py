"""How a level's weights go."""

import pytest

from massm.pdm.optimizer import _Crowd, annealed, scarcity
from massm.pdm.population import Ensemble
from massm.pdm.registration import make_template
from massm.pdm.start import carry_particles, deform_template, even_particles
from massm.pdm.surfaces import SurfaceSet
from tests.pdm.shapes import engine_settings


def test_the_regularization_falls_to_its_end_and_stays():
    config = engine_settings(regularization_start=1.0, regularization_end=0.0001).entropy
    assert annealed(config, 0.0) == 1.0
    assert annealed(config, 0.4) == pytest.approx(0.01)
    assert annealed(config, 0.8) == annealed(config, 1.0) == pytest.approx(0.0001)


def test_a_start_that_corresponds_is_not_melted():
    config = engine_settings(regularization_start=1.0, regularization_end=0.0001).entropy
    assert annealed(config, 0.0, begun=0.5) == pytest.approx(0.01)
    assert annealed(config, 1.0, begun=0.5) == pytest.approx(0.0001)


@pytest.mark.parametrize(("count", "factor"), [(2, 2), (128, 2), (160, 1.6), (256, 1), (1024, 1)])
def test_few_particles_get_more(count, factor):
    assert scarcity(count) == factor


def test_others_carry_a_fold_back(ellipsoids, names):
    """Particles of one end of one shape, turned around, go back to where the mean has them."""
    surfaces = SurfaceSet(ellipsoids, names)
    config = engine_settings()
    own = even_particles(surfaces.take([0]), 60, seed=0)
    template = make_template(ellipsoids[0], 150)
    deformed = deform_template(template, surfaces, config.entropy.start, 0)
    start = carry_particles(template, own, deformed, surfaces)
    points = start.points.clone()
    end = points[3, :, 0].argsort()[-9:]
    points[3, end, 1:] *= -1
    folded = surfaces.project(points, start.normals)
    crowd = _Crowd(surfaces, folded, Ensemble(scale=False), config.entropy, corresponding=False)
    before = crowd.count_bad()
    crowd.carry(2)
    assert before >= 5
    assert crowd.count_bad() == 0
    moved = (crowd.particles.points - start.points).norm(dim=-1)
    assert moved[3, end].max() < 3
    assert moved[[0, 1, 2, 4, 5, 6]].max() < 1e-9
