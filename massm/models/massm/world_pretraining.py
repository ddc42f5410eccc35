"""What the learned world head knows before it sees an image: the training split's shapes."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from massm.config.models.massm import WorldConfig
from massm.geometry.alignment import fit_similarity
from massm.models.blocks.mlp import mlp
from massm.models.massm.world import CvaeHead, ShapeDecoder, mirror_between

_CHUNK = 256  # shapes whose rotations are fitted at a time


class Encoding(NamedTuple):
    """A normal distribution of latent vectors."""

    mean: Float[Tensor, "N Z"]
    log_variance: Float[Tensor, "N Z"]


class Draw(NamedTuple):
    """Random shapes, each of one anatomy.

    Attributes:
        anatomy: Which.
        world: Particles in the population's frame, mm.
        rotation: From that frame to a patient's; orthogonal, a reflection where that is mirrored.
    """

    anatomy: Int[Tensor, " N"]
    world: Float[Tensor, "N M 3"]
    rotation: Float[Tensor, "N 3 3"]


class TrainingShapes:
    """Shapes of the training split, deformed by its shape model, in its subjects' poses.

    Args:
        local: Particles in the image frame, mm; rows that are not present may be nan.
        world: The same in the population's frame, mm.
        present: Which of them there are.
        modes: World deviations of one standard deviation each, mm.
    """

    def __init__(
        self,
        local: Float[Tensor, "N K M 3"],
        world: Float[Tensor, "N K M 3"],
        present: Bool[Tensor, "N K"],
        modes: Float[Tensor, "K J M 3"],
    ) -> None:
        self.modes = modes
        self.subject, self.anatomy = present.nonzero(as_tuple=True)
        self.world = world
        rows = zip(self.subject.split(_CHUNK), self.anatomy.split(_CHUNK), strict=True)
        self.rotation = torch.cat([_rotations(world[row], local[row]) for row in rows])
        # Rows sorted by anatomy: the partners of a row are a stretch of them.
        self.sorted = self.anatomy.argsort(stable=True)
        self.count = present.sum(dim=0)
        self.start = self.count.cumsum(dim=0) - self.count

    def draw(self, count: int, spread: float, generator: torch.Generator) -> Draw:
        """Draw shapes, ``spread`` standard deviations around them, and poses of other subjects."""
        rows = torch.randint(len(self.subject), (count,), generator=generator)
        anatomy = self.anatomy[rows]
        world = self.shape(rows)
        if spread:
            score = spread * torch.randn(count, self.modes.shape[1], generator=generator)
            world = world + torch.einsum("nj,njmc->nmc", score, self.modes[anatomy])
        pick = torch.rand(count, generator=generator) * self.count[anatomy]
        pose = self.sorted[self.start[anatomy] + pick.long()]
        return Draw(anatomy, world, self.rotation[pose])

    def shape(self, rows: Tensor) -> Float[Tensor, "... M 3"]:
        """Take the world particles of some rows; they are not copied before they are asked for."""
        return self.world[self.subject[rows], self.anatomy[rows]]


def _rotations(
    world: Float[Tensor, "N M 3"], local: Float[Tensor, "N M 3"]
) -> Float[Tensor, "N 3 3"]:
    """Return per shape the orthogonal matrix from world to local, a reflection where it is one."""
    mirror = mirror_between(world, local)
    return fit_similarity(world * mirror, local, allow_scale=False).rotation * mirror


class ShapeEncoder(nn.Module):
    """Encoder of the variational autoencoder; needed in pretraining alone."""

    def __init__(self, config: WorldConfig, anatomies: int, particles: int) -> None:
        super().__init__()
        self.network = nn.Sequential(
            mlp(3 * particles + anatomies, config.decoder_hidden[::-1]),
            nn.Linear(config.decoder_hidden[0], 2 * config.latent),
        )

    def forward(self, deviation: Float[Tensor, "N M 3"], one_hot: Float[Tensor, "N K"]) -> Encoding:
        """Return the distribution of latent vectors of scaled deviations from the mean."""
        mean, log_variance = self.network(torch.cat([deviation.flatten(1), one_hot], dim=-1)).chunk(
            2, dim=-1
        )
        return Encoding(mean, log_variance)


def pretrain_decoder(
    decoder: ShapeDecoder, shapes: TrainingShapes, config: WorldConfig, generator: torch.Generator
) -> float:
    """Train the decoder, with an encoder that is then dropped, on the training split's shapes.

    Kingma and Welling, "Auto-Encoding Variational Bayes", 2014, Eq. (10), with the reconstruction
    term as mean squared deviation and ``kl_weight`` on the divergence.

    Args:
        decoder: Trained in place; its parameters stay frozen for everybody else.
        shapes: What it learns.
        config: Sizes and schedule.
        generator: Draws batches and latent vectors.

    Returns:
        Root mean squared reconstruction error of the last tenth of the steps, mm.
    """
    mean, scale = decoder.get_buffer("mean"), decoder.get_buffer("scale")
    codes = decoder.get_buffer("one_hot")
    encoder = ShapeEncoder(config, len(codes), mean.shape[1])
    decoder.requires_grad_(True)
    optimizer = torch.optim.Adam(
        [*encoder.parameters(), *decoder.parameters()], lr=config.pretrain_rate
    )
    late: list[float] = []
    for step in range(config.pretrain_steps):
        drawn = shapes.draw(config.pretrain_batch, config.pretrain_spread, generator)
        code = codes[drawn.anatomy]
        deviation = (drawn.world - mean[drawn.anatomy]) / scale[drawn.anatomy]
        encoding = encoder(deviation, code)
        noise = torch.randn(encoding.mean.shape, generator=generator)
        latent = encoding.mean + noise * (0.5 * encoding.log_variance).exp()
        decoded = decoder(latent, drawn.anatomy)
        squared = ((decoded - drawn.world) / scale[drawn.anatomy]).square()
        divergence = (
            0.5
            * (
                encoding.mean.square() + encoding.log_variance.exp() - 1 - encoding.log_variance
            ).mean()
        )
        loss = squared.mean() + config.kl_weight * divergence
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step >= int(0.9 * config.pretrain_steps):
            millimeters = squared.detach() * scale[drawn.anatomy].square()
            late.append(float(millimeters.mean()))
    decoder.requires_grad_(False)
    return math.sqrt(sum(late) / len(late))


def pretrain_encoder(
    head: CvaeHead, shapes: TrainingShapes, config: WorldConfig, generator: torch.Generator
) -> float:
    """Give the head's encoder a start through the frozen decoder; an addition to the paper.

    In joint training it sees every shape in its own subject's pose, as often as there are epochs:
    too little to tell pose from shape. Here each shape comes in the pose of any other subject.

    Args:
        head: Its encoder is trained in place.
        shapes: What it learns.
        config: Schedule.
        generator: Draws batches.

    Returns:
        Root mean squared error of the last tenth of the steps, mm.
    """
    optimizer = torch.optim.Adam(head.encoder.parameters(), lr=config.pretrain_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.encoder_steps)
    scale = head.decoder.get_buffer("scale")
    late: list[float] = []
    for step in range(config.encoder_steps):
        drawn = shapes.draw(config.pretrain_batch, config.pretrain_spread, generator)
        local = drawn.world @ drawn.rotation.mT
        squared = (head.of_anatomy(local, drawn.anatomy) - drawn.world).square()
        loss = (squared / scale[drawn.anatomy].square()).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step >= int(0.9 * config.encoder_steps):
            late.append(float(squared.detach().mean()))
    return math.sqrt(sum(late) / len(late))
