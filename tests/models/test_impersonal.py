"""Weights without the shape of a single subject predict nearly, or exactly, the same."""

import pytest
import torch

from massm.models.massm.impersonal import PERSONAL, MeanShapes, impersonal_weights
from massm.models.massm.local import LocalHead
from massm.models.massm.world import CvaeHead, ProcrustesHead
from massm.tensors.sample import Template
from tests.toy_cohort import model_config

ANATOMIES, PARTICLES, MODES, FEATURES = 2, 30, 3, 12


def shapes(*size, spread):
    return torch.randn(*size, PARTICLES, 3) * spread


@pytest.fixture
def template():
    """Medoids that lie 2 mm from the mean shapes."""
    torch.manual_seed(3)
    mean, world = shapes(ANATOMIES, spread=20.0), shapes(ANATOMIES, spread=20.0)
    return Template(
        local=mean + shapes(ANATOMIES, spread=2.0),
        world=world + shapes(ANATOMIES, spread=2.0),
        mean_local=mean,
        mean_world=world,
        normals=shapes(ANATOMIES, spread=1.0),
        center_local=mean,
        modes_local=shapes(ANATOMIES, MODES, spread=1.0),
        modes_world=shapes(ANATOMIES, MODES, spread=1.0),
        radius=torch.full((ANATOMIES, 3), 30.0),
    )


@pytest.fixture
def means(template):
    reach = 2 * template.radius.amax(dim=-1)
    return MeanShapes(template.center_local, template.mean_local, template.mean_world, reach)


def heads(template, **local):
    config = model_config(local={"basis_modes": MODES, "class_wise": True, **local})
    parts = {
        "local": LocalHead(config.local, features=FEATURES, template=template).eval(),
        "worlds.cvae": CvaeHead(config.world, template).eval(),
        "worlds.procrustes": ProcrustesHead(template).eval(),
    }
    state = {
        f"{part}.{name}": value.clone()
        for part, head in parts.items()
        for name, value in head.state_dict().items()
    }
    return parts, state


def replaced(parts, state):
    for part, head in parts.items():
        start = f"{part}."
        own = {name: value for name, value in state.items() if name.startswith(start)}
        head.load_state_dict({name.removeprefix(start): value for name, value in own.items()})
    return parts


def predicted(parts, radius):
    torch.manual_seed(5)
    features, center = torch.randn(1, ANATOMIES, FEATURES), torch.randn(1, ANATOMIES, 3) * 50
    box = torch.full((1, ANATOMIES, 3), radius)
    with torch.no_grad():
        local = parts["local"](features, center, box)
        return local, parts["worlds.cvae"](local)


@pytest.mark.parametrize("local", [{}, {"train_basis": True}, {"basis_modes": 0}])
def test_particles_are_the_same_in_a_box_of_the_mean_size(template, means, local):
    parts, state = heads(template, **local)
    before, _ = predicted(parts, radius=30.0)
    changed = impersonal_weights(state, means, learned_basis=local.get("train_basis", False))
    after, _ = predicted(replaced(parts, changed), radius=30.0)
    assert (after - before).norm(dim=-1).max() < 0.1


def test_in_another_box_they_differ_by_its_share_of_how_the_medoid_differs(template, means):
    parts, state = heads(template)
    before, _ = predicted(parts, radius=33.0)
    changed = impersonal_weights(state, means, learned_basis=False)
    after, _ = predicted(replaced(parts, changed), radius=33.0)
    apart = (after - before).norm(dim=-1)
    medoid = (template.local - template.mean_local).norm(dim=-1).mean()
    assert 0.05 * medoid < apart.mean() < 0.15 * medoid


def test_world_particles_of_the_same_local_ones_are_the_same(template, means):
    parts, state = heads(template)
    local, before = predicted(parts, radius=30.0)
    replaced(parts, impersonal_weights(state, means, learned_basis=False))
    with torch.no_grad():
        after = parts["worlds.cvae"](local)
    torch.testing.assert_close(after, before, atol=1e-3, rtol=0)


def test_no_medoid_is_left_and_nothing_else_is_changed(template, means):
    _, state = heads(template)
    changed = impersonal_weights(state, means, learned_basis=False)
    assert set(changed) == set(state)
    medoids = [template.local, template.world]
    centered = [shape - shape.mean(dim=1, keepdim=True) for shape in medoids]
    for name, value in changed.items():
        assert value.dtype == state[name].dtype
        for shape in [*medoids, *centered]:
            if value.shape == shape.shape:
                assert (value - shape).abs().mean() > 0.5, name
    differing = {name for name in state if not torch.equal(state[name], changed[name])}
    assert differing == {*PERSONAL, "local.bias", "worlds.cvae.encoder.0.0.weight"}


def test_a_head_with_nothing_of_its_own_for_each_anatomy_is_refused(template, means):
    _, state = heads(template, basis_modes=0, class_wise=False)
    with pytest.raises(ValueError, match=r"bundle\.template"):
        impersonal_weights(state, means, learned_basis=False)
