"""What changes with the epoch: loss weights, teacher forcing, learning rate."""

from massm.config.train import RampConfig, TrainConfig


def ramp(config: RampConfig, epoch: int) -> float:
    """Return a ramp's value.

    Args:
        config: ``first`` before ``from_epoch``, then one ``step`` each epoch until ``last``.
        epoch: Counted from 0.
    """
    if epoch < config.from_epoch:
        return config.first
    value = config.first + config.step * (epoch - config.from_epoch + 1)
    beyond = value > config.last if config.step > 0 else value < config.last
    return config.last if beyond or config.step == 0 else value


def loss_weights(config: TrainConfig, epoch: int) -> dict[str, float]:
    """Return the weight of every loss term in an epoch."""
    weights = config.weights
    return {
        "heatmap": ramp(weights.heatmap, epoch),
        "radius": ramp(weights.radius, epoch),
        "offset": ramp(weights.offset, epoch),
        "local": ramp(weights.local, epoch),
        "world": ramp(weights.world, epoch),
        "refine": ramp(weights.refine, epoch),
    }


def learning_rate_factor(config: TrainConfig, epoch: int) -> float:
    """Return the step decay: ``decay`` to the number of whole ``decay_every`` epochs passed."""
    return config.decay ** (epoch // config.decay_every)
