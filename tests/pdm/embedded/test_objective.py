"""The objective as a whole: its force is its gradient, holes included."""

import pytest
import torch

from massm.pdm.embedded.coverage import SurfaceSamples
from massm.pdm.embedded.ensemble import TrainingEnsemble
from massm.pdm.embedded.objective import Neighborhood, measure
from massm.pdm.embedded.tuning import TUNING
from massm.pdm.neighbors import find_neighbors
from massm.pdm.surfaces import OnSurface, SurfaceSet

COUNT = 40


@pytest.fixture(scope="module")
def surfaces(ellipsoids, names):
    return SurfaceSet(ellipsoids, names)


def around(surfaces, points):
    spacing = surfaces.spacing(COUNT)
    samples = SurfaceSamples(surfaces.meshes, spacing.numpy())
    reach = (TUNING.coverage_radius * spacing)[:, None].expand(points.shape[:2])
    return Neighborhood(find_neighbors(points, 12), samples.uncovered(points, reach), None, reach)


def evaluate(surfaces, points, lists):
    transforms = torch.eye(4).double().repeat(len(points), 1, 1)
    particles = OnSurface(points, points, points[..., 0])
    ensemble = TrainingEnsemble(scale=False)
    spacing = surfaces.spacing(COUNT)
    values = {"weight": 3.0, "fraction": 0.01}
    return measure(particles, lists, spacing, transforms, ensemble, **values)


def test_the_force_is_the_gradient_of_the_sampling_energy_with_its_holes(surfaces):
    """Without the ensemble, whose regularization follows the variance: see test_population.py."""
    points = torch.from_numpy(surfaces.sample(COUNT, 0)[0])
    lists = around(surfaces, points)
    assert len(lists.uncovered.shape) > 50
    terms = evaluate(surfaces, points, lists)
    force = terms.force - 3.0 * terms.ensemble_term.gradient
    step = 1e-5 * torch.randn(points.shape, generator=torch.Generator().manual_seed(1)).double()
    ahead, behind = (evaluate(surfaces, points + s * step, lists).sampling for s in (1, -1))
    unit = surfaces.spacing(COUNT).square().mean() * points.shape[0] * COUNT
    assert ahead - behind == pytest.approx(2 * float((force * step).sum() / unit), rel=1e-5)


def test_holes_cost(surfaces):
    points = torch.from_numpy(surfaces.sample(COUNT, 0)[0])
    lists = around(surfaces, points)
    none = lists._replace(uncovered=type(lists.uncovered)(*(part[:0] for part in lists.uncovered)))
    bare = evaluate(surfaces, points, lists), evaluate(surfaces, points, none)
    assert bare[0].sampling > bare[1].sampling
    assert bare[0].ensemble == bare[1].ensemble
