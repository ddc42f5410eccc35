"""World heads: local particles to the population's aligned frame, learned or by alignment."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from massm.config.model import WorldConfig
from massm.geometry.alignment import fit_similarity
from massm.models.blocks.mlp import mlp
from massm.tensors.sample import Template


class Encoding(NamedTuple):
    """A normal distribution of latent vectors."""

    mean: Float[Tensor, "N Z"]
    log_variance: Float[Tensor, "N Z"]


class ShapeDecoder(nn.Module):
    """Decoder of a variational autoencoder of world particles, conditioned on the anatomy.

    Sohn et al., "Learning Structured Output Representation using Deep Conditional Generative
    Models", 2015, with the anatomy's one-hot code as condition. It decodes deviations from the
    mean shape, scaled by their root mean square, so that a zero latent vector is near the mean.
    """

    def __init__(self, config: WorldConfig, template: Template) -> None:
        super().__init__()
        anatomies, particles, _ = template.world.shape
        self.network = nn.Sequential(
            mlp(config.latent + anatomies, config.decoder_hidden),
            nn.Linear(config.decoder_hidden[-1], 3 * particles),
        )
        variance = template.modes_world.square().sum(dim=1).mean(dim=(1, 2))
        self.register_buffer("mean", template.mean_world.clone())
        self.register_buffer("scale", variance.sqrt().clamp(min=1e-3)[:, None, None].clone())
        self.register_buffer("one_hot", torch.eye(anatomies), persistent=False)

    def forward(self, latent: Float[Tensor, "B K Z"]) -> Float[Tensor, "B K M 3"]:
        """Return world particles, mm."""
        one_hot = self.get_buffer("one_hot").expand(len(latent), -1, -1)
        deviation = self.network(torch.cat([latent, one_hot], dim=-1)).float()
        return self.get_buffer("mean") + self.get_buffer("scale") * deviation.unflatten(-1, (-1, 3))


class CvaeHead(nn.Module):
    """MASSM's world head: local and template world particles -> latent vector -> frozen decoder.

    Both enter relative to their own centroid and in units of the anatomy's size; where the organ
    lies in the scanner says nothing about its world shape.
    """

    def __init__(self, config: WorldConfig, template: Template) -> None:
        super().__init__()
        _, particles, _ = template.world.shape
        self.encoder = nn.Sequential(
            mlp(6 * particles, config.hidden), nn.Linear(config.hidden[-1], config.latent)
        )
        self.decoder = ShapeDecoder(config, template)
        self.decoder.requires_grad_(False)
        centered = template.world - template.world.mean(dim=1, keepdim=True)
        self.register_buffer("template", centered)
        self.register_buffer("size", template.radius.mean(dim=-1)[:, None, None].clone())

    def forward(self, local: Float[Tensor, "B K M 3"]) -> Float[Tensor, "B K M 3"]:
        """Return world particles, mm."""
        size = self.get_buffer("size")
        shape = (local - local.mean(dim=2, keepdim=True)) / size
        start = (self.get_buffer("template") / size).expand_as(shape)
        latent = self.encoder(torch.cat([shape.flatten(2), start.flatten(2)], dim=-1))
        world: Tensor = self.decoder(latent)
        return world


class ProcrustesHead(nn.Module):
    """Rigid alignment of the local particles to the template's world particles; no parameters.

    An anatomy whose world frame is mirrored (``groom.reflect``) is mirrored before: whether that is
    so shows in the template, whose local and world particles are the same shape.
    """

    def __init__(self, template: Template) -> None:
        super().__init__()
        self.register_buffer("template", template.world.clone())
        self.register_buffer("mirror", mirror_of(template))

    def forward(self, local: Float[Tensor, "B K M 3"]) -> Float[Tensor, "B K M 3"]:
        """Return world particles, mm."""
        # Singular value decompositions do without half precision.
        shape = local.float()
        shape = (shape - shape.mean(dim=2, keepdim=True)) * self.get_buffer("mirror")
        target = self.get_buffer("template").expand_as(shape)
        fit = fit_similarity(shape, target, allow_scale=False)
        return fit.apply(shape)


def mirror_of(template: Template) -> Float[Tensor, "K 1 3"]:
    """Return per anatomy (1, 1, 1), or (-1, 1, 1) where local to world is a reflection."""
    local = template.local - template.local.mean(dim=1, keepdim=True)
    world = template.world - template.world.mean(dim=1, keepdim=True)
    handedness = torch.linalg.det((world.mT @ local).double())
    mirror = torch.ones(len(local), 1, 3)
    mirror[:, 0, 0] = torch.where(handedness < 0, -1.0, 1.0)
    return mirror


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
    decoder: ShapeDecoder,
    world: Float[Tensor, "N K M 3"],
    present: Bool[Tensor, "N K"],
    config: WorldConfig,
    generator: torch.Generator,
) -> float:
    """Train the decoder, with an encoder that is then dropped, on the training split's shapes.

    Kingma and Welling, "Auto-Encoding Variational Bayes", 2014, Eq. (10), with the reconstruction
    term as mean squared deviation and ``kl_weight`` on the divergence.

    Args:
        decoder: Trained in place; its parameters stay frozen for everybody else.
        world: World particles of the training split, mm.
        present: Which of them there are.
        config: Sizes and schedule.
        generator: Draws batches and latent vectors.

    Returns:
        Root mean squared reconstruction error of the last tenth of the steps, mm.
    """
    subjects, anatomies = present.nonzero(as_tuple=True)
    mean, scale = decoder.get_buffer("mean"), decoder.get_buffer("scale")
    shapes = ((world - mean) / scale)[subjects, anatomies]
    codes = torch.eye(world.shape[1])[anatomies]
    encoder = ShapeEncoder(config, world.shape[1], world.shape[2])
    decoder.requires_grad_(True)
    optimizer = torch.optim.Adam(
        [*encoder.parameters(), *decoder.parameters()], lr=config.pretrain_rate
    )
    late: list[float] = []
    for step in range(config.pretrain_steps):
        rows = torch.randint(len(shapes), (config.pretrain_batch,), generator=generator)
        encoding = encoder(shapes[rows], codes[rows])
        noise = torch.randn(encoding.mean.shape, generator=generator)
        latent = encoding.mean + noise * (0.5 * encoding.log_variance).exp()
        decoded = decoder.network(torch.cat([latent, codes[rows]], dim=-1)).unflatten(-1, (-1, 3))
        squared = (decoded - shapes[rows]).square()
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
        if step >= 0.9 * config.pretrain_steps:
            millimeters = squared.detach() * scale[anatomies[rows]].square()
            late.append(float(millimeters.mean()))
    decoder.requires_grad_(False)
    return (sum(late) / len(late)) ** 0.5
