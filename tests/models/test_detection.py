"""Boxes survive the way to target maps and back."""

import pytest
import torch

from massm.config.models.massm import DetectionConfig
from massm.models.massm.detection import DetectionHead, DetectionMaps, decode, encode
from massm.tensors.grid import Grid

STRIDE = 4


def frame(spacing_mm=12.0):
    """Maps of 8 x 9 x 10 cells of 12 mm, two subjects."""
    origin = torch.tensor([[-50.0, 10.0, 700.0], [0.0, 0.0, 0.0]])
    return Grid(torch.zeros(2, 1, 8, 9, 10), origin, spacing_mm)


def last(grid):
    """Nothing is padded."""
    return (grid.size - 1).expand(len(grid.origin), 3)


def targets_for(grid, center, radius, presence=None, *, shown=None, reach_cells=0):
    """The maps of two subjects that have all three anatomies, in whole scans unless it is said."""
    config = DetectionConfig(
        channels=8, class_wise=True, sigma=0.25, min_sigma_cells=0.7, reach_cells=reach_cells
    )
    presence = torch.ones(2, 3, dtype=torch.long) if presence is None else presence
    shown = last(grid) if shown is None else shown
    return encode(grid, STRIDE, center, radius, presence, shown, config)


def boxes(grid):
    generator = torch.Generator().manual_seed(0)
    unit = torch.rand(2, 3, 3, generator=generator)
    center = grid.to_point(unit * (grid.size - 1))
    radius = 10 + 30 * torch.rand(2, 3, 3, generator=generator)
    return center, radius


def perfect_maps(grid, targets):
    """Maps that hold, everywhere, what the targets ask for at the center."""
    shape = grid.values.shape[2:]
    spread = [
        t[..., None, None, None].expand(2, 3, 3, *shape)
        for t in (targets.radius, targets.offset[:, :, 0])
    ]
    return DetectionMaps(torch.logit(targets.heat, eps=1e-6), *spread, grid, STRIDE)


def test_decode_inverts_encode():
    grid = frame()
    center, radius = boxes(grid)
    targets = targets_for(grid, center, radius)
    found = decode(perfect_maps(grid, targets))
    torch.testing.assert_close(found.center, center, atol=1e-3, rtol=0)
    torch.testing.assert_close(found.radius, radius, atol=1e-3, rtol=0)
    assert (found.score > 0.99).all()


def test_target_is_one_at_the_center_cell_alone():
    grid = frame()
    center, radius = boxes(grid)
    targets = targets_for(grid, center, radius)
    assert (targets.heat == 1).flatten(2).sum(dim=-1).eq(1).all()
    assert targets.offset.abs().max() <= 0.5
    peak = targets.heat.flatten(2).argmax(dim=-1)
    assert torch.equal(peak, targets.cell[..., 0])


def test_absent_and_unknown_have_no_bump():
    grid = frame()
    center, radius = boxes(grid)
    presence = torch.tensor([[1, 0, -1], [1, 1, 1]])
    nan = presence.ne(1)[..., None]
    targets = targets_for(
        grid, center.masked_fill(nan, torch.nan), radius.masked_fill(nan, torch.nan), presence
    )
    assert targets.heat[0, 1:].eq(0).all()
    assert targets.known[0].tolist() == [True, True, False]
    assert torch.isfinite(targets.offset).all()
    assert torch.isfinite(targets.radius).all()


@pytest.mark.parametrize(("radii", "known"), [(0.1, False), (0.4, False), (0.6, True), (9.0, True)])
def test_an_anatomy_whose_center_lies_outside_is_unknown_at_first_then_absent(radii, known):
    """Just outside there is much of it to see; of one that is well outside there is nothing."""
    grid = frame()
    center, radius = boxes(grid)
    edge = grid.origin[0, 0] - grid.spacing_mm / 2
    center[0, 0, 0] = edge - radii * radius[0, 0, 0]
    targets = targets_for(grid, center, radius)
    assert not targets.present[0, 0]
    assert targets.known[0].tolist() == [known, True, True]
    assert targets.heat[0, 0].eq(0).all()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize(
    ("radii", "present", "known"), [(-0.1, True, True), (0.3, False, False), (0.6, False, True)]
)
def test_padding_shows_nothing(axis, side, radii, present, known):
    """Beyond the scan's own end an anatomy is as absent as before its beginning."""
    grid = frame()
    center, radius = boxes(grid)
    shown = last(grid) - torch.tensor([2.25, 3.0, 1.5])  # the rest is padding
    center = grid.to_point(grid.to_index(center) * (shown / last(grid))[:, None])
    edge = shown[0, axis] + 0.5 if side > 0 else torch.tensor(-0.5)
    outside = grid.to_index(center)
    outside[0, 0, axis] = edge
    center = grid.to_point(outside)
    center[0, 0, axis] += side * radii * radius[0, 0, axis]
    targets = targets_for(grid, center, radius, shown=shown)
    assert targets.present[0].tolist() == [present, True, True]
    assert targets.known[0].tolist() == [known, True, True]


@pytest.mark.parametrize("class_wise", [True, False])
def test_radius_starts_at_the_typical_one(class_wise):
    typical = torch.tensor([[3.0, 4, 5], [7, 8, 9]])
    head = DetectionHead(4, 8, 2, class_wise=class_wise, typical_radius=typical)
    grid = Grid(torch.zeros(1, 4, 3, 3, 3), torch.zeros(1, 3), 4.0)
    found = decode(head(grid, 2))
    expected = typical if class_wise else typical.mean(0, keepdim=True).expand(2, 3)
    torch.testing.assert_close(found.radius[0], expected * 2.0, atol=0.2, rtol=0)


def test_shared_maps_collide_and_class_wise_maps_do_not():
    """Two centers in one cell: shared maps can hold one offset, class-wise maps both."""
    grid = frame()
    center = grid.to_point(torch.tensor([[[4.2, 4, 4], [3.8, 4, 4], [1, 1, 1]]]).expand(2, -1, -1))
    radius = torch.full((2, 3, 3), 20.0)
    targets = targets_for(grid, center, radius)
    assert torch.equal(targets.cell[0, 0], targets.cell[0, 1])
    maps = perfect_maps(grid, targets)
    torch.testing.assert_close(decode(maps).center, center, atol=1e-3, rtol=0)
    shared = DetectionMaps(maps.heat, maps.radius[:, :1], maps.offset[:, :1], grid, STRIDE)
    assert (decode(shared).center - center).abs().amax(dim=-1)[0, 1] > 4


def test_a_peak_one_cell_beside_the_center_still_gives_the_center():
    grid = frame()
    center, radius = boxes(grid)
    near = targets_for(grid, center, radius, reach_cells=1)
    assert near.cell.shape == (2, 3, 27)
    cells = torch.stack([near.cell % 10, near.cell // 10 % 9, near.cell // 90], dim=-1).float()
    torch.testing.assert_close(
        grid.to_point((cells + near.offset).flatten(1, 2)),
        center.repeat_interleave(27, dim=1),
        atol=1e-3,
        rtol=0,
    )
    alone = targets_for(grid, center, radius)
    assert torch.equal(near.cell[..., :1], alone.cell)
