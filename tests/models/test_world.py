"""World heads: alignment is exact, the decoder learns shapes, and stays frozen."""

import pytest
import torch
from scipy.spatial.transform import Rotation

from massm.models.massm.world import CvaeHead, ProcrustesHead, mirror_of
from massm.models.massm.world_pretraining import (
    TrainingShapes,
    pretrain_decoder,
    pretrain_encoder,
)
from massm.tensors.dataset import load_sample
from massm.tensors.sample import Template
from massm.tensors.template import load_template
from tests.toy_cohort import Cohort, model_config


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Cohort().write(tmp_path_factory.mktemp("tensors"))


@pytest.fixture
def template(folder):
    return load_template(folder / "template.safetensors")


def turned(points):
    matrix = torch.from_numpy(Rotation.from_euler("xyz", [0.4, -0.3, 1.0]).as_matrix()).float()
    return points @ matrix.mT + torch.tensor([100.0, -50, 700])


def test_procrustes_finds_the_template_wherever_it_lies(template):
    world = ProcrustesHead(template)(turned(template.world)[None])
    torch.testing.assert_close(world[0], template.world, atol=1e-3, rtol=0)


def test_procrustes_keeps_the_size(template):
    world = ProcrustesHead(template)(1.2 * template.world[None])
    torch.testing.assert_close(
        world.std(dim=2), 1.2 * template.world[None].std(dim=2), atol=1e-3, rtol=0
    )


def test_a_mirrored_world_frame_is_recognized(template):
    arrays = template.tensors() | {"world": template.world * torch.tensor([-1.0, 1, 1])}
    mirrored = Template(**arrays)
    assert mirror_of(template)[:, 0, 0].tolist() == [1, 1]
    assert mirror_of(mirrored)[:, 0, 0].tolist() == [-1, -1]
    world = ProcrustesHead(mirrored)(turned(template.world)[None])
    torch.testing.assert_close(world[0], mirrored.world, atol=1e-3, rtol=0)


def test_procrustes_passes_gradients(template):
    local = turned(template.world)[None].requires_grad_()
    ProcrustesHead(template)(local).square().sum().backward()
    assert torch.isfinite(local.grad).all()


def training_shapes(folder, template):
    samples = [load_sample(folder / f"t{i}.safetensors", f"t{i}") for i in range(6)]
    local = torch.stack([sample.truth.local for sample in samples])
    world = torch.stack([sample.truth.world for sample in samples])
    present = torch.stack([sample.truth.presence for sample in samples]).eq(1)
    spread = (world - template.mean_world)[present].square().mean().sqrt()
    return TrainingShapes(local, world, present, template.modes_world), float(spread)


def test_poses_carry_world_to_local(folder, template):
    shapes, _ = training_shapes(folder, template)
    sample = load_sample(folder / "t0.safetensors", "t0")
    row = int((shapes.subject == 0).nonzero()[0])
    local = sample.truth.local[shapes.anatomy[row]]
    moved = shapes.shape(torch.tensor(row)) @ shapes.rotation[row].mT
    torch.testing.assert_close(
        moved - moved.mean(dim=0), local - local.mean(dim=0), atol=1e-2, rtol=0
    )


def test_a_mirrored_pose_is_a_reflection(folder, template):
    shapes, _ = training_shapes(folder, template)
    world = shapes.world[:1]
    mirrored = TrainingShapes(
        world * torch.tensor([-1.0, 1, 1]),
        world,
        torch.ones(world.shape[:2], dtype=torch.bool),
        template.modes_world,
    )
    expected = torch.diag(torch.tensor([-1.0, 1, 1])).expand_as(mirrored.rotation)
    torch.testing.assert_close(mirrored.rotation, expected, atol=1e-3, rtol=0)


def test_drawn_shapes_are_of_their_anatomy_in_a_pose_of_their_anatomy(folder, template):
    shapes, _ = training_shapes(folder, template)
    drawn = shapes.draw(64, 0.0, torch.Generator().manual_seed(0))
    for anatomy, world, rotation in zip(*drawn, strict=True):
        of_anatomy = (shapes.anatomy == anatomy).nonzero()[:, 0]
        assert (shapes.shape(of_anatomy) == world).all(dim=(1, 2)).any()
        assert (shapes.rotation[of_anatomy] == rotation).all(dim=(1, 2)).any()


def test_every_pose_of_the_anatomy_is_drawn(folder, template):
    shapes, _ = training_shapes(folder, template)
    drawn = shapes.draw(600, 0.0, torch.Generator().manual_seed(0))
    for row, rotation in enumerate(shapes.rotation):
        same = (drawn.rotation == rotation).all(dim=(1, 2))
        assert same.any()
        assert (drawn.anatomy[same] == shapes.anatomy[row]).all()


def test_pretrained_encoder_aligns_shapes_in_any_pose(folder, template):
    config = model_config(world={"pretrain_steps": 600, "encoder_steps": 600}).world
    torch.manual_seed(0)
    head = CvaeHead(config, template)
    shapes, spread = training_shapes(folder, template)
    generator = torch.Generator().manual_seed(1)
    pretrain_decoder(head.decoder, shapes, config, generator)
    before = [p.clone() for p in head.decoder.parameters()]
    assert pretrain_encoder(head, shapes, config, generator) < 0.6 * spread
    assert all(torch.equal(a, b) for a, b in zip(before, head.decoder.parameters(), strict=True))


def test_pretrained_decoder_reconstructs_and_is_frozen(folder, template):
    config = model_config(world={"pretrain_steps": 600}).world
    torch.manual_seed(0)
    head = CvaeHead(config, template)
    shapes, spread = training_shapes(folder, template)
    error = pretrain_decoder(head.decoder, shapes, config, torch.Generator().manual_seed(1))
    assert error < 0.5 * spread
    assert not any(p.requires_grad for p in head.decoder.parameters())
    assert all(p.requires_grad for p in head.encoder.parameters())


def test_cvae_head_does_not_see_the_place_in_the_scanner(template):
    head = CvaeHead(model_config().world, template).eval()
    local = template.local[None]
    torch.testing.assert_close(head(local + 300), head(local), atol=1e-3, rtol=0)
