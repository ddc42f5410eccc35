"""Where in an image a crop lies: a lattice of the world frame, carried into the image rigidly."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from massm.config.models.deepssm import CropConfig
from massm.geometry.alignment import nearest_orthogonal, orthogonal_between
from massm.geometry.frames import apply_frames
from massm.tensors.augment import rotation_xyz
from massm.tensors.images import Images
from massm.tensors.sample import Template

Frames = Float[Tensor, "B K 3 4"]
"""Rigid maps from the world frame of each anatomy to the image frame, mm; nan where it is not."""


class Crop(nn.Module):
    """The box of all training shapes in the world frame, and how training subjects are turned.

    Args:
        config: Points per axis, margin.
        template: Its mean shapes give the box until :meth:`fit` has seen all shapes.
    """

    def __init__(self, config: CropConfig, template: Template) -> None:
        super().__init__()
        self.config = config
        low, high = template.mean_world.amin(dim=1), template.mean_world.amax(dim=1)
        self.register_buffer("low", low - config.margin_mm)
        self.register_buffer("high", high + config.margin_mm)
        self.register_buffer("anchor", (low + high) / 2)
        self.register_buffer("rotation", torch.eye(3).repeat(len(low), 1, 1))

    def fit(
        self,
        world: Float[Tensor, "N K M 3"],
        local: Float[Tensor, "N K M 3"],
        present: Bool[Tensor, "N K"],
    ) -> None:
        """Take box and mean pose of training shapes, mm; where not present, anything.

        The rotation is the orthogonal matrix nearest to the mean of the subjects' own, the anchor
        is where the center of the box of local particles lies in the world frame, on average.
        """
        for k in range(world.shape[1]):
            shapes, there = world[present[:, k], k], local[present[:, k], k]
            points = shapes.flatten(0, 1)
            rotation = orthogonal_between(shapes.double(), there.double())
            center = (there.amin(dim=1) + there.amax(dim=1)).double() / 2
            from_mean = (center - there.double().mean(dim=1))[:, None] @ rotation
            anchors = from_mean[:, 0] + shapes.double().mean(dim=1)
            for name, value in (
                ("low", points.amin(dim=0) - self.config.margin_mm),
                ("high", points.amax(dim=0) + self.config.margin_mm),
                ("anchor", anchors.mean(dim=0)),
                ("rotation", nearest_orthogonal(rotation.mean(dim=0))),
            ):
                self.get_buffer(name)[k] = value

    def at(self, centers: Float[Tensor, "B K 3"]) -> Frames:
        """Place crops by the centers of boxes, turned as training subjects are on average."""
        rotation = self.get_buffer("rotation").expand(len(centers), -1, -1, -1)
        anchor = (rotation @ self.get_buffer("anchor")[..., None])[..., 0]
        return torch.cat([rotation, (centers - anchor)[..., None]], dim=-1)

    def jittered(self, frames: Frames, generator: torch.Generator) -> Frames:
        """Shift and turn crops at random about their middles."""
        config = self.config
        if not (config.jitter_mm or config.jitter_deg):
            return frames
        shape = frames.shape[:2]
        shift = config.jitter_mm * torch.randn(*shape, 3, generator=generator)
        angles = 2 * torch.rand(*shape, 3, generator=generator) - 1
        turns = [rotation_xyz(a) for a in math.radians(config.jitter_deg) * angles.flatten(0, 1)]
        turn = torch.stack(turns).unflatten(0, shape).to(frames)
        middle = ((self.get_buffer("low") + self.get_buffer("high")) / 2)[..., None]
        # x -> turn (x - middle) + middle + shift, and from there into the image.
        moved = middle + shift.to(frames)[..., None] - turn @ middle
        rotation, translation = frames[..., :3], frames[..., 3:]
        return torch.cat([rotation @ turn, rotation @ moved + translation], dim=-1)

    def read(
        self, images: Images, frames: Frames, there: Bool[Tensor, "B K"]
    ) -> Float[Tensor, "n 1 S S S"]:
        """Read the finest image on the lattices of those that are there, row by row."""
        size = self.config.size
        low, high = self.get_buffer("low"), self.get_buffer("high")
        steps = torch.linspace(0, 1, size, device=low.device)
        share = torch.cartesian_prod(steps, steps, steps).flip(-1)  # z slowest, points x, y, z
        lattice = low[:, None] + share * (high - low)[:, None]
        points = apply_frames(frames.nan_to_num(), lattice.expand(len(frames), -1, -1, -1))
        values = images.sample_fine(points.flatten(1, 2)).unflatten(1, (points.shape[1], -1))
        crops: Tensor = values[there].reshape(-1, 1, size, size, size)
        return crops
