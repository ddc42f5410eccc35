"""Rigid maps between two frames, found from corresponding points."""

import pytest
import torch

from massm.geometry.frames import apply_frames, frames_between
from tests.geometry.turning import turned


@pytest.mark.parametrize("mirrored", [False, True])
def test_frames_carry_world_particles_into_the_image(mirrored):
    world = torch.randn(2, 30, 3, generator=torch.Generator().manual_seed(0))
    local = torch.stack(
        [turned(world[0], 20, [500.0, -300.0, 9.0], mirrored), torch.full((30, 3), torch.nan)]
    )
    frames = frames_between(world, local)
    torch.testing.assert_close(apply_frames(frames[:1], world[:1]), local[:1], atol=1e-3, rtol=0)
    assert torch.isnan(frames[1]).all()
    assert float(torch.linalg.det(frames[0, :, :3])) == pytest.approx(-1 if mirrored else 1)
