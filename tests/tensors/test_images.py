"""Images of several subjects: each alone is what it would be by itself."""

import torch

from massm.tensors.grid import Grid
from massm.tensors.images import Images, Sizes


def test_places_are_carried_to_single_subjects():
    frames, centers = torch.randn(3, 2, 3, 4), torch.randn(3, 2, 3)
    image = Grid(torch.randn(3, 1, 4, 5, 6), torch.randn(3, 3), 3.0)
    names, sizes = ("a", "b", "c"), (Sizes((4, 5, 6), None, None, (4, 5, 6)),) * 3
    images = Images(names, sizes, image, None, None, frames, centers).to("cpu")
    for row, one in enumerate(images.each()):
        assert torch.equal(one.frames, frames[row : row + 1])
        assert torch.equal(one.box_centers, centers[row : row + 1])
