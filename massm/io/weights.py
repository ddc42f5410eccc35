"""Weights of networks in ``.safetensors`` files, with short facts beside them; no code inside."""

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from massm.io.atomic import replacing
from massm.io.errors import DataError


def save_weights(
    state: Mapping[str, Tensor], path: Path, facts: Mapping[str, str] | None = None
) -> None:
    """Write a state dict and short texts, whole or not at all.

    Raises:
        OSError: Naming the file, if it cannot be written.
    """
    copied = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()}
    with replacing(path) as temporary:
        try:
            save_file(copied, temporary, metadata=dict(facts or {}))
        except SafetensorError as error:
            raise OSError(None, str(error)) from error


def load_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict on the CPU.

    Raises:
        DataError: If the file is damaged or cut.
    """
    try:
        return load_file(path)
    except SafetensorError as error:
        raise DataError(f"{path} is damaged or cut ({error}); delete it and train again") from error


def read_facts(path: Path) -> dict[str, str]:
    """Read the texts beside the weights; a file that was cut is noticed by its length.

    Raises:
        DataError: If the file is damaged or cut.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except SafetensorError as error:
        raise DataError(f"{path} is damaged or cut ({error}); delete it and train again") from error
