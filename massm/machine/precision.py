"""Which number format this machine trains fastest in."""

import logging
from typing import Literal

log = logging.getLogger(__name__)

Precision = Literal["32-true", "16-mixed", "bf16-mixed"]
"""Lightning's names."""


def chosen_precision(
    precision: Precision | Literal["auto"], accelerator: Literal["cpu", "gpu"]
) -> Precision:
    """Return the number format that a configured one means on this machine.

    ``auto`` is bf16-mixed where the hardware multiplies bfloat16 itself and 32-true elsewhere: a
    CPU without such instructions does it by way of single precision, more slowly.
    """
    native = has_bfloat16(accelerator)
    if precision == "auto":
        return "bf16-mixed" if native else "32-true"
    if precision == "bf16-mixed" and not native:
        log.warning(
            "train.precision is bf16-mixed, but this %s has no bfloat16 arithmetic; auto or "
            "32-true is faster here",
            accelerator.upper(),
        )
    return precision


def has_bfloat16(accelerator: Literal["cpu", "gpu"]) -> bool:
    """Tell whether the hardware itself multiplies bfloat16 (x86: AMX or AVX-512 BF16)."""
    import torch

    if accelerator == "gpu":
        return torch.cuda.is_available() and torch.cuda.get_device_capability() >= (8, 0)
    instructions = torch.cpu.get_capabilities()
    return bool(instructions.get("amx_bf16") or instructions.get("avx512_bf16"))
