"""World heads: alignment is exact, the decoder learns shapes, and stays frozen."""

import pytest
import torch
from scipy.spatial.transform import Rotation

from massm.models.massm.world import CvaeHead, ProcrustesHead, mirror_of, pretrain_decoder
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


def test_pretrained_decoder_reconstructs_and_is_frozen(folder, template):
    config = model_config(world={"pretrain_steps": 600}).world
    torch.manual_seed(0)
    head = CvaeHead(config, template)
    samples = [load_sample(folder / f"t{i}.safetensors", f"t{i}") for i in range(6)]
    world = torch.stack([sample.world for sample in samples])
    present = torch.stack([sample.presence for sample in samples]).eq(1)
    error = pretrain_decoder(head.decoder, world, present, config, torch.Generator().manual_seed(1))
    spread = (world - template.mean_world)[present].square().mean().sqrt()
    assert error < 0.5 * spread
    assert not any(p.requires_grad for p in head.decoder.parameters())
    assert all(p.requires_grad for p in head.encoder.parameters())


def test_cvae_head_does_not_see_the_place_in_the_scanner(template):
    head = CvaeHead(model_config().world, template).eval()
    local = template.local[None]
    torch.testing.assert_close(head(local + 300), head(local), atol=1e-3, rtol=0)
