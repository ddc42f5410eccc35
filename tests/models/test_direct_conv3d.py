"""Direct convolutions say what torch's say, up to rounding, and are torch's where they must be."""

import pytest
import torch
from torch import nn

from massm.models.blocks.direct_conv3d import DirectConv3d, convolve_directly
from massm.models.blocks.fpn3d import Pyramid3d
from massm.tensors.grid import Grid


@pytest.fixture
def pyramids():
    """A pyramid, and the same with direct convolutions."""
    networks = []
    for _ in range(2):
        torch.manual_seed(0)
        networks.append(
            Pyramid3d("resnet10", width=8, channels=8, output_stride=2, levels=3, norm="group")
        )
    convolve_directly(networks[1])
    return [network.eval() for network in networks]


def test_every_convolution_is_replaced_and_the_weights_stay(pyramids):
    one, other = pyramids
    assert not [each for each in other.modules() if type(each) is nn.Conv3d]
    expected, found = one.state_dict(), other.state_dict()
    assert list(found) == list(expected)
    assert all(torch.equal(found[name], weights) for name, weights in expected.items())


def test_a_padding_in_words_stays_torchs_and_a_second_time_changes_nothing():
    network = nn.Sequential(nn.Conv3d(1, 1, 3, padding="same"), nn.Conv3d(1, 1, 3, padding=1))
    kinds = []
    for _ in range(2):
        convolve_directly(network)
        kinds.append([type(each) for each in network])
    assert kinds == [[nn.Conv3d, DirectConv3d]] * 2
    with torch.no_grad():
        assert network(torch.ones(1, 1, 4, 4, 4)).shape == (1, 1, 4, 4, 4)


def test_they_say_what_torch_says(pyramids):
    image = Grid(torch.randn(1, 1, 16, 24, 32), torch.zeros(1, 3), 6.0)
    with torch.no_grad():
        one, other = (network(image) for network in pyramids)
    for expected, found in zip(one, other, strict=True):
        torch.testing.assert_close(found.values, expected.values, atol=1e-5, rtol=1e-5)


def test_with_gradients_and_in_double_precision_they_are_torchs():
    convolution = nn.Conv3d(2, 3, (1, 3, 5), stride=2, padding=(0, 1, 2))
    direct = DirectConv3d.of(convolution)
    maps = torch.randn(1, 2, 6, 7, 8)
    assert torch.equal(direct(maps), convolution(maps))
    direct(maps).sum().backward()
    assert convolution.weight.grad is not None
    with torch.no_grad():
        expected = convolution.double()(maps.double())
        assert torch.equal(direct(maps.double()), expected)
