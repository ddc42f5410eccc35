"""Refinement: axes of the surface, and steps toward what the image shows."""

import torch

from massm.models.massm.refine import SurfaceFrames, neighbor_rings, perturbed_starts
from massm.tensors.sample import Template
from tests.toy_cohort import sphere_points


def sphere_template(count=200):
    points = torch.from_numpy(sphere_points(count)).float()[None]
    arrays = Template.blank(1, count, 2).tensors() | {"local": 20 * points, "normals": points}
    return Template(**arrays), points


def test_normals_of_a_sphere_point_outward():
    template, points = sphere_template()
    axes = SurfaceFrames(template, 8)(20 * points[None] + 100).axes
    assert ((axes[..., 0, :] * points).sum(dim=-1) > 0.97).all()


def test_axes_are_orthonormal_and_right_handed():
    template, points = sphere_template()
    stretched = points[None] * torch.tensor([30.0, 20, 10])
    axes = SurfaceFrames(template, 8)(stretched).axes
    expected = torch.eye(3).expand_as(axes)
    torch.testing.assert_close(axes @ axes.mT, expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(torch.linalg.det(axes), torch.ones(axes.shape[:3]))


def test_rings_turn_counterclockwise_seen_from_outside():
    template, points = sphere_template(50)
    ring = neighbor_rings(template.local, template.normals, 6)
    arms = template.local[0][ring[0]] - template.local[0][:, None]
    turn = torch.linalg.cross(arms, arms.roll(-1, dims=1)).sum(dim=1)
    assert ((turn * points[0]).sum(dim=-1) > 0).all()


def test_neighbors_avoid_the_far_side_of_a_thin_part():
    """Two parallel sheets 1 mm apart, points 5 mm apart in each."""
    y, x = torch.meshgrid(torch.arange(6.0), torch.arange(6.0), indexing="ij")
    sheet = torch.stack([5 * x.flatten(), 5 * y.flatten(), torch.zeros(36)], dim=-1)
    points = torch.cat([sheet, sheet + torch.tensor([0.0, 0, 1])])[None]
    normals = torch.tensor([0.0, 0, -1]).repeat(36, 1)
    ring = neighbor_rings(points, torch.cat([normals, -normals])[None], 4)
    assert (ring[0, :36] < 36).all()
    assert (ring[0, 36:] >= 36).all()


def test_starts_scatter_around_the_truth_by_the_shape_model():
    modes = torch.zeros(1, 1, 10, 3)
    modes[..., 0] = 4.0
    true = torch.zeros(500, 1, 10, 3)
    generator = torch.Generator().manual_seed(0)
    starts = perturbed_starts(true, modes, spread=1.0, shift_mm=0.0, generator=generator)
    assert starts[..., 1:].abs().max() == 0
    # spread x uniform amount: standard deviation 4 / sqrt(3)
    assert abs(starts[:, 0, 0, 0].std() - 4 / 3**0.5) < 0.3
