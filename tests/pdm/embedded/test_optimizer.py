"""What a level leaves behind, however short it was."""

import pytest

from massm.pdm.embedded import particle_system as system_module
from massm.pdm.embedded.ensemble import TrainingEnsemble
from massm.pdm.embedded.initialization import deform_template, even_particles, transfer_particles
from massm.pdm.embedded.optimizer import optimize
from massm.pdm.embedded.particle_system import ParticleSystem
from massm.pdm.embedded.registration import make_template
from massm.pdm.embedded.schedule import LevelRole
from massm.pdm.embedded.tuning import TUNING
from massm.pdm.quality import spread_measures
from massm.pdm.surfaces import SurfaceSet
from tests.pdm.shapes import engine_settings

CONFIG = engine_settings().entropy


@pytest.fixture(scope="module")
def surfaces(ellipsoids, names):
    return SurfaceSet(ellipsoids, names)


@pytest.fixture(scope="module")
def initial(surfaces, ellipsoids):
    template = make_template(ellipsoids[0], 150)
    deformed = deform_template(template, surfaces, CONFIG.initialization, 0)
    own = even_particles(surfaces.take([0]), 60, seed=0)
    return transfer_particles(template, own, deformed, surfaces)


@pytest.mark.parametrize("final", [True, False])
def test_pairs_that_are_too_near_are_separated_at_the_end_of_the_last_level(
    surfaces, initial, final
):
    points = initial.points.clone()
    near = (points[2] - points[2, 0]).norm(dim=1).argsort()[1]
    points[:, near] = points[:, 0] + 0.4 * (points[:, near] - points[:, 0])
    initial = surfaces.project(points, initial.normals)
    assert spread_measures(surfaces, initial.points.numpy())["separation_ratio"] < 0.5
    ensemble = TrainingEnsemble(scale=False)
    ended = optimize(
        surfaces, initial, ensemble, CONFIG, iterations=1, level=None, role=LevelRole(final=final)
    )
    spread = spread_measures(surfaces, ended.particles.points.numpy())
    assert (spread["separation_ratio"] > 0.97 * TUNING.least_separation) == final
    assert spread["distance_max"] < 1e-9


@pytest.mark.parametrize("never", [False, True])
def test_a_shape_whose_pairs_would_swap_parts_less_and_does_not_hold_others_back(
    surfaces, initial, monkeypatch, never
):
    asked = []

    def careless(taken, particles, density, *, share):
        asked.append((tuple(taken.names), share))
        points = particles.points + 0.01
        if surfaces.names[1] in taken.names and (share == 1.0 or never):
            row = taken.names.index(surfaces.names[1])
            points[row, [0, 30]] = points[row, [30, 0]]
        return taken.project(points, particles.normals)

    system = ParticleSystem(
        surfaces, initial, TrainingEnsemble(scale=False), CONFIG, corresponding=False
    )
    system.advance(0.1, 0.0)
    before = system.particles.points.clone()
    monkeypatch.setattr(system_module, "separate_pairs", careless)
    system.separate()
    moved = (system.particles.points != before).flatten(1).any(1)
    assert system.count_bad() == 0
    assert moved.tolist() == [row != 1 or not never for row in range(len(surfaces))]
    tried = [(tuple(surfaces.names), 1.0)] + [
        ((surfaces.names[1],), s) for s in TUNING.separation_shares[1:]
    ]
    assert asked == (tried if never else tried[:2])


def test_lists_are_made_anew_when_particles_have_moved_or_much_later(
    surfaces, initial, monkeypatch
):
    system = ParticleSystem(
        surfaces, initial, TrainingEnsemble(scale=False), CONFIG, corresponding=False
    )
    looked, done = [], []
    plain = system._look_around
    monkeypatch.setattr(system, "_look_around", lambda: looked.append(len(done)) or plain())

    def stay(times):
        # with a step of zero nobody moves
        done.extend(system.advance(0.1, 0.0) for _ in range(times))

    fewest, most = TUNING.rebuild
    stay(2 * most + 1)
    assert looked == [0, most, 2 * most]
    system.put(surfaces.project(system.particles.points + 0.3 * surfaces.spacing(60).mean()))
    stay(fewest)
    assert looked[3:] == [2 * most + fewest]


def test_swapped_particles_off_their_surface_are_repaired_on_it(surfaces, initial):
    system = ParticleSystem(
        surfaces, initial, TrainingEnsemble(scale=False), CONFIG, corresponding=False
    )
    system.advance(0.1, 0.0)
    points = system.particles.points.clone()
    near = int((points[2] - points[2, 0]).norm(dim=1).argsort()[1])
    points[2, [0, near]] = points[2, [near, 0]]
    system.particles = system.particles._replace(points=points + 0.01 * system.particles.normals)
    away = surfaces.project(system.particles.points).distance.max()
    system.repair()
    assert system.count_bad() == 0
    assert surfaces.project(system.particles.points).distance.max() < 1e-9 < away
