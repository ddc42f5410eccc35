"""What a level leaves behind, however short it was."""

import pytest

from massm.pdm.embedded import crowd as crowd_module
from massm.pdm.embedded.crowd import REBUILD, Crowd
from massm.pdm.embedded.gaps import GENTLER, LEAST
from massm.pdm.embedded.optimizer import optimize
from massm.pdm.embedded.population import Ensemble
from massm.pdm.embedded.registration import make_template
from massm.pdm.embedded.schedule import Part
from massm.pdm.embedded.start import carry_particles, deform_template, even_particles
from massm.pdm.quality import spread_measures
from massm.pdm.surfaces import SurfaceSet
from tests.pdm.shapes import engine_settings

CONFIG = engine_settings().entropy


@pytest.fixture(scope="module")
def surfaces(ellipsoids, names):
    return SurfaceSet(ellipsoids, names)


@pytest.fixture(scope="module")
def start(surfaces, ellipsoids):
    template = make_template(ellipsoids[0], 150)
    deformed = deform_template(template, surfaces, CONFIG.start, 0)
    own = even_particles(surfaces.take([0]), 60, seed=0)
    return carry_particles(template, own, deformed, surfaces)


@pytest.mark.parametrize("final", [True, False])
def test_pairs_that_are_too_near_part_at_the_end_of_the_last_level(surfaces, start, final):
    points = start.points.clone()
    near = (points[2] - points[2, 0]).norm(dim=1).argsort()[1]
    points[:, near] = points[:, 0] + 0.4 * (points[:, near] - points[:, 0])
    start = surfaces.project(points, start.normals)
    assert spread_measures(surfaces, start.points.numpy())["least_gap"] < 0.5
    population = Ensemble(scale=False)
    ended = optimize(
        surfaces, start, population, CONFIG, iterations=1, level=None, part=Part(final=final)
    )
    spread = spread_measures(surfaces, ended.particles.points.numpy())
    assert (spread["least_gap"] > 0.97 * LEAST) == final
    assert spread["distance_max"] < 1e-9


@pytest.mark.parametrize("never", [False, True])
def test_a_shape_whose_pairs_would_swap_parts_less_and_does_not_hold_others_back(
    surfaces, start, monkeypatch, never
):
    asked = []

    def careless(taken, particles, density, *, share):
        asked.append((tuple(taken.names), share))
        points = particles.points + 0.01
        if surfaces.names[1] in taken.names and (share == 1.0 or never):
            row = taken.names.index(surfaces.names[1])
            points[row, [0, 30]] = points[row, [30, 0]]
        return taken.project(points, particles.normals)

    crowd = Crowd(surfaces, start, Ensemble(scale=False), CONFIG, corresponding=False)
    crowd.advance(0.1, 0.0)
    before = crowd.particles.points.clone()
    monkeypatch.setattr(crowd_module, "part_pairs", careless)
    crowd.part()
    moved = (crowd.particles.points != before).flatten(1).any(1)
    assert crowd.count_bad() == 0
    assert moved.tolist() == [row != 1 or not never for row in range(len(surfaces))]
    tried = [(tuple(surfaces.names), 1.0)] + [((surfaces.names[1],), s) for s in GENTLER[1:]]
    assert asked == (tried if never else tried[:2])


def test_lists_are_made_anew_when_particles_have_moved_or_much_later(surfaces, start, monkeypatch):
    crowd = Crowd(surfaces, start, Ensemble(scale=False), CONFIG, corresponding=False)
    looked, done = [], []
    plain = crowd._look_around
    monkeypatch.setattr(crowd, "_look_around", lambda: looked.append(len(done)) or plain())

    def stay(times):
        # with a step of zero nobody moves
        done.extend(crowd.advance(0.1, 0.0) for _ in range(times))

    fewest, most = REBUILD
    stay(2 * most + 1)
    assert looked == [0, most, 2 * most]
    crowd.put(surfaces.project(crowd.particles.points + 0.3 * surfaces.spacing(60).mean()))
    stay(fewest)
    assert looked[3:] == [2 * most + fewest]


def test_swapped_particles_off_their_surface_are_mended_on_it(surfaces, start):
    crowd = Crowd(surfaces, start, Ensemble(scale=False), CONFIG, corresponding=False)
    crowd.advance(0.1, 0.0)
    points = crowd.particles.points.clone()
    near = int((points[2] - points[2, 0]).norm(dim=1).argsort()[1])
    points[2, [0, near]] = points[2, [near, 0]]
    crowd.particles = crowd.particles._replace(points=points + 0.01 * crowd.particles.normals)
    away = surfaces.project(crowd.particles.points).distance.max()
    crowd.mend()
    assert crowd.count_bad() == 0
    assert surfaces.project(crowd.particles.points).distance.max() < 1e-9 < away
