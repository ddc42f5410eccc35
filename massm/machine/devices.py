"""What a network can run on."""

from typing import Literal

Device = Literal["cpu", "cuda"]


def refuse_missing(device: Device) -> None:
    """Refuse a GPU that is not there; nothing falls back to the CPU on its own.

    Raises:
        ValueError: With what was found and what to do.
    """
    if device == "cpu":
        return
    import torch

    if not torch.cuda.is_available():
        why = "this torch is a CPU build" if torch.version.cuda is None else "torch finds no GPU"
        raise ValueError(f"device cuda: {why} ({torch.__version__}); leave it out to use the CPU")
