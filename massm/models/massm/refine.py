"""Refinement: move each particle by what the CT shows around it. An addition to the paper.

One box vector cannot tell 256 particles apart to a millimeter, least of all after 50 subjects.
Here one small network, shared by all particles of all anatomies, reads intensity profiles along
the surface normal at the particle's present place, as active shape models do (Cootes et al., 1995,
section 4), and what close-ups show there, if there are any; it talks to its neighbors, and moves
the particle. Every training subject so gives K x M examples instead of K. Started from the truth
plus a random deformation of the shape model, it sees errors as large as those on unseen subjects,
which predictions on training subjects never are.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from massm.config.models.massm import RefineConfig
from massm.models.massm.close_up import View
from massm.tensors.grid import Grid
from massm.tensors.images import Images
from massm.tensors.sample import Template

_FEATURE_DEPTHS = (
    -1 / 3,
    0.0,
    1 / 3,
)  # of the profiles' reach, where features of close-ups are read


class Frames(NamedTuple):
    """Unit axes at each particle: outward normal and two tangents."""

    axes: Float[Tensor, "B K M 3 3"]  # rows: normal, tangent, other tangent


class SurfaceFrames(nn.Module):
    """Estimate the surface's axes at each particle from its neighbors, without a mesh.

    The neighbors of a particle on the template, ordered counterclockwise as seen from outside,
    span a fan of triangles; the sum of their normals is the particle's normal on any shape in
    correspondence.
    """

    def __init__(self, template: Template, neighbors: int) -> None:
        super().__init__()
        ring = neighbor_rings(template.local, template.normals, neighbors)
        self.register_buffer("ring", ring)

    def average(self, values: Float[Tensor, "B K M C"]) -> Float[Tensor, "B K M C"]:
        """Average the values of each particle's neighbors.

        As a product with a K x M x M matrix: several times faster, gradient included, than to
        gather neighbors for each of many channels.
        """
        ring = self.get_buffer("ring")
        anatomies, particles, count = ring.shape
        weights = values.new_zeros(anatomies, particles, particles)
        weights.scatter_(2, ring, 1 / count)
        return weights @ values

    def forward(self, local: Float[Tensor, "B K M 3"]) -> Frames:
        """Return the axes at each particle."""
        arms = self.neighbors(local) - local[..., None, :]
        normal = torch.linalg.cross(arms, arms.roll(-1, dims=-2)).sum(dim=-2)
        normal = functional.normalize(normal, dim=-1)
        first = arms[..., 0, :]
        tangent = functional.normalize(
            first - (first * normal).sum(-1, keepdim=True) * normal, dim=-1
        )
        return Frames(torch.stack([normal, tangent, torch.linalg.cross(normal, tangent)], dim=-2))

    def neighbors(self, values: Float[Tensor, "B K M C"]) -> Float[Tensor, "B K M Q C"]:
        """Collect the values of each particle's neighbors."""
        ring = self.get_buffer("ring")
        anatomies, particles, count = ring.shape
        index = ring.reshape(1, anatomies, particles * count, 1)
        index = index.expand(len(values), -1, -1, values.shape[-1])
        neighbors: Tensor = values.gather(2, index).unflatten(2, (particles, count))
        return neighbors


def neighbor_rings(
    points: Float[Tensor, "K M 3"], normals: Float[Tensor, "K M 3"], count: int
) -> Int[Tensor, "K M Q"]:
    """Return each particle's nearest neighbors, counterclockwise as seen from outside.

    Neighbors whose normal points the other way (the far side of a thin part) are avoided.
    """
    count = min(count, points.shape[1] - 1)
    apart = torch.cdist(points, points)
    facing = normals @ normals.mT
    apart = apart + (facing < 0) * apart.amax(dim=(1, 2), keepdim=True)
    apart = apart + torch.eye(points.shape[1]) * 10 * apart.amax(dim=(1, 2), keepdim=True)
    nearest = apart.topk(count, largest=False).indices
    rows = torch.arange(len(points))[:, None, None]
    arms = points[rows, nearest] - points[:, :, None]
    helper = torch.eye(3)[normals.abs().argmin(dim=-1)]
    first = functional.normalize(torch.linalg.cross(normals, helper), dim=-1)
    second = torch.linalg.cross(normals, first)
    angle = torch.atan2((arms * second[:, :, None]).sum(-1), (arms * first[:, :, None]).sum(-1))
    return nearest.gather(-1, angle.argsort(dim=-1))


