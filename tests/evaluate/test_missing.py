from massm.evaluate.measures import describe, is_of_particles
from massm.evaluate.missing import costs_of
from massm.evaluate.particles import particle_measures
from tests.toy_cohort import sphere_points

COSTS = {
    "local": {"surface_mean": 30.0, "surface_mean_particles": 31.0, "particle_rmse": 12.0},
    "detection": {"center_error": 20.0},
}


def test_a_model_of_labels_owes_no_errors_of_particles():
    assert costs_of(COSTS, "local", has_particles=True) == COSTS["local"]
    owed = costs_of(COSTS, "local", has_particles=False)
    assert owed == {"surface_mean": 30.0, "surface_mean_particles": 31.0}
    assert costs_of(COSTS, "detection", has_particles=False) == {"center_error": 20.0}
    assert costs_of(COSTS, "world", has_particles=True) == {}


def test_all_errors_of_particles_are_known_as_such():
    points = sphere_points(20)
    found = particle_measures(points + 1.0, points)
    assert all(is_of_particles(name) and describe(name).unit == "mm" for name in found)
