"""Crops around an anatomy, aligned by the truth or by a box."""

import pytest
import torch

from massm.geometry.frames import apply_frames, frames_between
from massm.models.deepssm.crop import Crop
from tests.geometry.turning import turned
from tests.models.deepssm.rows import ROWS
from tests.toy_cohort import ANATOMIES


def crop_of(data, particles, **changes):
    lattice = ROWS["world"].lattice.model_copy(update=changes)
    crop = Crop(lattice, data.template)
    crop.fit(particles.world, particles.local, particles.present)
    return crop


def test_the_crop_holds_every_training_shape_and_its_margin(data, particles):
    crop = crop_of(data, particles)
    for k in range(len(ANATOMIES)):
        shapes = particles.world[particles.present[:, k], k]
        torch.testing.assert_close(crop.low[k] + 6.0, shapes.amin(dim=(0, 1)))
        torch.testing.assert_close(crop.high[k] - 6.0, shapes.amax(dim=(0, 1)))


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_box_places_the_crop_as_training_subjects_lie(data, particles, mirrored):
    """Of rigid copies the average pose is that of each, whatever their places."""
    world = particles.world[:1].expand(3, -1, -1, -1).nan_to_num()
    places = torch.tensor([[0.0, 9.0, 4.0], [100.0, -70.0, 3.0], [-5.0, 1.0, 0.0]])
    local = torch.stack([turned(world[0], 15, p.tolist(), mirrored) for p in places])
    crop = Crop(ROWS["world"].lattice, data.template)
    crop.fit(world, local, torch.ones(3, len(ANATOMIES), dtype=torch.bool))
    center = (local.amin(dim=2) + local.amax(dim=2)) / 2
    expected = frames_between(world, local)
    torch.testing.assert_close(crop.at(center), expected, atol=1e-3, rtol=1e-4)


def test_an_aligned_crop_shows_the_same_wherever_the_subject_lies(data, particles, batch):
    """A quarter turn of the world frame turns the crop's axes, not what lies at a point."""
    crop = crop_of(data, particles, size=9)
    world, local = batch.truth.world.nan_to_num(), batch.truth.local.nan_to_num()
    there = torch.ones(world.shape[:2], dtype=torch.bool)
    crops = crop.read(batch.images, frames_between(world, local), there)
    assert crops.shape == (6, 1, 9, 9, 9)
    middle = crops[:, 0, 4, 4, 4].reshape(3, 2)
    assert (middle[:, 0] > 1).all()  # inside of the bright one
    moved = crop.read(batch.images, frames_between(turned(world, 90, [0.0, 0, 0]), local), there)
    crop.low.copy_(turned(crop.low, 90, [0.0, 0, 0]))
    crop.high.copy_(turned(crop.high, 90, [0.0, 0, 0]))
    again = crop.read(batch.images, frames_between(turned(world, 90, [0.0, 0, 0]), local), there)
    assert not torch.allclose(moved, crops, atol=0.1)
    torch.testing.assert_close(again, crops.transpose(-1, -2), atol=1e-2, rtol=0)


def test_jitter_turns_about_the_middle_and_shifts(data, particles, batch):
    frames = frames_between(batch.truth.world, batch.truth.local)
    still = crop_of(data, particles)
    assert still.jittered(frames, torch.Generator()) is frames
    turning = crop_of(data, particles, jitter_deg=20.0)
    middle = ((turning.low + turning.high) / 2)[:, None].expand(3, -1, 1, 3)
    jittered = turning.jittered(frames, torch.Generator().manual_seed(0))
    there = torch.isfinite(frames).all(dim=-1).all(dim=-1)
    seen = (apply_frames(frames, middle) - apply_frames(jittered, middle))[there]
    torch.testing.assert_close(seen, torch.zeros_like(seen), atol=1e-3, rtol=0)
    assert ((jittered - frames)[there][..., :3].abs() > 0.01).any()
    shifting = crop_of(data, particles, jitter_mm=5.0)
    jittered = shifting.jittered(frames, torch.Generator().manual_seed(0))
    shift = (apply_frames(frames, middle) - apply_frames(jittered, middle))[there]
    assert 2.0 < float(shift.square().mean().sqrt()) < 10.0
    assert torch.equal(jittered[there][..., :3], frames[there][..., :3])
