"""Pyramids keep their place, ROI align reads in millimeters, layers have the right shapes."""

from collections import OrderedDict

import pytest
import torch

from massm.models.blocks.fpn3d import FeaturePyramid, Pyramid3d
from massm.models.blocks.mlp import last_layer, mlp
from massm.models.blocks.residual import BasicBlock, Bottleneck, norm_maker
from massm.models.blocks.resnet3d import STAGES, ResNet3d
from massm.models.blocks.roi_align3d import box_lattice, roi_align
from massm.tensors.grid import Grid


@pytest.mark.parametrize("name", sorted(STAGES))
def test_stages_halve_the_grid(name):
    network = ResNet3d(name, width=4, output_stride=4, norm="group")
    maps = network(torch.randn(1, 1, 32, 32, 64))
    for features, stride, channels in zip(maps, network.strides, network.channels, strict=True):
        assert features.shape == (1, channels, 32 // stride, 32 // stride, 64 // stride)
    assert network.strides == [4, 8, 16, 32]


@pytest.mark.parametrize("norm", ["batch", "instance", "group"])
def test_shortcuts_pass_the_gradient(norm):
    network = ResNet3d("resnet18", width=4, output_stride=2, norm=norm, stages=3)
    image = torch.randn(2, 1, 16, 16, 16)
    network(image)[-1].square().mean().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


def made(make):
    """What is made of the first draws of a seed, so that two makers start from the same weights."""
    torch.manual_seed(0)
    return make()


def assert_same_weights(ours, theirs):
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, weights in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], weights), name


@pytest.mark.parametrize("norm", ["batch", "group"])
@pytest.mark.parametrize(
    ("block", "name"), [(BasicBlock, "ResNetBlock"), (Bottleneck, "ResNetBottleneck")]
)
def test_blocks_are_those_of_monai(block, name, norm):
    from monai.networks.nets import resnet  # seconds

    named = {"batch": ("batch", {"affine": True}), "group": ("group", {"num_groups": 2})}[norm]
    shortcut = torch.nn.Conv3d(4, 4 * block.expansion, 1, stride=2)
    ours = made(lambda: block(4, 4, norm_maker(norm, 2), stride=2, downsample=shortcut))
    theirs = made(lambda: getattr(resnet, name)(4, 4, stride=2, downsample=shortcut, norm=named))
    assert_same_weights(ours, theirs)
    maps = torch.randn(2, 4, 6, 5, 7)
    assert torch.equal(ours(maps), theirs(maps))


def test_the_feature_pyramid_is_that_of_monai():
    from monai.networks.blocks.feature_pyramid_network import FeaturePyramidNetwork

    ours = made(lambda: FeaturePyramid([3, 4, 5], 6))
    theirs = made(lambda: FeaturePyramidNetwork(3, [3, 4, 5], 6))
    assert_same_weights(ours, theirs)
    maps = [torch.randn(1, 3 + i, 9 // 2**i, 8 // 2**i, 7) for i in range(3)]
    expected = theirs(OrderedDict(enumerate(maps)))
    for level, reference in zip(ours(maps), expected.values(), strict=True):
        assert torch.equal(level, reference)


def test_levels_lie_in_the_image_frame():
    pyramid = Pyramid3d("resnet10", width=4, channels=6, output_stride=2, levels=3, norm="group")
    image = Grid(torch.randn(2, 1, 16, 24, 32), torch.tensor([[1.0, 2, 3], [4, 5, 6]]), 5.0)
    levels = pyramid(image)
    assert [level.spacing_mm for level in levels] == [10.0, 20.0, 40.0]
    assert [tuple(level.values.shape) for level in levels] == [
        (2, 6, 8, 12, 16),
        (2, 6, 4, 6, 8),
        (2, 6, 2, 3, 4),
    ]
    assert all(torch.equal(level.origin, image.origin) for level in levels)


def test_roi_align_reads_the_places_of_its_cells():
    grid = Grid(torch.zeros(1, 1, 9, 9, 9), torch.tensor([[10.0, 20.0, 30.0]]), 4.0)
    grid = grid.with_values(grid.points().movedim(-1, 1))
    center, radius = torch.tensor([[[26.0, 36, 46]]]), torch.tensor([[[8.0, 4, 6]]])
    cells = roi_align(grid, center, radius, size=2, margin=1.0)
    assert cells.shape == (1, 1, 3, 2, 2, 2)
    # axes of the result: z, y, x
    torch.testing.assert_close(cells[0, 0, 0, 0, 0], torch.tensor([22.0, 30.0]))
    torch.testing.assert_close(cells[0, 0, 1, 0, :, 0], torch.tensor([34.0, 38.0]))
    torch.testing.assert_close(cells[0, 0, 2, :, 0, 0], torch.tensor([43.0, 49.0]))


def test_a_margin_widens_the_box():
    center, radius = torch.zeros(1, 1, 3), torch.ones(1, 1, 3)
    narrow = box_lattice(center, radius, size=3, margin=1.0)
    wide = box_lattice(center, radius, size=3, margin=1.5)
    torch.testing.assert_close(wide, 1.5 * narrow)


@pytest.mark.parametrize("class_wise", [True, False])
def test_last_layers_share_an_interface_and_start_at_rest(class_wise):
    layer = last_layer(3, 5, 7, class_wise=class_wise)
    out = layer(torch.randn(2, 3, 5))
    assert out.shape == (2, 3, 7)
    assert out.abs().max() < 0.1


def test_class_wise_layers_differ_by_class():
    out = last_layer(3, 5, 7, class_wise=True)(torch.ones(1, 3, 5))
    assert not torch.allclose(out[0, 0], out[0, 1])


def test_an_mlp_ends_with_its_last_width():
    assert mlp(4, [8, 6])(torch.randn(2, 3, 4)).shape == (2, 3, 6)