class RefineHead(nn.Module):
    """Move particles in a few equal steps.

    Args:
        config: Sizes.
        levels: Pyramid levels that are read at the particle.
        channels: Channels of each.
        template: Shapes that give neighbors and normals.
        viewed: Features of each voxel of a close-up; 0: there are none.
        unit_mm: One unit of the network's output, mm.
    """

    def __init__(
        self,
        config: RefineConfig,
        *,
        levels: int,
        channels: int,
        template: Template,
        viewed: int = 0,
        unit_mm: float = 10.0,
    ) -> None:
        super().__init__()
        self.config = config
        self.unit_mm = unit_mm
        anatomies, particles, _ = template.local.shape
        self.frames = SurfaceFrames(template, config.neighbors)
        self.code = nn.Parameter(0.1 * torch.randn(anatomies, particles, config.embedding))
        self.register_buffer("stencil", self._stencil())
        inputs = 5 * config.samples + levels * channels + config.embedding + 3
        if viewed:
            inputs += 5 * config.samples + len(_FEATURE_DEPTHS) * viewed
            depths = config.reach_mm * torch.tensor(_FEATURE_DEPTHS)
            self.register_buffer("feature_depths", depths, persistent=False)
        self.enter = nn.Sequential(
            nn.Linear(inputs, config.hidden), nn.LayerNorm(config.hidden), nn.GELU()
        )
        self.mix = nn.ModuleList(
            nn.Sequential(
                nn.Linear(3 * config.hidden, config.hidden),
                nn.LayerNorm(config.hidden),
                nn.GELU(),
            )
            for _ in range(config.mixing)
        )
        self.leave = nn.Linear(config.hidden, 3)
        with torch.no_grad():
            self.leave.weight.mul_(0.01)
            self.leave.bias.zero_()

    def _stencil(self) -> Float[Tensor, "P 3"]:
        """Sample places around a particle in its own axes, mm: five parallel profiles."""
        depth = torch.linspace(-self.config.reach_mm, self.config.reach_mm, self.config.samples)
        side = self.config.side_mm
        feet = torch.tensor([[0, 0], [side, 0], [-side, 0], [0, side], [0, -side]])
        return torch.cat(
            [depth[:, None, None].expand(-1, 5, 1), feet.expand(len(depth), 5, 2)], dim=-1
        ).flatten(0, 1)

    def forward(
        self,
        start: Float[Tensor, "B K M 3"],
        levels: list[Grid],
        images: Images,
        views: list[View] | None = None,
        steps: int | None = None,
    ) -> list[Float[Tensor, "B K M 3"]]:
        """Return the particles after each step, mm; no gradient flows from a step to the last.

        Args:
            start: Where the particles are before, mm.
            levels: Of the pyramid, which are read at the particles.
            images: Read around the particles.
            views: Close-ups of each anatomy, if there are any.
            steps: How many there are; None: as many as in training.
        """
        shapes = []
        for _ in range(self.config.steps if steps is None else steps):
            start = self.step(start.detach(), levels, images, views)
            shapes.append(start)
        return shapes

    def step(
        self,
        local: Float[Tensor, "B K M 3"],
        levels: list[Grid],
        images: Images,
        views: list[View] | None = None,
    ) -> Float[Tensor, "B K M 3"]:
        """Move the particles once."""
        axes = self.frames(local).axes
        batch_size, anatomies, particles, _ = local.shape
        places = local[..., None, :] + self.get_buffer("stencil") @ axes
        profile = images.sample_fine(places.flatten(1, 3))
        profile = profile.reshape(batch_size, anatomies, particles, -1)
        seen = [
            level.sample(local.flatten(1, 2)).mT.unflatten(1, (anatomies, particles))
            for level in levels
        ]
        if views is not None:
            seen += self._viewed(local, axes, places, views)
        code = self.code.expand(batch_size, -1, -1, -1)
        hidden = self.enter(torch.cat([profile, *seen, code, axes[..., 0, :]], dim=-1))
        for mix in self.mix:
            around = self.frames.average(hidden)
            everywhere = hidden.mean(dim=2, keepdim=True).expand_as(hidden)
            hidden = hidden + mix(torch.cat([hidden, around, everywhere], dim=-1))
        moves: Tensor = self.unit_mm * self.leave(hidden).float()
        refined: Tensor = local + (moves[..., None, :] @ axes).squeeze(-2)
        return refined

    def _viewed(
        self,
        local: Float[Tensor, "B K M 3"],
        axes: Float[Tensor, "B K M 3 3"],
        places: Float[Tensor, "B K M P 3"],
        views: list[View],
    ) -> list[Float[Tensor, "B K M C"]]:
        """Read the close-ups: odds along the profiles, features at a few depths."""
        depths = self.get_buffer("feature_depths")[:, None]
        deep = local[..., None, :] + depths * axes[..., None, 0, :]
        odds, features = [], []
        for k, view in enumerate(views):
            sure = view.odds.sample(places[:, k].flatten(1, 2))
            odds.append(sure.reshape(places.shape[0], *places.shape[2:4]))
            found = view.features.sample(deep[:, k].flatten(1, 2)).mT
            features.append(found.reshape(local.shape[0], local.shape[2], -1))
        return [torch.stack(odds, dim=1), torch.stack(features, dim=1)]


def perturbed_starts(
    true: Float[Tensor, "B K M 3"],
    modes: Float[Tensor, "K J M 3"],
    *,
    spread: float,
    shift_mm: float,
    generator: torch.Generator,
) -> Float[Tensor, "B K M 3"]:
    """Deform true particles by random amounts of the shape model, pose included.

    The amount itself is random, from nothing to ``spread`` standard deviations, so that the same
    network serves the first step and the last.

    Args:
        true: Local particles, mm.
        modes: Deviations of one standard deviation each, mm.
        spread: Largest standard deviation of a mode's score.
        shift_mm: Largest standard deviation of a shift, mm.
        generator: On the CPU, so that all devices draw the same.
    """
    batch, anatomies = true.shape[:2]
    amount = torch.rand(batch, anatomies, 1, generator=generator)
    score = amount * torch.randn(batch, anatomies, modes.shape[1], generator=generator)
    shift = shift_mm * amount * torch.randn(batch, anatomies, 3, generator=generator)
    moved = torch.einsum("bkj,kjmc->bkmc", spread * score.to(true), modes)
    return true + moved + shift.to(true)[..., None, :]
