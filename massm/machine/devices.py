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


def refuse_missing_gpus(accelerator: Literal["cpu", "gpu"], devices: int = 1) -> None:
    """Refuse GPUs of the sections ``train`` and ``predict`` that are not there.

    Args:
        accelerator: As configured.
        devices: How many of them.

    Raises:
        ValueError: With what was found and what to set.
    """
    if accelerator == "cpu":
        return
    import torch

    found = torch.cuda.device_count()
    if found < devices:
        raise ValueError(
            f"accelerator is gpu with {devices} device(s), found {found}; "
            "set accelerator: cpu in sections train and predict, with train.precision: auto, or "
            "install torch's CUDA build"
        )
