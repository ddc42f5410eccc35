"""What changes with the epoch for every model: the learning rate."""

from massm.config.train import TrainConfig


def learning_rate_factor(config: TrainConfig, epoch: int) -> float:
    """Return the step decay: ``decay`` to the number of whole ``decay_every`` epochs passed."""
    return config.decay ** (epoch // config.decay_every)
